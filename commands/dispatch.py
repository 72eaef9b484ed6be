"""The commands that compute something; each imports what it needs when it is run.

All take the command line behind their name, and give the exit status.
"""

import functools
import io
import logging
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from .. import interrupts
from ..errors import UsageError

T = TypeVar("T")
_CONTRACTS = ("frontend", "backend", "datamodule")
_PACKAGE = Path(__file__).parents[1]
_STUDIES = _PACKAGE / "configs" / "studies"
_DEFAULT_STUDY = "synthetic"
_MOST_TICKED = 40  # runs that TensorBoard shows without being asked


def stage(argv: list[str]) -> int:
    """Run `predict`, `fit` or `test`; the command line begins with which."""
    from ..parsing import load_names
    from .stages import ProbeCLI

    for _, _, config in _configs(argv):
        if config in shipped_studies() and not Path(config).is_file():
            raise UsageError(f"--config {config}: that is a study, which compare runs: untrained compare {config}")
    load_names()
    begin()
    _run(ProbeCLI, argv)
    return 0


def compare(argv: list[str]) -> int:
    """Run a study and write its report."""
    from ..parsing import load_names
    from ..studies.execute import compare as run_study
    from ..studies.plan import study_parser

    load_names()
    begin()
    parser = study_parser()
    arguments = _with_study(argv)
    config = _run(lambda: parser.parse_args(arguments), ["compare", *argv])
    folder = _run(lambda: run_study(parser, config), ["compare", *argv])
    return 0 if folder is None else _write_report(folder, anew=False)


def report(argv: list[str]) -> int:
    """Write the report of a study again."""
    if explained(argv, "report FOLDER", "Make the report of a study again, from the results in its folder."):
        return 0
    if len(argv) != 1 or argv[0].startswith("-"):
        raise UsageError("report takes one folder, that of a study: untrained report runs/synthetic")
    return _write_report(Path(argv[0]), anew=True)


def _write_report(folder: Path, *, anew: bool) -> int:
    """Write a study's report and show its table; the status tells whether all runs have ended well."""
    from ..probes.tensorboard import STUDY
    from ..studies.report import comparison_table, differences_in_short, write_report
    from ..terminal import console

    begin()
    analysis, failures = write_report(folder, anew=anew)
    if analysis.cells:
        console(soft_wrap=False).print(comparison_table(analysis))
        print("\n".join([*differences_in_short(analysis), f"{folder}/report.md", f"{folder}/results.csv"]))
        print(f"tensorboard --logdir {folder}")
        if sum(len(cell.runs) for cell in analysis.cells.values()) >= _MOST_TICKED:
            print(f"  (of more than {_MOST_TICKED} runs it ticks none by itself: tick {STUDY} for the whole)")
    for failure in failures:
        print(
            f"untrained: failed: {failure.run}: {failure.error}; see {folder}/{failure.run}/error.txt", file=sys.stderr
        )
    if failures:
        print(f"untrained: {len(failures)} runs failed; the same command tries them again", file=sys.stderr)
    return int(bool(failures))


def classify(argv: list[str]) -> int:
    """Label files; those that cannot be used are said on standard error too, as a table is for looking."""
    from ..parsing import load_names
    from ..probes.fitted import WRITERS, Labelled, classify_parser, files_of
    from ..probes.fitted import classify as label
    from ..probes.trained import load
    from ..terminal import visible

    load_names()
    begin()
    config = classify_parser().parse_args(argv)
    probe, recipe = load(config.ckpt_path, config.trust)
    options = {name: config[name] for name in ("accelerator", "batch_size", "num_workers")}
    failed = 0

    def said(sounds: Iterable[Labelled]) -> Iterator[Labelled]:
        nonlocal failed
        for sound in sounds:
            if sound.error:
                failed += 1
                print(f"untrained: {visible(sound.path)}: {sound.error}", file=sys.stderr)
            yield sound

    if isinstance(sys.stdout, io.TextIOWrapper):
        # A path is given back as it came, whatever its bytes, where the encoding has bytes for it.
        sys.stdout.reconfigure(errors="surrogateescape" if sys.stdout.encoding == "utf-8" else "backslashreplace")
    if "-" in config.paths and sys.stdin is None:
        raise UsageError("-: standard input is closed; give a list there, or files")
    sounds = list(files_of(config.paths, sys.stdin.buffer if "-" in config.paths else []))
    WRITERS[config.format](said(label(probe, recipe, sounds, **options)), recipe.class_names, sys.stdout)
    return int(failed > 0)


