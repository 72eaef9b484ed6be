"""Labelling of audio files by a fitted probe.

This module does not use the loops of Lightning, because importing Lightning takes longer than labelling a few files.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .. import audio
from ..backends import Backend
from ..datamodules import Clip
from ..datamodules.loader import ClipLoader
from ..datamodules.machine import Auto, plan_loading
from ..errors import UsageError
from ..frontends import Frontend
from ..frontends.outputs import embed
from ..frontends.precision import float32_products
from .calibration import label as label_with_scores
from .calibration import probabilities
from .guard import was_fitted_to
from .recipe import Recipe


@dataclass(frozen=True)
class Labelled:
    """An audio file with its predicted label.

    Args:
        path: Path of the file, as the user wrote it.
        label: Name of the predicted class; empty if the file cannot be used.
        scores: Score of each class that the backend was fitted to; the label has the highest score. Empty if the
            backend predicts labels only.
        kind: Kind of the scores, such as `calibrated probability` or `decision value`.
        error: Reason why the file cannot be used; empty if the file was labelled.
        seconds: Duration of the whole file, in s; 0 if the file cannot be used.
        used_to_fit: Whether the probe was fitted to the audio of this file.
    """

    path: str
    label: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    kind: str = ""
    error: str = ""
    seconds: float = 0.0
    used_to_fit: bool = False


def label_sounds(
    frontend: Frontend,
    backend: Backend,
    recipe: Recipe,
    sounds: Sequence[Labelled],
    *,
    accelerator: str = "auto",
    batch_size: int | Auto = "auto",
    num_workers: int | Auto = "auto",
) -> Iterator[Labelled]:
    """Label audio files.

    Args:
        frontend: Frontend of a fitted probe.
        backend: Backend of the probe.
        recipe: Recipe of the probe.
        sounds: Files to label; files with an error are yielded unchanged.
        accelerator: Device that the frontend runs on: `cpu`, `gpu`, `cuda`, `mps`, or `auto`, which means a GPU if one
            is available.
        batch_size: Number of files in a batch; `auto` chooses it as for a data set.
        num_workers: Number of worker processes that decode; 0 decodes in this process, `auto` chooses the number as for
            a data set.

    Yields:
        Files with their labels, in the same order.

    Raises:
        UsageError: The accelerator is unknown or not available.
    """
    device = _device(accelerator)
    columns = frontend.columns(recipe.layers)
    frontend.to(device)
    clips = [Clip(id=sound.path, label="") for sound in sounds if not sound.error]
    read = partial(_read, n_samples=recipe.n_samples, fit_length=recipe.fit_length)
    with float32_products(tf32=recipe.tf32):
        n_files, n_workers = plan_loading(
            batch_size,
            num_workers,
            n_clips=len(clips),
            n_samples=recipe.n_samples,
            device=device,
            forward=frontend,
        )
    batches = iter(ClipLoader(read, n_workers).load(clips, recipe.sample_rate, n_files))
    labelled: dict[str, Labelled] = {}
    learned = frozenset(recipe.fitted_to)
    for sound in sounds:
        while not sound.error and sound.path not in labelled:
            batch = next(batches)
            labelled |= {path: Labelled(path, error=error.reason) for path, error in batch.failed}
            if batch.ids:
                with torch.inference_mode(), float32_products(tf32=recipe.tf32):
                    embeddings = embed(frontend, batch.waveforms.to(device))[:, columns].float().cpu().numpy()
                found = _label_embeddings(batch.ids, embeddings, backend, recipe)
                for path, seconds, digests in zip(batch.ids, batch.seconds, batch.digests, strict=True):
                    used = not found[path].error and was_fitted_to(learned, path, digests.audio)
                    labelled[path] = replace(found[path], seconds=seconds, used_to_fit=used)
        yield sound if sound.error else labelled.pop(sound.path)


def _device(accelerator: str) -> torch.device:
    """Return the device for the name of an accelerator.

    Raises:
        UsageError: The accelerator is unknown or not available.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    wanted = {"auto": list(available), "gpu": ["cuda", "mps"], **{name: [name] for name in available}}.get(accelerator)
    if wanted is None:
        raise UsageError(f"--accelerator {accelerator}: unknown; expected auto, cpu, gpu, cuda or mps")
    found = next((name for name in wanted if available[name]), None)
    if found is None:
        raise UsageError(f"--accelerator {accelerator}: PyTorch finds no such device on this machine; use cpu")
    return torch.device(found)


def _read(clip: Clip, sample_rate: int, *, n_samples: int, fit_length: audio.FitLength) -> audio.Decoded:
    return audio.load(clip.id, sample_rate=sample_rate, n_samples=n_samples, fit_length=fit_length)


def _label_embeddings(
    paths: Sequence[str], embeddings: NDArray[Any], backend: Backend, recipe: Recipe
) -> dict[str, Labelled]:
    """Return the labelled files for embeddings, by path."""
    finite = np.isfinite(embeddings).all(axis=1)
    odd = [path for path, is_finite in zip(paths, finite, strict=True) if not is_finite]
    labelled = {path: Labelled(path, error="its embedding is not finite") for path in odd}
    paths = [path for path in paths if path not in labelled]
    if paths:
        class_names, factor = recipe.class_names, recipe.inverse_temperature
        labels, scores, kind = label_with_scores(backend, embeddings[finite])
        if scores is not None and factor is not None:
            scores, kind = probabilities(scores, kind, factor, recipe.smoothing), "calibrated probability"
        known = [] if scores is None else [class_names[label] for label in backend.classes_]
        values = [[]] * len(paths) if scores is None else scores.tolist()
        names = [class_names[label] for label in labels]
        for path, label, row in zip(paths, names, values, strict=True):
            labelled[path] = Labelled(path, label, dict(zip(known, row, strict=True)), kind)
    return labelled
