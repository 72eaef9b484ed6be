"""The built-in data set: sounds made by seeded generators, so that nothing is shipped or downloaded."""

import zlib
from pathlib import Path
from typing import Any, Literal, Unpack

import numpy as np
import soundfile

from .. import audio
from ..errors import UsageError
from . import synthesis
from .base import DEFAULT_SAMPLE_RATE, AudioDataModule
from .clip import Clip
from .loader import LoaderOptions

Task = Literal["rhythm", "timbre", "events"]
CLASSES = {"rhythm": tuple(synthesis.RHYTHMS), "timbre": synthesis.TIMBRES, "events": synthesis.EVENTS}
# Increment it when a change of the generators changes the sounds, so that stored embeddings are computed again.
GENERATOR_VERSION = 1


class Synthetic(AudioDataModule):
    """Procedural audio in three tasks of eight classes, which mirror the three data sets of Pons & Serra (2018).

    `rhythm` (like Extended Ballroom): patterns that differ only in metre, tempo and accents, played by random kits.
    `timbre` (like the instruments of GTZAN): families of synthesis that play random melodies at random tempi. `events`
    (like UrbanSound8K): urban-like sounds of 0.5 to 4 s over a random background. Chance level is 12.5 % in each task.

    Every clip has its own generator, seeded by task, class, index and seed. No clip fails, so `on_error` has no effect.

    Args:
        task: Name of the task: `rhythm`, `timbre` or `events`.
        clips_per_class: Number of clips of each of the eight classes.
        folds: Number of stratified folds for cross-validation, instead of a split.

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
        **loader: Unpack[LoaderOptions],
    ) -> None:
        super().__init__(**loader)
        if task not in CLASSES:
            raise UsageError(f"task={task!r}; expected one of {', '.join(CLASSES)}")
        if clips_per_class < 1:
            raise UsageError(f"clips_per_class={clips_per_class}; expected an integer of 1 or more")
        self.task, self.clips_per_class, self.folds = task, clips_per_class, folds

    @property
    def dataset_name(self) -> str:
        """Kind and task, such as `synthetic-rhythm`."""
        return f"synthetic-{self.task}"

    @property
    def source(self) -> dict[str, Any]:
        """Arguments of the generator, which identify the sounds."""
        return {"datamodule": "synthetic", "task": self.task, "seed": self.seed, "generator": GENERATOR_VERSION}

    def clips(self) -> list[Clip]:
        """Return the clips of the task, with splits or folds."""
        clips = [
            Clip(id=f"{label}/{index:04d}", label=label, metadata={"index": index})
            for label in CLASSES[self.task]
            for index in range(self.clips_per_class)
        ]
        return self.divided(clips, self.folds)

    def read(self, clip: Clip, sample_rate: int) -> audio.Decoded:
        """Make the sound of a clip, `(samples_at(sample_rate),)` at `sample_rate` Hz."""
        waveform, _ = self.make(clip, sample_rate)
        return audio.Decoded(
            audio.fit(waveform, self.samples_at(sample_rate), self.fit_length), len(waveform) / sample_rate
        )

    def make(self, clip: Clip, sample_rate: int) -> tuple[audio.Waveform, float | None]:
        """Make a clip's sound at its own length; return it with its tempo in beats per minute, None if no rhythm."""
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
        """Write the task as a folder of wav files, one sub-folder per class, as `AudioFolder` reads it.

        Args:
            root: Folder to write to; created if necessary.
            sample_rate: Rate of the files in Hz.

        Returns:
            The folder.
        """
        root = Path(root).expanduser()
        for clip in self.listed:
            path = root / f"{clip.id}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, self.make(clip, sample_rate)[0], sample_rate, subtype="PCM_16")
        return root
