"""The command line. It imports neither torch nor Lightning before it knows that a command needs them."""

import difflib
import io
import logging
import os
import platform
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

from .errors import UntrainedError, UsageError

T = TypeVar("T")

COMMANDS = {
    "predict": "compute the embeddings of a data set by a front-end",
    "fit": "compute what is missing, search and fit a back-end, log and save it",
    "test": "score a fitted probe on the test split",
    "compare": "run a study: front-ends x back-ends x data sets x seeds",
    "report": "make the report of a study again, from its stored results",
    "classify": "label sounds by a fitted probe",
    "check": "decode every clip of a data set; or try whether a plug-in keeps its contract",
    "config": "print a study that comes along, to begin one of your own with",
    "new": "write a package with a front-end of your own to begin with",
    "list": "show the front-ends, back-ends and datamodules that are registered, or the embeddings that are stored",
    "completion": "print a script that completes this command line in your shell",
}
_REPORTED = (
    "torch",
    "torchaudio",
    "pytorch-lightning",
    "jsonargparse",
    "omegaconf",
    "scikit-learn",
    "numpy",
    "soundfile",
)
_KEEPING = ("predict", "fit", "test", "compare")
_STUDIES = Path(__file__).parent / "configs" / "studies"
_PIPED = 200  # columns of a table that no terminal shows
_DEFAULT_STUDY = "synthetic"
_CONTRACTS = ("frontend", "backend", "datamodule")
_MOST_TICKED = 40  # runs that TensorBoard shows without being asked


def script() -> None:
    """Entry point of the console script."""
    try:
        status = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:  # as of `untrained list | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 0
    sys.exit(status)


