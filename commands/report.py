"""`untrained report`: write the report of a study again, and show its table."""

import sys
from pathlib import Path

from ..errors import UsageError
from .dispatch import begin, explained

MAX_TICKED = 40  # runs that TensorBoard selects by default


def run(argv: list[str]) -> int:
    """Write the report of a study again.

    Args:
        argv: Command line without `report`.

    Returns:
        Exit status.

    Raises:
        UsageError: The command line does not name one folder.
    """
    if explained(argv, "report FOLDER", "Write the report of a study again, from the results in its folder."):
        return 0
    if len(argv) != 1 or argv[0].startswith("-"):
        raise UsageError("report takes one folder, that of a study: untrained report runs/synthetic")
    return write_and_show(Path(argv[0]), anew=True)


def write_and_show(folder: Path, *, anew: bool) -> int:
    """Write the report of a study and show its table.

    Args:
        folder: Folder of the study.
        anew: Whether to rewrite a report that is up to date.

    Returns:
        Exit status: 1 if any run failed.
    """
    from ..studies.report import comparison_table, differences_in_short, write_report
    from ..studies.tensorboard import STUDY
    from ..terminal import console

    begin()
    analysis, failures = write_report(folder, anew=anew)
    if analysis.cells:
        console(soft_wrap=False).print(comparison_table(analysis))
        print("\n".join([*differences_in_short(analysis), f"{folder}/report.md", f"{folder}/results.csv"]))
        is_logged = (folder / STUDY).is_dir()
        if is_logged:
            print(f"tensorboard --logdir {folder}")
        if is_logged and sum(len(cell.runs) + 1 for cell in analysis.cells.values()) >= MAX_TICKED:
            print(f"  (of more than {MAX_TICKED} runs it ticks none by itself: tick {STUDY} for the whole)")
    for failure in failures:
        print(
            f"untrained: failed: {failure.run}: {failure.error}; see {folder}/{failure.run}/error.txt", file=sys.stderr
        )
    if failures:
        print(f"untrained: {len(failures)} runs failed; the same command tries them again", file=sys.stderr)
    return int(bool(failures))
