"""UrbanSound8K: ten classes of urban sounds in the folds of its authors."""

from pathlib import Path
from typing import Any

from .. import audio
from ..errors import DataError
from .base import AudioDataModule, OnError
from .clip import Clip
from .table import read_table

_TABLE = "metadata/UrbanSound8K.csv"


class UrbanSound8K(AudioDataModule):
    """Ten classes of urban sounds, 8732 clips of up to 4 s in ten folds (Salamon et al. 2014).

    The folds are those of the authors, who kept excerpts of one recording together: scores of other folds cannot be
    compared with published ones.

    Args:
        root: The folder that holds `audio/` and `metadata/`.
        n_samples: Length of every waveform, in samples at the front-end's rate.
        fit_length: What is done with a shorter clip: `repeat` it, or pad it with `zero`s.
        seed: As everywhere; the folds are fixed.
        on_error: Whether a file that cannot be read ends the run (`raise`) or is listed and left out (`skip`).
        batch_size: Clips at a time.
        num_workers: Processes that decode; 0 decodes in this one.
        sample_rate: In Hz; by default the front-end's.
    """

    origin = "Salamon, Jacoby & Bello, from recordings of Freesound; to be had from its authors on request"
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
        if not (self.root / _TABLE).is_file():
            raise DataError(
                f"UrbanSound8K not found: no {_TABLE} under root={str(self.root)!r}; point --data.root at the folder "
                "that holds audio/ and metadata/"
            )
        clips, absent = [], []
        for row in read_table(self.root / _TABLE, ("slice_file_name", "fold", "class")):
            path = Path("audio", f"fold{row.integer('fold')}", row["slice_file_name"])
            if (self.root / path).exists():
                clips.append(
                    Clip(
                        id=path.relative_to("audio").as_posix(),
                        label=row["class"],
                        path=self.root / path,
                        fold=row.integer("fold"),
                        metadata=dict(row.cells),
                    )
                )
            else:
                absent.append(path.as_posix())
        if absent and not clips:
            raise DataError(
                f"UrbanSound8K has no audio under root={str(self.root)!r}: none of the {len(absent)} files of {_TABLE} "
                f"is there, as {absent[0]}; point --data.root at the folder that holds audio/ and metadata/"
            )
        self.note_absent(absent, len(clips))
        return clips