def check(argv: list[str]) -> int:
    """Decode every clip of a data set, or try whether a plug-in keeps its contract."""
    from ..parsing import load_names

    kind, *rest = argv or [""]
    what = "Decode every clip of a data set, or try whether a plug-in keeps its contract."
    if explained(argv[:1], f"check data --data NAME ... | check {'|'.join(_CONTRACTS)} NAME", what):
        return 0
    if kind not in ("data", *_CONTRACTS):
        raise UsageError(
            "check needs to know what: untrained check data --data NAME ... for the clips of a data set, or untrained "
            f"check {'|'.join(_CONTRACTS)} NAME for a plug-in's contract"
        )
    load_names()
    begin()
    return _check_data(argv) if kind == "data" else _check_contract(kind, rest)


def _check_data(argv: list[str]) -> int:
    from ..terminal import console
    from .check import check_data, data_parser, render

    parser = data_parser()
    config = _run(lambda: parser.parse_args(argv[1:]), ["check", *argv])
    report = check_data(parser, config)
    console().print(render(report))
    return int(report.stops_a_run)


def _check_contract(kind: str, argv: list[str]) -> int:
    """Say of each promise of a contract whether a plug-in keeps it."""
    from ..parsing import contract_parser, instantiate
    from ..testing import results_of

    if not argv or (argv[0].startswith("-") and argv[0] not in ("-h", "--help")):
        raise UsageError(f"check {kind} needs a name: untrained check {kind} NAME; untrained list shows the names")
    parser = contract_parser(kind)
    arguments = argv if argv[0].startswith("-") else [f"--{kind}", *argv]
    plugin = instantiate(parser, parser.parse_args(arguments))[kind]
    if kind == "datamodule":
        plugin.listed  # noqa: B018  # without data there is nothing to try
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # ticks, where an encoding has none
    n_kept = n_all = 0
    for check, problem in results_of(plugin):
        n_kept, n_all = n_kept + (not problem), n_all + 1
        print(f"{'✗' if problem else '✓'} {check.promise}", flush=True)
        if problem:
            print(f"    {problem}")
    print(f"{type(plugin).__name__} keeps {n_kept} of {n_all} promises")
    return int(n_kept < n_all)


def _with_study(argv: Sequence[str]) -> list[str]:
    """The arguments with their study, a file or the name of a shipped one, as their configuration."""
    words = list(argv)
    if words and not words[0].startswith("-"):
        words[:1] = ["--config", words[0]]
    elif not list(_configs(words)):
        words[:0] = ["--config", _DEFAULT_STUDY]
    for index, option, study in list(_configs(words)):
        path = shipped_studies().get(study, Path(study))
        if not path.is_file():
            raise UsageError(
                f"no study {study!r}: no such file, and none of the shipped ones ({', '.join(shipped_studies())})"
            )
        words[index] = f"{option}{path}"
    return words


def _configs(words: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Where configurations are asked for: position, what stands before the name in that word, and the name."""
    for index, word in enumerate(words):
        if word.startswith("--config="):
            yield index, "--config=", word.removeprefix("--config=")
        elif index and words[index - 1] == "--config":
            yield index, "", word


def shipped_studies() -> dict[str, Path]:
    """The studies that come along, by name."""
    return {path.stem: path for path in sorted(_STUDIES.glob("*.yaml"))}


def explained(argv: Sequence[str], usage: str, what: str) -> bool:
    """Explain a command that has no parser of its own, where that is asked for."""
    asked = argv[-1:] in (["-h"], ["--help"])
    if asked:
        print(f"usage: untrained {usage}\n\n{what}")
    return asked


def _run(action: Callable[[], T], argv: list[str]) -> T:
    """Run what reads `sys.argv` (Lightning does, to start its other processes) with this command line in it."""
    from omegaconf.errors import OmegaConfBaseException

    arguments, sys.argv = sys.argv, [sys.argv[0], *argv]
    try:
        return action()
    except OmegaConfBaseException as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"{reason}; in a configuration refer to other keys relatively, as ${{.name}}") from error
    finally:
        sys.argv = arguments


def begin() -> None:
    """Take up Ctrl-C, now that everything is imported, and silence what is no news to a user."""
    interrupts.take_up()
    # Lightning sets its level when it is imported.
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    for message in (
        "does not have many workers",  # the embeddings are in memory; for audio the user decides
        "Found .* module.s. in eval mode",  # frontends are frozen on purpose
        "isinstance.treespec, LeafSpec.",  # Lightning's own use of torch
        "The number of training batches",  # nothing is logged per batch
        "Solver terminated early",  # SVMClassifier documents its limit
        "The verbose parameter is deprecated",
    ):
        warnings.filterwarnings("ignore", f".*{message}.*")
    if getattr(warnings.formatwarning, "func", None) is not _format_warning:
        warnings.formatwarning = functools.partial(_format_warning, warnings.formatwarning)


def _format_warning(
    others: Callable[..., str],
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """A warning of ours in one line, without where in the code it comes from; `others` formats those of others."""
    if issubclass(category, UserWarning) and Path(filename).is_relative_to(_PACKAGE):
        return f"untrained: warning: {message}\n"
    return others(message, category, filename, lineno, line)
