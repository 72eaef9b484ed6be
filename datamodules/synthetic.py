"""Synthetic data set: audio generated from a seed, so that no files are shipped or downloaded."""

import itertools
import zlib
from pathlib import Path
from typing import Any, Literal, Unpack

import numpy as np
import soundfile

from .. import audio
from ..errors import UsageError
from . import synthesis
from .base import DEFAULT_SAMPLE_RATE, AudioDataModule
from .clip import Clip, Split
from .options import LoaderOptions

Task = Literal["rhythm", "timbre", "events"]
CLASSES = {"rhythm": tuple(synthesis.RHYTHMS), "timbre": synthesis.TIMBRES, "events": synthesis.EVENTS}
# Increment this when a change of the generators changes the audio, so that stored embeddings are computed again.
GENERATOR_VERSION = 1


class Synthetic(AudioDataModule):
    """Procedural audio in three tasks of eight classes, which mirror the three data sets of Pons & Serra (2018).

    - `rhythm` (like Extended Ballroom): drum patterns that differ only in metre, tempo and accents, played by random
      drum kits.
    - `timbre` (like the instruments of GTZAN): types of synthesised instruments that play random melodies at random
      tempi.
    - `events` (like UrbanSound8K): urban-like sounds of 0.5 to 4 s over random background noise.

    Chance level is 12.5 % in each task. Every clip has its own random generator, seeded by task, class, index and seed.
    Reading a clip never fails, so `on_error` has no effect.

    Args:
        task: Task: `rhythm`, `timbre` or `events`.
        clips_per_class: Number of clips of each of the eight classes.
        folds: Number of stratified folds for cross-validation, instead of a split.
        sizes: Numbers of clips for training, for validation, and of one or more test sets, each a multiple of eight,
            instead of `clips_per_class` and `folds`. Test sets have clips of their own, and `metadata["test_set"]`
            counts them from 0.

    Raises:
        UsageError: An argument is invalid, or two exclude each other.

    Example:
        >>> data = Synthetic(task="events", clips_per_class=3)
        >>> len(data.listed), data.listed[0].id
        (24, 'air_conditioner/0000')
        >>> data.read(data.listed[0], sample_rate=12_000).waveform.shape
        (350000,)
    """

    def __init__(
        self,
        task: Task = "rhythm",
        *,
        clips_per_class: int = 20,
        folds: int | None = None,
        sizes: list[int] | None = None,
        **loader: Unpack[LoaderOptions],
    ) -> None:
        super().__init__(**loader)
        if task not in CLASSES:
            raise UsageError(f"task={task!r}; expected one of {', '.join(CLASSES)}")
        if clips_per_class < 1:
            raise UsageError(f"clips_per_class={clips_per_class}; expected an integer of 1 or more")
        self.task, self.clips_per_class, self.folds = task, clips_per_class, folds
        self.sizes = None if sizes is None else _checked_sizes(sizes, len(CLASSES[task]), folds)

    @property
    def dataset_name(self) -> str:
        """Name of the data set and task, such as `synthetic-rhythm`."""
        return f"synthetic-{self.task}"

    @property
    def source(self) -> dict[str, Any]:
        """Arguments that determine the audio, and the version of the generator."""
        return {"datamodule": "synthetic", "task": self.task, "seed": self.seed, "generator": GENERATOR_VERSION}

    def clips(self) -> list[Clip]:
        """Return the clips of the task, with splits or folds."""
        if self.sizes is not None:
            return self._sized(self.sizes)
        clips = [
            Clip(id=f"{label}/{index:04d}", label=label, metadata={"index": index})
            for label in CLASSES[self.task]
            for index in range(self.clips_per_class)
        ]
        return self.divided(clips, self.folds)

    def _sized(self, sizes: list[int]) -> list[Clip]:
        """Return as many clips of each split as wanted; no clip of a class has the index of another."""
        labels = CLASSES[self.task]
        splits: list[Split] = ["train", "validation", *["test"] * (len(sizes) - 2)]  # type: ignore[list-item]
        found = []
        for label in labels:
            indices = itertools.count()
            for place, (split, size) in enumerate(zip(splits, sizes, strict=True)):
                about = {"test_set": place - 2} if split == "test" else {}
                for index in itertools.islice(indices, size // len(labels)):
                    clip = Clip(id=f"{label}/{index:04d}", label=label, split=split, metadata={"index": index, **about})
                    found.append(clip)
        return found

    def read(self, clip: Clip, sample_rate: int) -> audio.Decoded:
        """Generate the waveform of a clip, `(samples_at(sample_rate),)` at `sample_rate` Hz."""
        waveform, _ = self.make(clip, sample_rate)
        return audio.Decoded(
            audio.fit(waveform, self.samples_at(sample_rate), self.fit_length), len(waveform) / sample_rate
        )

    def make(self, clip: Clip, sample_rate: int) -> tuple[audio.Waveform, float | None]:
        """Generate the waveform of a clip at its natural length.

        Args:
            clip: Clip to generate.
            sample_rate: Sample rate of the waveform in Hz.

        Returns:
            The waveform, (n_samples,) float32, and its tempo in beats per minute (None if the task is not `rhythm`).
        """
        identity = f"{self.task}/{clip.label}".encode()
        rng = np.random.default_rng([zlib.crc32(identity), clip.metadata["index"], self.seed])
        seconds = self.samples_at(sample_rate) / sample_rate
        tempo = None
        if self.task == "rhythm":
            waveform, tempo = synthesis.rhythm(clip.label, seconds, sample_rate, rng)
        elif self.task == "timbre":
            waveform = synthesis.timbre(clip.label, seconds, sample_rate, rng)
        else:
            waveform = synthesis.event(clip.label, sample_rate, rng)
        level = 10 ** rng.uniform(-1.5, -0.1)
        return (waveform * (level / (np.abs(waveform).max() + 1e-9))).astype(np.float32), tempo

    def export(self, root: str | Path, sample_rate: int = DEFAULT_SAMPLE_RATE) -> Path:
        """Write the clips of the task as wav files to a folder with one sub-folder per class, for `AudioFolder`.

        Args:
            root: Folder to write to; created if necessary.
            sample_rate: Sample rate of the files in Hz.

        Returns:
            Path of the folder.
        """
        root = Path(root).expanduser()
        for clip in self.listed:
            path = root / f"{clip.id}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, self.make(clip, sample_rate)[0], sample_rate, subtype="PCM_16")
        return root


def _checked_sizes(sizes: list[int], n_classes: int, folds: int | None) -> list[int]:
    """Return the numbers of clips of each split.

    Raises:
        UsageError: They are invalid.
    """
    if folds is not None:
        raise UsageError(f"sizes={sizes} and folds={folds}: give one of them, because sizes sets the splits")
    valid = all(isinstance(size, int) and size > 0 and size % n_classes == 0 for size in sizes)
    if len(sizes) < 3 or not valid:
        raise UsageError(
            f"sizes={sizes}; expected the numbers of clips for training, for validation, and of one or more test sets, "
            f"each a multiple of the {n_classes} classes, such as [160, 80, 320]"
        )
    return sizes
