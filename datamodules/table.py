"""Table of clips in columns, and a reader of CSV files that reports every error with its line."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .. import terminal
from ..audio.remote import RemotePath
from ..errors import DataError
from .clip import Clip
from .codes import Codes
from .labels import seen
from .listing import Clips
from .remote_files import read_bytes

_CHUNK = 8192  # lines that are objects at the same time


@dataclass(frozen=True)
class TableRow:
    """Line of a table.

    Args:
        location: File and line, for messages.
        cells: Cell of each column, by the name of the column.
        unit: What the table calls a row, for messages.
    """

    location: str
    cells: dict[str, str]
    unit: str = "line"

    def __getitem__(self, name: str) -> str:
        """Return a cell that must not be empty.

        Raises:
            DataError: The cell is empty.
        """
        if not self.cells[name].strip():
            raise DataError(f"{self.location}: {name} is empty; expected a {name} in every {self.unit}")
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


@dataclass(frozen=True, eq=False, repr=False)
class Table(Sequence[TableRow]):
    """Rows of a table, held as columns of text.

    Args:
        path: File of the table, for messages.
        columns: Cells of each column, as Arrow arrays of type `large_string`, by name.
        numbers: Number of the line of each row, `(n_rows,)`.
        unit: What the file calls a row: `line` or `row`.
    """

    path: Path | RemotePath
    columns: Mapping[str, pa.Array]
    numbers: NDArray[np.int64]
    unit: str = "line"

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> TableRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[TableRow]: ...
    def __getitem__(self, index: int | slice) -> TableRow | list[TableRow]:
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        position = range(len(self))[index]
        cells = {name: column[position].as_py() for name, column in self.columns.items()}
        return TableRow(f"{self.path}, {self.unit} {self.numbers[position]}", cells, self.unit)

    @property
    def header(self) -> str:
        """Names of the columns, for messages."""
        what = "its first line has" if self.unit == "line" else "its columns are"
        return f"{what} {', '.join(map(repr, self.columns))}"

    def coded(self, name: str) -> Codes:
        """Return a column of few different cells; empty cells if there is no such column."""
        if name not in self.columns:
            return Codes.same("", len(self))
        encoded = self.columns[name].dictionary_encode()
        return Codes(encoded.indices.to_numpy().astype(np.int32), tuple(encoded.dictionary.to_pylist()))

    def cells(self, name: str) -> Iterator[str]:
        """Yield the cells of a column."""
        for start in range(0, len(self), _CHUNK):
            yield from self.columns[name][start : start + _CHUNK].to_pylist()


def read_table(path: Path | RemotePath, required: Sequence[str], optional: Sequence[str] = ()) -> Table:
    """Read a CSV file with a header: UTF-8 with or without a byte order mark, any line endings, blank lines skipped.

    Args:
        path: CSV file, local or remote.
        required: Names of columns that the file must have. Names in the header are converted to lower case and stripped
            of spaces. Columns without a name are left out.
        optional: Names of further columns to mention in error messages.

    Raises:
        DataError: The file does not exist or is not a valid table.
    """
    require_file(path, [*required, *optional])
    content = read_bytes(path) if isinstance(path, RemotePath) else path.read_bytes()
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text ({error}); save it as CSV in UTF-8") from error
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", newline=""), strict=True)
    rows: list[list[str]] = []
    numbers: list[int] = []
    blocks: list[pa.Table] = []
    header: list[str] = []
    width = 0  # number of columns up to the last one with a name
    start = 1
    try:
        with terminal.bar(f"reading {path}", None) as advance:
            for cells in reader:
                number, start = start, reader.line_num + 1
                if not any(cell.strip() for cell in cells):
                    continue
                if not header:
                    header = [seen(cell).lower() for cell in cells]
                    check_header(path, header, required, optional)
                    width = len(header)
                    while not header[width - 1]:
                        width -= 1  # spreadsheets add empty columns
                elif len(cells) < width or any(cell.strip() for cell in cells[len(header) :]):
                    raise DataError(
                        f"{path}, line {number}: {len(cells)} cells, but the header has {len(header)} columns; put "
                        'cells that contain a comma in "quotes"'
                    )
                else:
                    rows.append(cells)
                    numbers.append(number)
                    if len(rows) == _CHUNK:
                        blocks.append(_block(header, rows, numbers))
                        rows, numbers = [], []
                        advance(_CHUNK)
    except csv.Error as error:
        raise DataError(
            f"{path}, line {reader.line_num}: {error}; correct it, or save the table as CSV again"
        ) from error
    if not rows and not blocks:
        raise DataError(f"{path} has no lines below its header; expected one line per clip")
    whole = pa.concat_tables([*blocks, _block(header, rows, numbers)]).combine_chunks()
    *columns, lines = (column.chunk(0) for column in whole.columns)
    return Table(path, dict(zip(filter(None, header), columns, strict=True)), lines.to_numpy())


def _block(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> pa.Table:
    """Return the named columns of some lines, and the numbers of the lines as a last column."""
    named = [position for position, name in enumerate(header) if name]
    columns = [pa.array([cells[position] for cells in rows], pa.large_string()) for position in named]
    return pa.Table.from_arrays(
        [*columns, pa.array(numbers, pa.int64())], names=[*(header[position] for position in named), ""]
    )


def require_file(path: Path | RemotePath, columns: Sequence[str]) -> None:
    """Raise an error if a local table does not exist.

    Args:
        path: File of the table.
        columns: Names of its columns, for the message.

    Raises:
        DataError: The path is not a file.
    """
    if isinstance(path, Path) and not path.is_file():
        found = "a folder" if path.is_dir() else "nothing"
        raise DataError(f"no table at {path} (found {found}); give a CSV file with the columns {', '.join(columns)}")


def refuse_repeated(rows: Sequence[TableRow], clips: Sequence[Clip]) -> None:
    """Raise an error if two lines of a table list the same clip.

    Args:
        rows: Lines of the table.
        clips: Clip of each line.

    Raises:
        DataError: A clip is listed twice, with the same label or with different labels.
    """
    if not Clips.of(clips).has_repeated_ids:
        return
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


def check_header(
    path: Path | RemotePath, header: Sequence[str], required: Sequence[str], optional: Sequence[str], unit: str = "line"
) -> None:
    """Raise an error if a table lacks a column, or has one twice.

    Args:
        path: File of the table, for messages.
        header: Names of the columns that it has.
        required: Names of the columns that it must have.
        optional: Names of further columns to mention in messages.
        unit: What the file calls a row: `line` if its first line is the header.

    Raises:
        DataError: A column is missing, or several have the same name.
    """
    lacking = [name for name in required if name not in header]
    if lacking:
        found = ", ".join(repr(name) for name in header if name)
        is_text = unit == "line"
        raise DataError(
            f"{path} has no column {' or '.join(lacking)}: {'its first line has' if is_text else 'its columns are'} "
            f"{found}; expected {'a header with ' if is_text else ''}the columns {', '.join([*required, *optional])}"
            f"{', separated by commas' if is_text else ''}"
        )
    doubled = {name for name in header if name and header.count(name) > 1}
    if doubled:
        raise DataError(f"{path} has several columns of the same name, {', '.join(sorted(doubled))}; keep one of each")
