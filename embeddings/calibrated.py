"""Frontends that are calibrated on unlabelled training clips before they extract embeddings.

A calibration is planned first, so that the keys of stores and runs are known without reading audio. It is carried out
when embeddings are computed, and its statistics are kept beside them in `calibration.safetensors`.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..datamodules import AudioDataModule, Clip
from ..datamodules.loader import ClipLoader
from ..errors import AudioError, CheckpointError, DataError, UsageError
from ..files import digest
from ..frontends import Frontend
from ..frontends.calibrating import reads_spectrogram
from ..frontends.planned import Calibration, calibration_of, set_calibration, with_calibration
from ..frontends.trained import load_weights, save_weights
from .provenance import weights_digest

FILE = "calibration.safetensors"
MAX_BATCH = 32  # clips; fixed, because statistics of BatchNorm layers depend on the batches


def plan_calibration(frontend: Frontend, datamodule: AudioDataModule, left_out: int | None = None) -> Frontend:
    """Return a copy of a frontend that will be calibrated on the training clips of a data set.

    Args:
        frontend: Frontend with random weights.
        datamodule: Data set of the clips.
        left_out: Fold whose clips are excluded; by default, no fold is excluded.

    Raises:
        DataError: There are no training clips.
        UsageError: The frontend has nothing to calibrate.
    """
    refuse_uncalibrated(frontend)
    clips = training_clips(datamodule.listed, left_out)
    if not clips:
        raise DataError(
            f"cannot calibrate on {datamodule.dataset_name}: it has no training clips; add some, or set "
            "--model.calibrate false"
        )
    stamps = datamodule.stamps()
    read = digest({"clips": [[clip.id, *stamps[clip.id]] for clip in clips]})[:16]
    return with_calibration(frontend, Calibration(read, tuple(clip.id for clip in clips)))


def training_clips(clips: Sequence[Clip], left_out: int | None = None) -> list[Clip]:
    """Return the clips that a calibration may use.

    They are the train split if there are splits, otherwise all folds except `left_out`.

    Args:
        clips: Clips of a data set.
        left_out: Fold whose clips are excluded; by default, no fold is excluded.
    """
    if any(clip.split for clip in clips):
        return [clip for clip in clips if clip.split == "train"]
    return [clip for clip in clips if left_out is None or clip.fold != left_out]


def can_be_calibrated(frontend: Frontend) -> bool:
    """Return whether a calibration changes anything in a frontend."""
    overrides = type(frontend).calibrate is not Frontend.calibrate
    norms = any(isinstance(module, torch.nn.modules.batchnorm._BatchNorm) for module in frontend.modules())
    return overrides or norms or (reads_spectrogram(frontend) and bool(frontend.network_parameters()))


def refuse_uncalibrated(frontend: Frontend) -> None:
    """Raise if there is nothing to calibrate in a frontend.

    Raises:
        UsageError: It has neither BatchNorm layers nor a network that takes a spectrogram.
    """
    if not can_be_calibrated(frontend):
        raise UsageError(
            f"{type(frontend).__name__} has nothing to calibrate: it has no BatchNorm layers, and no network that "
            "takes a spectrogram; set --model.calibrate false"
        )


def carry_out(
    frontend: Frontend, datamodule: AudioDataModule, store: Path, device: torch.device, *, write: bool, force: bool
) -> None:
    """Carry out the planned calibration of a frontend, in place, or read its result from a store.

    Args:
        frontend: Frontend to calibrate, on the CPU.
        datamodule: Data set of the clips.
        store: Folder of the store of its embeddings.
        device: Device that computes.
        write: Whether this process writes the result to the store.
        force: Whether to calibrate again although the store has a result.

    Raises:
        AudioError: A clip cannot be read, and the datamodule has `on_error="raise"`.
        DataError: The clips have no usable statistics.
    """
    calibration = calibration_of(frontend)
    if calibration is None or calibration.weights:
        return
    path, weights = store / FILE, weights_digest(frontend)
    try:
        known = load_weights(frontend, path) if path.is_file() and not force else None
    except CheckpointError:  # damaged: computed again
        known = None
    if known is not None:
        frontend.load_state_dict(known.state_dict())
        frontend.input_scalars = known.input_scalars
    else:
        try:
            frontend.to(device).calibrate(_Waveforms(datamodule, calibration.ids, frontend.sample_rate))
        except ValueError as error:
            raise DataError(f"{datamodule.dataset_name}: {error}") from error
        finally:
            frontend.to("cpu")
        if write:
            save_weights(frontend, path)
    set_calibration(frontend, replace(calibration, weights=weights))


def ids_to_calibrate_on(frontend: Frontend, store: Path, *, force: bool) -> tuple[str, ...]:
    """Return the ids of the clips that `carry_out` reads; empty if it reads none.

    Args:
        frontend: Frontend whose calibration may be planned.
        store: Folder of the store of its embeddings.
        force: Whether to calibrate again although the store has a result.
    """
    calibration = calibration_of(frontend)
    if calibration is None or calibration.weights or ((store / FILE).is_file() and not force):
        return ()
    return calibration.ids


class _Waveforms:
    """Batches of the waveforms of clips, which can be read several times.

    Args:
        datamodule: Data set of the clips.
        ids: Ids of the clips.
        sample_rate: Sample rate of the waveforms in Hz.
    """

    def __init__(self, datamodule: AudioDataModule, ids: Sequence[str], sample_rate: int) -> None:
        wanted = set(ids)
        clips = [clip for clip in datamodule.listed if clip.id in wanted]
        # In a fixed random order, because clips are listed by class, and a batch must represent all clips.
        self._clips = [clips[index] for index in np.random.default_rng(0).permutation(len(clips))]
        self._datamodule, self._sample_rate = datamodule, sample_rate

    def __iter__(self) -> Iterator[Tensor]:
        n_batches = math.ceil(len(self._clips) / MAX_BATCH)
        # The batch sizes are nearly equal, because a final batch of one clip has no variance.
        size = math.ceil(len(self._clips) / n_batches)
        cache = self._datamodule.waveform_cache
        loader = ClipLoader(self._datamodule.read).load(self._clips, self._sample_rate, size, cache)
        for batch in loader:
            if batch.failed and self._datamodule.on_error == "raise":
                error: AudioError = batch.failed[0][1]
                raise error
            if len(batch.ids):
                yield batch.waveforms
