"""`untrained check`: decode every clip of a data set as a run would, or check the contract of a plug-in."""

import io
import math
import re
import sys
from collections import Counter
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table

from ..audio.signals import TITLES
from ..datamodules.lengths import TOLERANCE, as_seconds, length_notice
from ..errors import UsageError
from ..escaping import for_terminal
from ..parsing import KINDS, Parser, contract_parser, instantiate, load_names
from ..registry import DATAMODULES
from ..terminal import console, say
from .dispatch import begin, explained, run_with_argv
from .words import names_first

if TYPE_CHECKING:
    from .examination import Examination

CONTRACTS = ("frontend", "backend", "datamodule", "proxy")
PLUGINS = {**KINDS, "datamodule": DATAMODULES}
MAX_SHOWN = 20  # lines of a list
FAR = 2  # factor from which a clip is far longer, or far shorter, than the length that a run reads
NEARLY_ALL = 0.9  # share of clips that must be far longer, or far shorter, for a note
SUGGESTED_SHARE = 0.95  # share of clips that the suggested length covers completely


def run(argv: list[str]) -> int:
    """Decode every clip of a data set, or check the contract of a plug-in.

    Args:
        argv: Command line without `check`.

    Returns:
        Exit status: 1 if a run would fail, or if the plug-in violates its contract.

    Raises:
        UsageError: The command line names nothing to check.
    """
    kind, *rest = argv or [""]
    what = "Decode every clip of a data set, or check the contract of a plug-in."
    if explained(argv[:1], f"check data --data NAME ... | check {'|'.join(CONTRACTS)} NAME", what):
        return 0
    if kind not in ("data", *CONTRACTS):
        raise UsageError(
            "nothing to check was given; use untrained check data --data NAME ... for the clips of a data set, or "
            f"untrained check {'|'.join(CONTRACTS)} NAME for the contract of a plug-in"
        )
    load_names([PLUGINS[kind]])
    begin()
    return check_data(argv) if kind == "data" else check_contract(kind, rest)


def check_data(argv: list[str]) -> int:
    """Decode every clip of a data set, and report problems.

    Args:
        argv: Command line that begins with `data`.

    Returns:
        Exit status: 1 if a run on this data would fail.
    """
    from .examination import examine  # imports scikit-learn

    parser = data_parser()
    words = names_first(argv)
    config = run_with_argv(lambda: parser.parse_args(words[1:]), ["check", *words])
    examination = examine(instantiate(parser, config).data)
    console().print(render(examination))
    return int(examination.stops_a_run)


def check_contract(kind: str, argv: list[str]) -> int:
    """Print whether a plug-in meets each requirement of its contract.

    Args:
        kind: Kind of plug-in: frontend, backend, datamodule or proxy.
        argv: Command line after the kind: a name, or `module:Class`, and its arguments.

    Returns:
        Exit status: 1 if a requirement is violated.

    Raises:
        UsageError: No plug-in is named, or it rejects its arguments.
    """
    if not argv or (argv[0].startswith("-") and argv[0] not in ("-h", "--help")):
        raise UsageError(f"check {kind} needs a name: untrained check {kind} NAME; untrained list shows the names")
    parser = contract_parser(kind)
    name, *rest = argv
    # As in an entry point; the parser knows `module.Class`.
    name = name.replace(":", ".") if re.fullmatch(r"[\w.]+:\w+", name) else name
    arguments = argv if name.startswith("-") else [f"--{kind}", name, *rest]
    plugin = instantiate(parser, parser.parse_args(arguments))[kind]
    if kind == "datamodule":
        plugin.listed  # noqa: B018  # raises if there is no data to check with
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # for encodings without the tick
    from ..testing import results_of  # imports scikit-learn's estimator checks

    n_kept = n_broken = n_skipped = 0
    for result in results_of(plugin):
        n_kept, n_broken = n_kept + result.is_kept, n_broken + bool(result.problem)
        n_skipped += not (result.is_kept or result.problem)
        sign = "✗" if result.problem else "✓" if result.is_kept else "–"
        say(f"{sign} {result.check.promise}", flush=True)
        if result.problem or result.skipped:
            say(f"    {result.problem or f'skipped: {result.skipped}'}")
    skipped = f"; {n_skipped} skipped" if n_skipped else ""
    print(f"{type(plugin).__name__} meets {n_kept} of {n_kept + n_broken} requirements{skipped}")
    return int(n_broken > 0)


def data_parser() -> Parser:
    """Return the parser of `untrained check data`."""
    parser = Parser(prog="untrained check data", description="Decode every clip of a data set, and report problems.")
    parser.add_argument("--config", action="config", help="YAML file with options.")
    parser.add_subclass_arguments(DATAMODULES.contract, "data", required=True, help="Data set to check.")
    return parser


