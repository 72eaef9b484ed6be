"""Reader of CSV tables that reports every error with its line."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..audio.remote import RemotePath
from ..errors import DataError
from .clip import Clip
from .labels import seen
from .remote_files import read_bytes


@dataclass(frozen=True)
class TableRow:
    """Line of a table.

    Args:
        location: File and line, for messages.
        cells: Cell of each column, by the name of the column.
    """

    location: str
    cells: dict[str, str]

    def __getitem__(self, name: str) -> str:
        """Return a cell that must not be empty.

        Raises:
            DataError: The cell is empty.
        """
        if not self.cells[name].strip():
            raise DataError(f"{self.location}: {name} is empty; expected a {name} in every line")
        return self.cells[name]

    def integer(self, name: str) -> int:
        """Return a cell as a whole number.

        Raises:
            DataError: The cell is not a whole number.
        """
        try:
            return int(self[name])
        except ValueError as error:
            raise DataError(f"{self.location}: {name}={self[name]!r}; expected a whole number") from error


def read_table(path: Path | RemotePath, required: Sequence[str], optional: Sequence[str] = ()) -> list[TableRow]:
    """Read a CSV file with a header: UTF-8 with or without a byte order mark, any line endings, blank lines skipped.

    Args:
        path: CSV file, local or remote.
        required: Names of columns that the file must have. Names in the header are converted to lower case and stripped
            of spaces. Columns without a name are left out.
        optional: Names of further columns to mention in error messages.

    Raises:
        DataError: The file does not exist or is not a valid table.
    """
    if isinstance(path, Path) and not path.is_file():
        found = "a folder" if path.is_dir() else "nothing"
        raise DataError(
            f"no table at {path} (found {found}); give a CSV file with the columns {', '.join([*required, *optional])}"
        )
    try:
        text = (read_bytes(path) if isinstance(path, RemotePath) else path.read_bytes()).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error}); save it as CSV in UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[TableRow] = []
    header: list[str] = []
    width = 0  # number of columns up to the last one with a name
    start = 1
    try:
        for cells in reader:
            location, start = f"{path}, line {start}", reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = [seen(cell).lower() for cell in cells]
                _check_header(path, header, required, optional)
                width = len(header)
                while not header[width - 1]:
                    width -= 1  # spreadsheets add empty columns
            elif len(cells) < width or any(cell.strip() for cell in cells[len(header) :]):
                raise DataError(
                    f"{location}: {len(cells)} cells, but the header has {len(header)} columns; put cells that contain "
                    'a comma in "quotes"'
                )
            else:
                named = zip(header, cells, strict=False)
                rows.append(TableRow(location, {name: cell for name, cell in named if name}))
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num}: {error}; correct it, or save the table as CSV again"
        ) from error
    if not rows:
        raise DataError(f"{path} has no lines below its header; expected one line per clip")
    return rows


def refuse_repeated(rows: Sequence[TableRow], clips: Sequence[Clip]) -> None:
    """Raise an error if two lines of a table list the same clip.

    Args:
        rows: Lines of the table.
        clips: Clip of each line.

    Raises:
        DataError: A clip is listed twice, with the same label or with different labels.
    """
    first_of: dict[str, tuple[TableRow, Clip]] = {}
    for row, clip in zip(rows, clips, strict=True):
        first_row, first = first_of.setdefault(clip.id, (row, clip))
        if first_row is row:
            continue
        line = first_row.location.rpartition(", ")[2]
        if seen(first.label) != seen(clip.label):
            raise DataError(
                f"{row.location}: {clip.id!r} has label {clip.label!r} here and {first.label!r} on {line}; expected "
                "one label for each clip: remove one of the two lines"
            )
        raise DataError(
            f"{row.location}: {clip.id!r} is already listed on {line}, with the same label; remove one of the two lines"
        )


def _check_header(path: Path | RemotePath, header: list[str], required: Sequence[str], optional: Sequence[str]) -> None:
    lacking = [name for name in required if name not in header]
    if lacking:
        found = ", ".join(repr(name) for name in header if name)
        raise DataError(
            f"{path} has no column {' or '.join(lacking)}: its first line has {found}; expected a header with the "
            f"columns {', '.join([*required, *optional])}, separated by commas"
        )
    doubled = {name for name in header if name and header.count(name) > 1}
    if doubled:
        raise DataError(f"{path} has several columns of the same name, {', '.join(sorted(doubled))}; keep one of each")
