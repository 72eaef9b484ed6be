"""`untrained report`: rewrite the report of a study, and show its table."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ..errors import UsageError
from ..escaping import for_terminal
from .dispatch import begin

if TYPE_CHECKING:
    from ..studies.families import Method
    from ..studies.rank.results import Results
    from ..studies.rank_report.worth import Worth

MAX_FAILURES = 10  # maximum number of failures of a rank study that are shown
MAX_TICKED = 40  # maximum number of runs that TensorBoard selects by default


def run(argv: list[str]) -> int:
    """Rewrite the report of a study.

    Args:
        argv: Command line without `report`.

    Returns:
        Exit status.

    Raises:
        UsageError: The command line is invalid.
    """
    options = report_parser().parse_args(argv)
    if (Path(options.folder) / "protocol.json").is_file():
        return _of_rank_study(options)
    worth = None
    if options.rank:
        from ..studies.rank_report.worth import read_worth

        worth = read_worth(Path(options.rank))
    shown = {"method": options.test, "along": options.along, "open_page": options.open, "worth": worth}
    return write_and_show(Path(options.folder), anew=True, **shown)


def _of_rank_study(options: argparse.Namespace) -> int:
    """Rewrite the report of a rank study."""
    from ..studies.rank.results import read
    from ..terminal import say

    if options.along or options.rank or options.test != "clips":
        name = "--along" if options.along else "--rank" if options.rank else "--test"
        raise UsageError(f"{name} applies to studies of `untrained compare`; {options.folder} holds a rank study")
    begin()
    folder = Path(options.folder)
    return show_rank_report(folder, read(folder, say), open_page=options.open)


def show_rank_report(folder: Path, known: "Results", *, open_page: bool) -> int:
    """Write the report of a rank study and show it in short.

    Args:
        folder: Folder of the study.
        known: Its results.
        open_page: Whether to open the page of the study in the browser.

    Returns:
        Exit status: 1 if any item failed.
    """
    from ..studies.rank_report.report import PAGE, write_report
    from ..terminal import say

    say(f"analysing {len(known.records):,} results", sys.stderr)
    for line in write_report(folder, known):
        say(for_terminal(line, lines=True))
    failures = known.failures
    for record in failures[:MAX_FAILURES]:
        say(f"untrained: failed: {record.item}: {record.error}", sys.stderr)
    if failures:
        print(f"untrained: {len(failures)} items failed; run the same command to try them again", file=sys.stderr)
    if open_page and not opened(folder / PAGE):
        say(f"untrained: no browser was found; open {folder}/{PAGE} in a browser", sys.stderr)
    return int(bool(failures))


def report_parser() -> argparse.ArgumentParser:
    """Return the parser of `untrained report`."""
    parser = _Parser(
        prog="untrained report", description="Rewrite the report of a study from the results in its folder."
    )
    parser.add_argument("folder", metavar="FOLDER", help="Folder of a study, such as runs/synthetic.")
    parser.add_argument("--along", metavar="AXIS", help="Also test a setting of the study, such as pooling.")
    help = "Significance test for cross-validated results: clips (default) or folds (corrected t-test, less power)."
    parser.add_argument("--test", choices=["clips", "folds"], default="clips", help=help)
    help = "Folder of a rank study: also report what differences without training have been worth after training."
    parser.add_argument("--rank", metavar="DIR", help=help)
    parser.add_argument("--open", action="store_true", help="Open the report, report.html, in the browser.")
    return parser


class _Parser(argparse.ArgumentParser):
    """Parser that raises `UsageError`. The parser of the other commands takes longer to import."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. report takes one folder, the folder of a study: untrained report runs/synthetic")


def write_and_show(
    folder: Path,
    *,
    anew: bool,
    method: "Method" = "clips",
    along: str | None = None,
    open_page: bool = False,
    worth: "Worth | None" = None,
) -> int:
    """Write the report of a study and show its table.

    Args:
        folder: Folder of the study.
        anew: Whether to rewrite a report that is already up to date.
        method: Significance test for cross-validated results.
        along: Setting of the study that is also tested.
        open_page: Whether to open the page of the study in the browser.
        worth: What differences have been worth in a rank study.

    Returns:
        Exit status: 1 if any run failed.

    Raises:
        UsageError: The study does not vary the setting.
    """
    from ..studies.findings import axis_lines, summary
    from ..studies.rank_report.worth import worth_lines
    from ..studies.report import PAGE, comparison_table, write_report
    from ..studies.tensorboard import STUDY
    from ..terminal import console, say

    begin()
    analysis, failures = write_report(folder, anew=anew, method=method, worth=worth)
    if along is not None and along not in analysis.axes:
        varied = ", ".join(analysis.axes) or "none"
        raise UsageError(
            f"--along {along}: no two runs of {folder} differ in this setting only; varied settings: {varied}"
        )
    if analysis.cells:
        console(soft_wrap=False).print(comparison_table(analysis))
        after = ["after training, by a rank study:", *worth_lines(worth, analysis)] if worth else []
        for line in [*summary(analysis), *(axis_lines(analysis, along) if along else []), *after]:
            say(for_terminal(line))
        say(f"{folder}/{PAGE}\n{folder}/report.md\n{folder}/results.csv")
        is_logged = (folder / STUDY).is_dir()
        if is_logged:
            say(f"tensorboard --logdir {folder}")
        if is_logged and sum(len(cell.runs) + 1 for cell in analysis.cells.values()) >= MAX_TICKED:
            note = f"summary only; TensorBoard selects no run by default if there are more than {MAX_TICKED}"
            say(f"tensorboard --logdir {folder}/{STUDY}  # {note}")
    for failure in failures:
        say(f"untrained: failed: {failure.run}: {failure.error}; see {folder}/{failure.run}/error.txt", sys.stderr)
    if failures:
        print(f"untrained: {len(failures)} runs failed; run the same command to try them again", file=sys.stderr)
    if open_page and not opened(folder / PAGE):
        say(f"untrained: no browser was found; open {folder}/{PAGE} in a browser", sys.stderr)
    return int(bool(failures))


def opened(page: Path) -> bool:
    """Open a page in the user's browser, and return whether that succeeded.

    Without a display no browser is tried, because a text browser would take over the terminal.
    """
    import webbrowser

    has_display = any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")))
    if sys.platform not in ("darwin", "win32") and not has_display:
        return False
    try:
        return webbrowser.open(page.resolve().as_uri())
    except (OSError, webbrowser.Error):
        return False
