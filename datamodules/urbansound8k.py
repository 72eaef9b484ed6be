"""UrbanSound8K: ten classes of urban sounds in the folds of its authors."""

from pathlib import Path
from typing import Any

from .. import audio
from ..errors import DataError
from .base import AudioDataModule, OnError
from .clip import Clip
from .table import read_table

# The original, and a widespread copy, which has the folders of the folds beside the table.
_TABLES = ("metadata/UrbanSound8K.csv", "UrbanSound8K.csv")


class UrbanSound8K(AudioDataModule):
    """Ten classes of urban sounds, 8732 clips of up to 4 s in ten folds (Salamon et al. 2014).

    The folds are those of the authors, who kept excerpts of one recording together: scores of other folds cannot be
    compared with published ones.

    Args:
        root: The folder that holds `audio/` and `metadata/`.
        n_samples: Length of every waveform, in samples at the frontend's rate.
        fit_length: What is done with a shorter clip: `repeat` it, or pad it with zeros (`zero`).
        seed: As everywhere; the folds are fixed.
        on_error: Whether a file that cannot be read ends the run (`raise`) or is listed and left out (`skip`).
        batch_size: Clips at a time.
        num_workers: Processes that decode; 0 decodes in this one.
        sample_rate: In Hz; by default the frontend's.
    """

    origin = "https://urbansounddataset.weebly.com, from recordings of Freesound"
    licence = "CC BY-NC 3.0"
    citation = (
        "J. Salamon, C. Jacoby and J. P. Bello, A dataset and taxonomy for urban sound research, ACM Multimedia, 2014"
    )

    def __init__(
        self,
        root: str,
        *,
        n_samples: int = 48_000,
        fit_length: audio.FitLength = "repeat",
        seed: int = 0,
        on_error: OnError = "raise",
        batch_size: int = 8,
        num_workers: int = 0,
        sample_rate: int | None = None,
    ) -> None:
        super().__init__(
            n_samples=n_samples,
            fit_length=fit_length,
            seed=seed,
            on_error=on_error,
            batch_size=batch_size,
            num_workers=num_workers,
            sample_rate=sample_rate,
        )
        self.root = Path(root).expanduser()

    @property
    def source(self) -> dict[str, Any]:
        """The folder itself."""
        return {"datamodule": "urbansound8k", "root": str(self.root.resolve())}

    def clips(self) -> list[Clip]:
        """The clips of the table that are there; `notes` name those that are not.

        Raises:
            DataError: There is no table, or none of its clips.
        """
        table = next((self.root / place for place in _TABLES if (self.root / place).is_file()), None)
        if table is None:
            raise DataError(
                f"UrbanSound8K not found: no {_TABLES[0]} under root={str(self.root)!r}; point --data.root at the "
                "folder that holds audio/ and metadata/"
            )
        audio_root = self.root / "audio" if (self.root / "audio").is_dir() else self.root
        clips, absent = [], []
        place_of: dict[str, str] = {}
        for row in read_table(table, ("slice_file_name", "fold", "class")):
            name, fold = row["slice_file_name"].strip(), row.integer("fold")
            if Path(name).name != name:
                raise DataError(f"{row.place}: slice_file_name={name!r}; expected the name of a file, without folders")
            clip_id = f"fold{fold}/{name}"
            if place_of.setdefault(clip_id, row.place) != row.place:
                raise DataError(f"{row.place}: {clip_id} stands on line {place_of[clip_id].split()[-1]} already")
            if (audio_root / clip_id).exists():
                label = row["class"].strip()
                clips.append(Clip(clip_id, label, audio_root / clip_id, fold=fold, metadata=dict(row.cells)))
            else:
                absent.append(clip_id)
        if absent and not clips:
            raise DataError(
                f"UrbanSound8K has no audio under root={str(self.root)!r}: none of the {len(absent)} files of "
                f"{table.name} is there, as {absent[0]} in {audio_root}; point --data.root at the folder that holds "
                "audio/ and metadata/"
            )
        self.note_absent(absent, len(clips))
        return clips
