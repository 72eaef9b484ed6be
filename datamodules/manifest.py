"""Datamodule for your own data in a table: a CSV file with the path and the label of each clip."""

import os
from pathlib import Path
from typing import Any, Unpack

from ..audio.remote import RemotePath
from ..errors import DataError
from .base import AudioDataModule
from .clip import SPLIT_NAMES, Clip
from .folder import id_of
from .labels import seen
from .loader import LoaderOptions
from .remote import as_place, located
from .remote_files import stamped
from .table import TableRow, read_table, refuse_repeated

_KNOWN = ("path", "label", "split", "fold", "group")


class Manifest(AudioDataModule):
    """CSV file with one line per clip and the columns `path`, `label` and optionally `split`, `fold` and `group`.

    Embeddings need no labels: `predict` also accepts a table without the column `label`.

    Splits are `train`, `validation` (or `val`) and `test`; folds are whole numbers. If neither is given, clips are
    assigned at random, reproducibly for a seed: to splits within each class, or to folds if `folds` is given. Clips of
    one group are excerpts of one recording, and are kept in one split or fold. Other columns are kept as metadata.

    Args:
        path: CSV file in UTF-8, with a header. It may be a URL, and its paths may be URLs.
        root: Folder that relative paths are relative to, or the URL of one; paths outside it are rejected. By default,
            the folder of the CSV file.
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
        """Name of the CSV file, without its suffix."""
        return id_of(Path(self.path.stem))

    @property
    def source(self) -> dict[str, Any]:
        """Folder that relative paths are relative to, as plain values."""
        return {"datamodule": "manifest", "root": str(self.root.resolve())}

    def clips(self) -> list[Clip]:
        """Return one clip per line.

        Raises:
            DataError: The file is not a valid manifest; the message names the line.
        """
        rows = read_table(self.path, ("path",), ("label",))
        clips = stamped([self._clip(row) for row in rows])
        refuse_repeated(rows, clips)
        if "label" not in rows[0].cells:
            found = ", ".join(map(repr, rows[0].cells))
            self.labelled_by = f"{self.path} has no column label: its first line has {found}"
        for name in ("label", "split", "fold"):
            given = [getattr(clip, name) not in (None, "") for clip in clips]
            if any(given) and not all(given):
                lacking = rows[given.index(False)]
                raise DataError(
                    f"{lacking.location}: no {name}, but other lines have one; give a {name} for all clips or for none"
                )
        splits = {clip.split for clip in clips}
        if splits != {None} and not {"train", "test"} <= splits and all(clip.fold is None for clip in clips):
            raise DataError(
                f"{self.path}: its splits are {', '.join(sorted(filter(None, splits)))}; expected train and test, "
                "optionally validation, or no splits"
            )
        if any(clip.split or clip.fold is not None for clip in clips):
            if self.folds is not None:
                raise DataError(f"{self.path} already has splits or folds; leave out --data.folds={self.folds}")
            return clips
        return self.divided(clips, self.folds)

    def _clip(self, row: TableRow) -> Clip:
        clip_id, path = self._path(row)
        label = row.cells.get("label", "").strip()
        split = seen(row.cells.get("split", "")).lower()
        if split and split not in SPLIT_NAMES:
            raise DataError(f"{row.location}: split={split!r}; expected train, validation or test")
        return Clip(
            id=clip_id,
            label=label if seen(label) else "",
            path=path,
            split=SPLIT_NAMES[split] if split else None,
            fold=row.integer("fold") if row.cells.get("fold", "").strip() else None,
            group=row.cells.get("group", "").strip() or None,
            metadata={name: value for name, value in row.cells.items() if name not in _KNOWN},
        )

    def _path(self, row: TableRow) -> tuple[str, Path | RemotePath]:
        """Return the id and path of a clip; the id is relative to the root if the file is inside the root."""
        written, found = row["path"], located(row["path"], self.root, self.path, row.location)
        if found is not None:
            return found
        assert isinstance(self.root, Path)  # all paths below a remote root are located
        if not os.path.exists(self.root / written):  # unlike Path.exists, never raises for an invalid name
            written = written.strip()
        given = Path(os.path.normpath(written))
        if not given.is_absolute():
            if given.parts[:1] == ("..",):
                raise DataError(
                    f"{row.location}: path={row['path']!r} is outside root={str(self.root)!r}; set --data.root to the "
                    "folder above, or write an absolute path"
                )
            return id_of(given), self.root / given
        root = Path(os.path.abspath(self.root))
        inside = given.relative_to(root) if given.is_relative_to(root) else given
        return id_of(inside), self.root / inside
