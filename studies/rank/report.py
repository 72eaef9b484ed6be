"""Report of a rank study."""

from collections.abc import Iterator
from pathlib import Path

from . import protocol
from .results import Results


def write_report(folder: Path, known: Results) -> Iterator[str]:
    """Write the report of a rank study to its folder, and yield its lines for the terminal.

    Args:
        folder: Folder of the study.
        known: Results.
    """
    frozen = protocol.read(folder)
    yield f"protocol {frozen['digest']}: {len(known.records)} results -> {folder}"
