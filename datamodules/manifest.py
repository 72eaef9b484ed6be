"""Datamodule for your own data in a table: a CSV or Parquet file with the path and the label of each clip."""

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Unpack

from ..audio.remote import RemotePath, is_remote
from ..errors import DataError
from .base import AudioDataModule
from .clip import SPLIT_NAMES, Clip
from .folder import id_of
from .labels import seen
from .listing import Clips, column, release_memory, text_column
from .options import LoaderOptions
from .parquet import read_parquet
from .remote import as_place, located
from .remote_files import with_stamps
from .table import Table, TableRow, read_table, refuse_repeated

_KNOWN = ("path", "label", "split", "fold", "group")


class Manifest(AudioDataModule):
    """CSV or Parquet file, one row per clip, with the columns `path`, `label`, optionally `split`, `fold`, `group`.

    Embeddings need no labels: `predict` also accepts a table without the column `label`.

    Splits are `train`, `validation` (or `val`) and `test`; folds are whole numbers. If neither is given, clips are
    assigned at random, reproducibly for a seed: to splits within each class, or to folds if `folds` is given. Clips of
    one group are excerpts of one recording, and are kept in one split or fold. Other columns are kept as metadata.

    Args:
        path: CSV file in UTF-8, with a header, or Parquet file (`.parquet`). It may be a URL, as may its paths.
        root: Folder that relative paths are relative to, or the URL of one; paths outside it are rejected. By default,
            the folder of the table.
        folds: Number of stratified folds for cross-validation, if the file gives neither splits nor folds.
    """

    def __init__(
        self,
        path: str,
        root: str | None = None,
        *,
        folds: int | None = None,
        **loader: Unpack[LoaderOptions],
    ) -> None:
        super().__init__(**loader)
        self.path = as_place(path, "--data.path")
        self.root = as_place(root) if root is not None else self.path.parent
        self.folds, self.labelled_by = folds, f"the column label of {self.path} gives the class"

    @property
    def dataset_name(self) -> str:
        """Name of the table, without its suffix."""
        return id_of(Path(self.path.stem))

    @property
    def source(self) -> dict[str, Any]:
        """Folder that relative paths are relative to, as plain values."""
        return {"datamodule": "manifest", "root": str(self.root.resolve())}

    def clips(self) -> Sequence[Clip]:
        """Return one clip per row.

        Raises:
            DataError: The file is not a valid manifest; the message names the row.
        """
        table = (read_parquet if self.path.suffix.lower() == ".parquet" else read_table)(
            self.path, ("path",), ("label",)
        )
        release_memory()
        clips = self._clips(table)
        refuse_repeated(table, clips)
        release_memory()
        if "label" not in table.columns:
            self.labelled_by = f"{self.path} has no column label: {table.header}"
        for name in ("label", "split", "fold"):
            given = column(clips, name).where(lambda value: value not in (None, ""))
            if given.any() and not given.all():
                where = table[int(given.argmin())].location
                raise DataError(
                    f"{where}: no {name}, but other {table.unit}s have one; give a {name} for all clips or for none"
                )
        splits = set(clips.splits.counts())
        has_folds = clips.folds.counts().keys() != {None}
        if splits != {None} and not {"train", "test"} <= splits and not has_folds:
            raise DataError(
                f"{self.path}: its splits are {', '.join(sorted(filter(None, splits)))}; expected train and test, "
                "optionally validation, or no splits"
            )
        if splits != {None} or has_folds:
            if self.folds is not None:
                raise DataError(f"{self.path} already has splits or folds; leave out --data.folds={self.folds}")
            return clips
        return self.divided(clips, self.folds)

    def _clips(self, table: Table) -> Clips:
        """Return the clip of each row.

        Raises:
            DataError: A cell is not valid; the message names the first row with such a cell.
        """
        splits = table.coded("split").mapped(lambda cell: seen(cell).lower())
        folds = table.coded("fold")
        is_odd = splits.where(lambda split: split and split not in SPLIT_NAMES) | folds.where(_is_no_fold)
        n_sound = int(is_odd.argmax()) if is_odd.any() else len(table)
        elsewhere: dict[int, Path | RemotePath] = {}
        ids = text_column(self._ids(table, n_sound + 1, elsewhere))
        if n_sound < len(table):
            row = table[n_sound]
            if split := splits[n_sound]:
                _refuse_unknown(row, split)
            row.integer("fold")
        return Clips(
            ids,
            labels=table.coded("label").mapped(lambda cell: cell.strip() if seen(cell) else ""),
            splits=splits.mapped(lambda split: SPLIT_NAMES[split] if split else None),
            folds=folds.mapped(lambda cell: int(cell) if cell.strip() else None),
            groups=table.coded("group").mapped(lambda cell: cell.strip() or None),
            root=self.root,
            paths=_with_stamps(elsewhere),
            columns={name: cells for name, cells in table.columns.items() if name not in _KNOWN},
        )

    def _ids(self, table: Table, n_rows: int, elsewhere: dict[int, Path | RemotePath]) -> Iterator[str]:
        """Yield the id of the clip of each of the first rows, and add paths that are not local ones below the root.

        The id is the path relative to the root if the file is inside the root, otherwise the absolute path or URL.
        """
        is_local = isinstance(self.root, Path) and isinstance(self.path, Path)
        inside = os.path.join(os.path.abspath(self.root), "") if isinstance(self.root, Path) else ""
        for position, written in enumerate(itertools.islice(table.cells("path"), n_rows)):
            stripped = written.strip()
            if not stripped:
                table[position]["path"]  # raises
            if not is_local or is_remote(stripped):
                found = located(written, self.root, self.path, table[position].location)
                if found is not None:
                    clip_id, elsewhere[position] = found
                    yield clip_id
                    continue
            # Unlike Path.exists, os.path.exists never raises for an invalid name.
            kept = (
                written if written != stripped and os.path.exists(os.path.join(str(self.root), written)) else stripped
            )
            path = os.path.normpath(kept)
            if os.path.isabs(path):
                path = path[len(inside) :] or "." if os.path.join(path, "").startswith(inside) else path
            elif path == ".." or path.startswith(f"..{os.sep}"):
                raise DataError(
                    f"{table[position].location}: path={written!r} is outside root={str(self.root)!r}; set --data.root "
                    "to the folder above, or write an absolute path"
                )
            yield path.replace(os.sep, "/")


def _with_stamps(paths: Mapping[int, Path | RemotePath]) -> dict[int, Path | RemotePath]:
    """Return paths with the size and time of each remote file."""
    remote = {position: path for position, path in paths.items() if isinstance(path, RemotePath)}
    return {**paths, **dict(zip(remote, with_stamps(list(remote.values())), strict=True))}


def _is_no_fold(cell: str) -> bool:
    """Return whether a cell is neither empty nor a whole number."""
    try:
        int(cell or "0")
    except ValueError:
        return bool(cell.strip())
    return False


def _refuse_unknown(row: TableRow, split: str) -> None:
    if split not in SPLIT_NAMES:
        raise DataError(f"{row.location}: split={split!r}; expected train, validation or test")
