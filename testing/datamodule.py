"""Requirements of the contract of a datamodule, one function for each, in the order in which they are checked."""

import copy
import json
from multiprocessing.reduction import ForkingPickler
from pathlib import PurePosixPath

import numpy as np

from ..backends.base import Array
from ..datamodules import AudioDataModule, Clip
from ..datamodules.base import DEFAULT_SAMPLE_RATE
from ..datamodules.clip import SPLITS
from ..errors import ContractError
from ..probes.selection import resolve

_MOST_READ = 5


def has_a_docstring(datamodule: AudioDataModule) -> None:
    """Has a docstring whose first line describes it."""
    if not (vars(type(datamodule)).get("__doc__") or "").strip():
        raise ContractError(
            f"{type(datamodule).__name__} has no docstring; add one, whose first line `untrained list` shows"
        )


def lists_its_clips(datamodule: AudioDataModule) -> None:
    """Lists the same clips every time, each with a label and an id that is valid on any machine."""
    clips = datamodule.clips()
    if [_fields(clip) for clip in clips] != [_fields(clip) for clip in datamodule.clips()]:
        raise ContractError(
            "clips() returns different clips the second time; sort file names, and draw random numbers from self.seed"
        )
    for clip in clips:
        if clip.id.startswith("/") or "\\" in clip.id or ".." in PurePosixPath(clip.id).parts or not clip.id:
            raise ContractError(
                f"id {clip.id!r}; expected a path relative to the root, separated by /, so that data can be moved"
            )
        if not isinstance(clip.label, str) or not clip.label:
            raise ContractError(f"clip {clip.id!r} has label {clip.label!r}; expected the name of its class")
    datamodule.require_classes()  # this also raises an error for duplicate ids


def places_its_clips(datamodule: AudioDataModule) -> None:
    """Assigns every clip to a split or a fold, so that scores can be computed."""
    for clip in datamodule.listed:
        if clip.split is not None and clip.split not in SPLITS:
            raise ContractError(f"clip {clip.id!r} is in split {clip.split!r}; expected one of {', '.join(SPLITS)}")
        if (clip.split is None) == (clip.fold is None):
            raise ContractError(
                f"clip {clip.id!r} has split {clip.split!r} and fold {clip.fold!r}; expected one of the two"
            )
    resolve("auto", datamodule.listed)
    learned = {clip.label for clip in datamodule.listed if clip.split != "test"}
    if strange := sorted(set(datamodule.class_names) - learned):
        raise ContractError(
            f"class {strange[0]!r} is only in the test split; assign some of its clips to another split"
        )


def has_a_name(datamodule: AudioDataModule) -> None:
    """Has a name that can be the name of a folder."""
    name = datamodule.dataset_name
    if not name or name != PurePosixPath(name).name:
        raise ContractError(f"dataset_name is {name!r}; expected a name without /")


def reads_waveforms(datamodule: AudioDataModule) -> None:
    """Reads clips as float32 waveforms of n_samples at any sample rate, the same every time."""
    read: list[Array] = []
    for clip in _some(datamodule):
        for rate in (DEFAULT_SAMPLE_RATE, 22_050):
            waveform = datamodule.read(clip, rate).waveform
            wanted = (datamodule.n_samples,)
            if waveform.shape != wanted or waveform.dtype != np.float32:
                raise ContractError(
                    f"clip {clip.id!r} at {rate} Hz is {waveform.dtype} {waveform.shape}; expected float32 {wanted}, "
                    "as returned by audio.load"
                )
            if not np.isfinite(waveform).all():
                raise ContractError(f"clip {clip.id!r} has samples that are not finite; replace them")
        read.append(waveform)
        if not np.array_equal(waveform, datamodule.read(clip, rate).waveform):
            raise ContractError(
                f"clip {clip.id!r} has a different waveform the second time; draw from self.seed and the id of the clip"
            )
    if len(read) > 1 and all(np.array_equal(read[0], waveform) for waveform in read):
        raise ContractError("all clips that were read have the same waveform; read the file of each clip")


def tells_its_source(datamodule: AudioDataModule) -> None:
    """States the source of its audio in plain values, the same every time."""
    source = datamodule.source
    try:
        text = json.dumps(source, sort_keys=True)
    except TypeError as error:
        raise ContractError(f"source is {source!r} ({error}); use numbers, text, lists and dictionaries") from error
    if text != json.dumps(copy.copy(datamodule).source, sort_keys=True) or " object at 0x" in text:
        raise ContractError(
            f"source is {text}, which is not the same every time; leave out everything that is not about the audio"
        )


def is_read_by_workers(datamodule: AudioDataModule) -> None:
    """Can be sent to the worker processes, which decode audio."""
    sent = copy.copy(datamodule)
    sent.trainer = None
    try:
        ForkingPickler.dumps(sent)  # as PyTorch sends it to a worker
    except Exception as error:  # objects that cannot be sent raise errors of any type
        raise ContractError(
            f"it cannot be sent to another process ({error}); store no open files or lambdas"
        ) from error


def makes_batches(datamodule: AudioDataModule) -> None:
    """Returns batches of the selected clips."""
    wanted = [clip.id for clip in _some(datamodule)]
    asked = copy.copy(datamodule)
    asked.select(wanted)
    found = [clip_id for batch in asked.predict_dataloader() for clip_id in batch.ids]
    if found != sorted(wanted):
        raise ContractError(
            f"{sorted(wanted)} are selected, but batches contain {found}; do not override predict_dataloader or select"
        )


def _some(datamodule: AudioDataModule) -> list[Clip]:
    """Return a few clips, spread evenly from the first to the last."""
    clips = datamodule.listed
    return [clips[index] for index in sorted({*np.linspace(0, len(clips) - 1, _MOST_READ).astype(int).tolist()})]


def _fields(clip: Clip) -> tuple[object, ...]:
    return clip.id, clip.label, clip.split, clip.fold, clip.group