def render(examination: "Examination") -> RenderableType:
    """Return the findings about a data set as tables and lists for a terminal."""
    parts: list[RenderableType] = []
    if examination.findings:
        parts += [_counts(examination), _properties(examination)]
    broken = [f"{finding.clip.id}: {finding.reason}" for finding in examination.broken]
    parts += _listed("Clips that cannot be read", broken, n_shown=len(broken))
    silent = [finding.clip.id for finding in examination.silent]
    parts += _listed("Silent clips", silent, "peak more than 80 dB below full scale")
    for remark, (title, explanation) in TITLES.items():
        ids = [finding.clip.id for finding in examination.findings if remark in finding.remarks]
        parts += _listed(title, ids, explanation)
    same = [", ".join(f"{finding.clip.id} ({finding.clip.part})" for finding in group) for group in examination.leaks]
    parts += _listed("Groups of clips with identical audio in different splits or folds", same, "leakage")
    doubly = [group for group in examination.repeated if len({finding.clip.label for finding in group}) > 1]
    same = [", ".join(f"{finding.clip.id} ({finding.clip.label})" for finding in group) for group in doubly]
    parts += _listed("Groups of clips with identical audio and different labels", same, "expected one label for each")
    apart = [group for group in examination.repeated if group not in examination.leaks]
    same = [", ".join(finding.clip.id for finding in group) for group in apart]
    parts += _listed("Groups of clips with identical audio", same)
    parts += _on_lengths(examination)
    parts += _listed("Notes", examination.notes)
    if examination.datamodule.n_other_files:
        parts.append(f"{examination.datamodule.n_other_files} other files: not audio, or not part of this data set")
    if examination.refusal:
        parts.append(f"this data set cannot be used: {examination.refusal}")
    elif examination.stops_a_run:
        parts.append(
            f"a run would fail, because {len(examination.broken)} of {len(examination.findings)} clips cannot be read; "
            "replace or remove them, or skip them with --data.on_error skip"
        )
    else:
        left = f", {len(examination.broken)} are skipped" if examination.broken else ""
        parts.append(f"{len(examination.findings) - len(examination.broken)} clips can be used{left}")
    return Group(*parts)


def _counts(examination: "Examination") -> Table:
    """Return a table of the clips of each class in each split or fold."""
    from ..datamodules.clip import SPLITS

    counts = Counter((finding.clip.label, finding.clip.part) for finding in examination.findings)
    folds = sorted({finding.clip.fold for finding in examination.findings if finding.clip.fold is not None})
    places = [*SPLITS, *(f"fold {fold}" for fold in folds)]
    places = [place for place in places if any(place == found for _, found in counts)]
    labels = sorted({label for label, _ in counts})
    name = for_terminal(examination.datamodule.dataset_name)
    table = Table(title=f"{name}: {len(examination.findings)} clips, {len(labels)} classes")
    for name in ("class", *places, "all"):
        table.add_column(for_terminal(name), justify="left" if name == "class" else "right")
    for label in labels:
        row = [counts[label, place] for place in places]
        table.add_row(for_terminal(label), *map(str, [*row, sum(row)]))
    table.add_section()
    sums = [sum(counts[label, place] for label in labels) for place in places]
    table.add_row("all", *map(str, [*sums, sum(sums)]))
    return table


def _properties(examination: "Examination") -> Table:
    """Return a table of durations, sample rates, channels and formats of the files."""
    read = [finding for finding in examination.findings if finding.header is not None]
    headers = [finding.header for finding in read if finding.header is not None]
    table = Table(show_header=False)
    if groups := _groups(examination):
        table.add_row("groups", groups)
    if not headers:
        made = all(finding.clip.path is None for finding in examination.findings)
        table.add_row("audio", "generated, not read from files" if made else "none that can be read")
        return table
    seconds = sorted(finding.seconds for finding in read)  # as decoded; a header may only estimate it
    table.add_row(
        "duration",
        f"{seconds[0]:.2f} to {seconds[-1]:.2f} s, median {median(seconds):.2f} s, {sum(seconds) / 3600:.2f} h in all",
    )
    for name, values in (
        ("sample rate", [f"{header.rate} Hz" for header in headers]),
        ("channels", [str(header.n_channels) for header in headers]),
        ("format", [header.format for header in headers]),
    ):
        table.add_row(name, ", ".join(f"{value} ({n})" for value, n in Counter(values).most_common()))
    return table


def _groups(examination: "Examination") -> str:
    """Return the number of groups and of clips in each, as text; empty if no clip has a group."""
    sizes = Counter(finding.clip.group for finding in examination.findings)
    n_alone = sizes.pop(None, 0)
    if not sizes:
        return ""
    least, most = min(sizes.values()), max(sizes.values())
    clips = f"{most} clip{'s' if most > 1 else ''}" if least == most else f"{least} to {most} clips"
    alone = f"; {n_alone} clips have no group" if n_alone else ""
    return f"{len(sizes)}, each of {clips}{alone}"


def _on_lengths(examination: "Examination") -> list[str]:
    """Return notes on clips that are longer or shorter than the length that a run reads, and suggest a length."""
    given, lengths, datamodule = examination.given, examination.lengths, examination.datamodule
    notice = length_notice(lengths, given, datamodule.fit_length)
    if not notice:
        return []
    found = [notice]
    for what, n in (
        ("longer", sum(seconds > FAR * given for seconds in lengths)),
        ("shorter", sum(seconds < given / FAR for seconds in lengths)),
    ):
        if n >= NEARLY_ALL * len(lengths):
            which = "all" if n == len(lengths) else f"{n:,} of {len(lengths):,}"
            median_length = as_seconds(median(lengths))
            found.append(
                f"{which} clips are far {what} than the {as_seconds(given)} that a run reads (median {median_length})"
            )
    enough = lengths[math.ceil(SUGGESTED_SHARE * len(lengths)) - 1]
    suggested = math.ceil(enough * 10 - 0.01) / 10
    if abs(suggested - given) > TOLERANCE * given + 0.1:
        found.append(f"--data.seconds {suggested} covers {100 * SUGGESTED_SHARE:.0f} % of the clips completely")
    return found


def _listed(title: str, lines: Sequence[str], explanation: str = "", n_shown: int = MAX_SHOWN) -> list[str]:
    """Return a list with its title and length; empty if it has no lines."""
    if not lines:
        return []
    left = [f"  and {len(lines) - n_shown} more"] if len(lines) > n_shown else []
    counted = f"{len(lines)}; {explanation}" if explanation else str(len(lines))
    return [f"{title} ({counted}):", *(f"  {for_terminal(line)}" for line in lines[:n_shown]), *left]
