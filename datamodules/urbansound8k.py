"""UrbanSound8K: ten classes of urban sounds, in the ten folds defined by its authors."""

from pathlib import Path
from typing import Any, Unpack

from ..errors import DataError
from ..files import as_path
from .base import AudioDataModule
from .clip import Clip
from .options import LoaderOptions
from .search import may_exist
from .table import read_table, refuse_repeated

# Path of the table in the original, and in a widespread copy that has the fold folders next to the table.
_TABLES = ("metadata/UrbanSound8K.csv", "UrbanSound8K.csv")


class UrbanSound8K(AudioDataModule):
    """Ten classes of urban sounds, 8732 clips of up to 4 s in ten folds (Salamon et al. 2014).

    The folds are those of the authors, who kept excerpts of one recording in one fold. Scores on other folds cannot be
    compared with published scores. The seed does not affect the folds.

    Args:
        root: Folder that holds `audio/` and `metadata/`.
    """

    default_n_samples = 48_000
    origin = "https://urbansounddataset.weebly.com, from recordings of Freesound"
    licence = "CC BY-NC 3.0"
    citation = (
        "J. Salamon, C. Jacoby and J. P. Bello, A dataset and taxonomy for urban sound research, ACM Multimedia, 2014"
    )

    def __init__(self, root: str, **loader: Unpack[LoaderOptions]) -> None:
        super().__init__(**loader)
        self.root = as_path(root)

    @property
    def source(self) -> dict[str, Any]:
        """Folder that holds the audio, as plain values."""
        return {"datamodule": "urbansound8k", "root": str(self.root.resolve())}

    def clips(self) -> list[Clip]:
        """Return the clips of the table that are present; `notes` names those that are missing.

        Raises:
            DataError: The table or all of its clips are missing.
        """
        table = next((self.root / place for place in _TABLES if (self.root / place).is_file()), None)
        if table is None:
            raise DataError(
                f"UrbanSound8K not found: no {_TABLES[0]} under root={str(self.root)!r}; set --data.root to the "
                "folder that holds audio/ and metadata/"
            )
        audio_root = self.root / "audio" if (self.root / "audio").is_dir() else self.root
        rows = read_table(table, ("slice_file_name", "fold", "class"))
        listed = []
        for row in rows:
            name, fold = row["slice_file_name"].strip(), row.integer("fold")
            if Path(name).name != name:
                found = f"{row.location}: slice_file_name={name!r}"
                raise DataError(f"{found}; expected the name of a file, without folders")
            clip_id = f"fold{fold}/{name}"
            label = row["class"].strip()
            listed.append(Clip(clip_id, label, audio_root / clip_id, fold=fold, metadata=dict(row.cells)))
        refuse_repeated(rows, listed)
        clips = [clip for clip in listed if may_exist(audio_root / clip.id)]
        present = {clip.id for clip in clips}
        absent = [clip.id for clip in listed if clip.id not in present]
        if absent and not clips:
            raise DataError(
                f"UrbanSound8K has no audio under root={str(self.root)!r}: none of the {len(absent)} files of "
                f"{table.name} exists; the first missing one is {absent[0]} in {audio_root}; set --data.root to the "
                "folder that holds audio/ and metadata/"
            )
        self.note_absent(absent, len(clips))
        self.note_absent_classes([clip.label for clip in listed], clips)
        return clips
