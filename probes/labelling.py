"""Labels of audio files from a fitted probe."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from pytorch_lightning import Trainer
from pytorch_lightning.utilities.exceptions import MisconfigurationException  # type: ignore[attr-defined]

from .. import audio
from ..datamodules import Clip
from ..datamodules.loader import Batch, ClipLoader
from ..datamodules.machine import Auto, plan_loading
from ..errors import UsageError
from .checkpoint import Recipe
from .probe import Probe


@dataclass(frozen=True)
class Labelled:
    """A sound with the label that a probe gives it.

    Args:
        path: Path of the file, as the user wrote it.
        label: Name of the class; empty if the file cannot be used.
        scores: Score of each class that the backend knows, higher is likelier; empty if it predicts labels only.
        kind: Kind of the scores, such as `probability` or `decision value`.
        error: Reason why the file cannot be used; empty if it can.
    """

    path: str
    label: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    kind: str = ""
    error: str = ""


def label_sounds(
    probe: Probe,
    recipe: Recipe,
    sounds: Sequence[Labelled],
    *,
    accelerator: str = "auto",
    batch_size: int | Auto = "auto",
    num_workers: int | Auto = "auto",
) -> Iterator[Labelled]:
    """Label audio files.

    Args:
        probe: Fitted probe.
        recipe: Everything that the probe was made of.
        sounds: Files to label; those with an error are yielded unchanged.
        accelerator: Lightning's name of the device that the frontend runs on.
        batch_size: Number of files in a batch; `auto` is chosen as for a data set.
        num_workers: Number of processes that decode; 0 decodes in this one, `auto` is chosen as for a data set.

    Yields:
        The sounds with their labels, in the same order.

    Raises:
        UsageError: This machine has no such accelerator.
    """
    try:
        probe.to(Trainer(accelerator=accelerator, devices=1, logger=False).strategy.root_device)
    except (ValueError, MisconfigurationException) as error:
        raise UsageError(f"--accelerator {accelerator}: {error}") from error
    clips = [Clip(id=sound.path, label="") for sound in sounds if not sound.error]
    read = partial(_read, n_samples=recipe.n_samples, fit_length=recipe.fit_length)
    n_files, n_workers = plan_loading(
        batch_size,
        num_workers,
        n_clips=len(clips),
        n_samples=recipe.n_samples,
        device=probe.device,
        forward=probe,
    )
    batches = iter(ClipLoader(read, n_workers).load(clips, recipe.sample_rate, n_files))
    labelled: dict[str, Labelled] = {}
    for sound in sounds:
        while not sound.error and sound.path not in labelled:
            labelled |= _label_batch(next(batches), probe, recipe.class_names)
        yield sound if sound.error else labelled.pop(sound.path)


def _read(clip: Clip, sample_rate: int, *, n_samples: int, fit_length: audio.FitLength) -> audio.Decoded:
    return audio.load(clip.id, sample_rate=sample_rate, n_samples=n_samples, fit_length=fit_length)


def _label_batch(batch: Batch, probe: Probe, class_names: Sequence[str]) -> dict[str, Labelled]:
    """Return the sounds of a batch with their labels, by path."""
    labelled = {path: Labelled(path, error=error.reason) for path, error in batch.failed}
    if not batch.ids:
        return labelled
    with torch.inference_mode():
        embeddings = probe(batch.waveforms.to(probe.device)).float().cpu().numpy()
    finite = np.isfinite(embeddings).all(axis=1)
    odd = [path for path, is_finite in zip(batch.ids, finite, strict=True) if not is_finite]
    labelled |= {path: Labelled(path, error="its embedding is not finite") for path in odd}
    paths = [path for path in batch.ids if path not in labelled]
    if paths:
        backend = probe.require_backend()
        labels = [class_names[label] for label in backend.predict(embeddings[finite])]
        scores = backend.class_scores(embeddings[finite])
        values, kind = scores or (np.zeros((len(paths), 0)), "")
        known = [class_names[label] for label in backend.classes_] if scores else []
        for path, label, row in zip(paths, labels, values.tolist(), strict=True):
            labelled[path] = Labelled(path, label, dict(zip(known, row, strict=True)), kind)
    return labelled
