"""Report of a rank study: its page, Markdown, figures, TensorBoard logs, and all numbers as JSON."""

import json
from collections.abc import Iterator
from pathlib import Path

from ...escaping import for_terminal
from ...files import write_atomically
from ..rank import protocol
from ..rank.results import Results
from .answer import terminal_lines
from .document import as_markdown
from .numbers import numbers
from .page import page
from .sections import CAPTIONS, sections
from .study import examine
from .worth import NUMBERS

PAGE, MARKDOWN = "report.html", "report.md"
"""File names of the report in the folder of a study."""


def write_report(folder: Path, known: Results) -> Iterator[str]:
    """Write the report of a rank study to its folder, and yield its lines for the terminal, the verdict first.

    Args:
        folder: Folder of the study.
        known: Results, of any completeness.
    """
    from .figures import figures  # imported here, because a dry run needs no figure
    from .tensorboard import log_study

    study = examine(folder, protocol.read(folder), known)
    drawn = dict(figures(study.analysis)) if study.analysis else {}
    for name in CAPTIONS:
        (folder / f"{name}.png").unlink(missing_ok=True)
    for name, figure in drawn.items():
        figure.savefig(folder / f"{name}.png", dpi=150)
    parts = sections(study, set(drawn))
    text = as_markdown(f"{study.name}: {study.digest}", parts)
    write_atomically(
        folder / NUMBERS, json.dumps(numbers(study), indent=1, default=lambda value: value.item()).encode()
    )
    write_atomically(folder / PAGE, page(study, parts).encode())
    log_study(folder, study, text, drawn)
    write_atomically(folder / MARKDOWN, text.encode())
    yield from map(for_terminal, terminal_lines(study))
    yield "\n".join(f"{folder}/{name}" for name in (PAGE, MARKDOWN, NUMBERS))
    yield f"tensorboard --logdir {folder}"