def main(argv: Sequence[str]) -> int:
    """Run a command.

    Args:
        argv: The command line without the program's name.

    Returns:
        Exit status: 0 for success, 1 for a failure, 2 for a mistake in the command or its input, 130 for Ctrl-C.

    Example:
        >>> main(["config", "synthetic"])  # doctest: +ELLIPSIS
        # The default study: ...
        0
    """
    command, *rest = argv or ["--help"]
    actions: dict[str, Callable[[list[str]], int]] = {
        "compare": _compare,
        "report": _report,
        "classify": _classify,
        "check": _check,
        "config": _config,
        "new": _new,
        "list": _list,
        "completion": _completion,
    }
    actions |= dict.fromkeys(("predict", "fit", "test"), lambda rest: _lightning([command, *rest]))
    try:
        if command in ("-h", "--help", "help"):
            print(_help())
            return 0
        if command == "--version":
            print(_versions())
            return 0
        if command not in actions:
            raise UsageError(_unknown_command(command))
        return actions[command](rest)
    except UntrainedError as error:
        if int(os.environ.get("LOCAL_RANK", 0)) == 0:  # what ends one process ends all, with the same message
            print(f"untrained: error: {error}", file=sys.stderr)
        return error.exit_status
    except BrokenPipeError:
        raise
    except OSError as error:  # names the file: a full disk, a folder that cannot be written
        print(f"untrained: error: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, SystemExit) as error:
        # Lightning ends its loops on Ctrl-C by leaving with status 1.
        if isinstance(error, SystemExit) and not isinstance(error.__context__, KeyboardInterrupt):
            raise
        kept = "; what was computed so far is kept, and the same command goes on from there"
        print(f"untrained: interrupted{kept if command in _KEEPING else ''}", file=sys.stderr)
        return 130


def _help() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {command:<{width}}  {text}" for command, text in COMMANDS.items()]
    return "\n".join(
        [
            "usage: untrained COMMAND [OPTION ...]",
            "",
            "Compare audio CNN front-ends without training them.",
            "",
            *lines,
            "",
            "untrained COMMAND --help explains a command; untrained --version tells what a report of a mistake needs.",
            "Exit status: 0 success, 1 failure, 2 a mistake in the command or its input, 130 Ctrl-C.",
        ]
    )


def _versions() -> str:
    """What matters for the report of a mistake, without importing any of it."""
    lines = [f"untrained {version('untrained')}", f"Python {platform.python_version()} on {platform.platform()}"]
    return "\n".join([*lines, *(f"{name} {version(name)}" for name in _REPORTED)])


def _unknown_command(command: str) -> str:
    nearest = difflib.get_close_matches(command, COMMANDS, n=1)
    hint = f"did you mean {nearest[0]!r}? " if nearest else ""
    return f"unknown command {command!r}; {hint}there are {', '.join(COMMANDS)}"


def _helped(argv: Sequence[str], usage: str, what: str) -> bool:
    """Explain a command that has no parser of its own, where that is asked for."""
    asked = argv[-1:] in (["-h"], ["--help"])
    if asked:
        print(f"usage: untrained {usage}\n\n{what}")
    return asked


def _list(argv: list[str]) -> int:
    from .listing import list_what_there_is

    return list_what_there_is(argv)


def _lightning(argv: list[str]) -> int:
    from .lightning_cli import ProbeCLI
    from .parsing import load_names

    for _, _, config in _configs(argv):
        if config in _shipped() and not Path(config).is_file():
            raise UsageError(f"--config {config}: that is a study, which compare runs: untrained compare {config}")
    _quieten()
    load_names()
    _run(ProbeCLI, argv)
    return 0


def _compare(argv: list[str]) -> int:
    from .compare import compare
    from .parsing import load_names
    from .study import study_parser

    _quieten()
    load_names()
    parser = study_parser()
    arguments = _with_study(argv)
    config = _run(lambda: parser.parse_args(arguments), ["compare", *argv])
    folder = _run(lambda: compare(parser, config), ["compare", *argv])
    return 0 if folder is None else _write_report(folder, anew=False)


def _report(argv: list[str]) -> int:
    if _helped(argv, "report FOLDER", "Make the report of a study again, from the results in its folder."):
        return 0
    if len(argv) != 1 or argv[0].startswith("-"):
        raise UsageError("report takes one folder, that of a study: untrained report runs/synthetic")
    _quieten()
    return _write_report(Path(argv[0]), anew=True)


def _write_report(folder: Path, *, anew: bool) -> int:
    """Write a study's report and show its table; the status tells whether all runs have ended well."""
    from rich.console import Console

    from .report import comparison_table, differences_in_short, write_report
    from .review import STUDY

    analysis, failures = write_report(folder, anew=anew)
    if analysis.cells:
        width = None if sys.stdout.isatty() else _PIPED
        Console(width=width, markup=False, highlight=False).print(comparison_table(analysis))
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


def _classify(argv: list[str]) -> int:
    """Label files; those that cannot be used are said on standard error too, as a table is for looking."""
    from .classify import WRITERS, Labelled, classify, classify_parser, files_of
    from .parsing import load_names
    from .stages import load

    _quieten()
    config = classify_parser().parse_args(argv)
    load_names()
    probe, recipe = load(config.ckpt_path, config.trust)
    options = {name: config[name] for name in ("accelerator", "batch_size", "num_workers")}
    failed = 0

    def said(sounds: Iterable[Labelled]) -> Iterator[Labelled]:
        nonlocal failed
        for sound in sounds:
            if sound.error:
                failed += 1
                print(f"untrained: {sound.path}: {sound.error}", file=sys.stderr)
            yield sound

    if isinstance(sys.stdout, io.TextIOWrapper):
        # A path is given back as it came, whatever its bytes, where the encoding has bytes for it.
        sys.stdout.reconfigure(errors="surrogateescape" if sys.stdout.encoding == "utf-8" else "backslashreplace")
    if "-" in config.paths and sys.stdin is None:
        raise UsageError("-: standard input is closed; give a list there, or files")
    sounds = list(files_of(config.paths, sys.stdin.buffer if "-" in config.paths else []))
    WRITERS[config.format](said(classify(probe, recipe, sounds, **options)), recipe.class_names, sys.stdout)
    return int(failed > 0)


def _new(argv: list[str]) -> int:
    from .scaffold import new_frontend

    if _helped(argv, "new frontend NAME", "Write a package with a front-end of your own, which works as it is."):
        return 0
    if len(argv) != 2 or argv[0] != "frontend" or argv[1].startswith("-"):
        raise UsageError("new makes a package with a front-end: untrained new frontend NAME")
    files = new_frontend(argv[1])
    folder = files[0].parent
    print("\n".join(map(str, files)))
    print(f"next: pip install -e '{folder}[test]' && untrained check frontend {argv[1]} && pytest {folder}")
    return 0


def _check(argv: list[str]) -> int:
    from .parsing import load_names

    kind, *rest = argv or [""]
    what = "Decode every clip of a data set, or try whether a plug-in keeps its contract."
    if _helped(argv[:1], f"check data --data NAME ... | check {'|'.join(_CONTRACTS)} NAME", what):
        return 0
    if kind not in ("data", *_CONTRACTS):
        raise UsageError(
            "check needs to know what: untrained check data --data NAME ... for the clips of a data set, or untrained "
            f"check {'|'.join(_CONTRACTS)} NAME for a plug-in's contract"
        )
    _quieten()
    load_names()
    return _check_data(argv) if kind == "data" else _check_contract(kind, rest)


def _check_data(argv: list[str]) -> int:
    from rich.console import Console

    from .check import check_data, data_parser, render

    parser = data_parser()
    config = _run(lambda: parser.parse_args(argv[1:]), ["check", *argv])
    report = check_data(parser, config)
    Console(width=None if sys.stdout.isatty() else _PIPED, markup=False, highlight=False, soft_wrap=True).print(
        render(report)
    )
    return int(report.stops_a_run)


def _check_contract(kind: str, argv: list[str]) -> int:
    """Say of each promise of a contract whether a plug-in keeps it."""
    from .parsing import contract_parser, instantiate
    from .testing import results_of

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
        path = _shipped().get(study, Path(study))
        if not path.is_file():
            raise UsageError(
                f"no study {study!r}: no such file, and none of the shipped ones ({', '.join(_shipped())})"
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


def _shipped() -> dict[str, Path]:
    """The studies that come along, by name."""
    return {path.stem: path for path in sorted(_STUDIES.glob("*.yaml"))}


def _config(argv: list[str]) -> int:
    if _helped(argv, "config [NAME]", f"Print a study that comes along, of {', '.join(_shipped())}; or these names."):
        return 0
    if len(argv) > 1 or (argv and argv[0] not in _shipped()):
        raise UsageError(f"config prints a study that comes along: untrained config NAME, of {', '.join(_shipped())}")
    print(_shipped()[argv[0]].read_text("utf-8") if argv else "\n".join(_shipped()), end="" if argv else "\n")
    return 0


def _completion(argv: list[str]) -> int:
    import shtab

    what = "Print a script that completes this command line, options and names of plug-ins included."
    if _helped(argv, f"completion {'|'.join(shtab.SUPPORTED_SHELLS)}", what):
        return 0
    if len(argv) != 1 or argv[0] not in shtab.SUPPORTED_SHELLS:
        raise UsageError(f"completion needs the name of a shell, of {', '.join(shtab.SUPPORTED_SHELLS)}")
    from .completion import completion_script
    from .parsing import load_names

    _quieten()
    load_names()
    print(completion_script(argv[0], COMMANDS, _shipped()))
    return 0


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


def _quieten() -> None:
    """Silence what is no news to a user of this command line; Lightning sets its level when it is imported."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    for message in (
        "does not have many workers",  # the embeddings are in memory; for audio the user decides
        "Found .* module.s. in eval mode",  # front-ends are frozen on purpose
        "isinstance.treespec, LeafSpec.",  # Lightning's own use of torch
        "The number of training batches",  # nothing is logged per batch
        "Solver terminated early",  # SVMClassifier documents its limit
        "The verbose parameter is deprecated",
    ):
        warnings.filterwarnings("ignore", f".*{message}.*")


if __name__ == "__main__":
    script()
