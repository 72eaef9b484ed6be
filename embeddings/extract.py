"""Extraction of the embeddings that are missing from a store, on all devices of a trainer."""

import contextlib
import math
import time
import warnings
from array import array
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pytorch_lightning import LightningModule, Trainer

from .. import audio
from ..audio.remote import RemotePath
from ..datamodules import AudioDataModule, Clip
from ..datamodules.absent import explain_absent
from ..datamodules.classes import notes_on_classes
from ..datamodules.listing import Clips
from ..errors import AudioError, DataError, StoreError, UntrainedError
from ..frontends import Frontend
from ..frontends.calibrating import needs_calibration
from ..frontends.precision import float32_products
from ..terminal import bar
from .calibrated import carry_out, ids_to_calibrate_on
from .heard import UNKNOWN, Lengths, Say, lengths_in, notice_of_lengths, notices, say_all
from .locate import open_store, why_new
from .outcome import Extraction
from .processes import leave_process_group, lost_process_explained
from .provenance import precision_field
from .recognition import Recognised, recognise
from .remarks import notes_on
from .store import EmbeddingStore
from .waveforms import cached_waveforms
from .writer import EmbeddingWriter, refuse_more_devices_than_clips

MAX_SHOWN = 10  # number of broken files that a message lists
_THREADS = 8  # headers that are read at the same time from a slow disk or network
_AT_ONCE = 256  # headers that are read before it is decided whether threads would be faster


def _say_nothing(text: str) -> None:
    """Ignore a line of text."""


def extract(
    module: LightningModule,
    datamodule: AudioDataModule,
    trainer: Trainer,
    root: Path,
    *,
    force: bool = False,
    flush_every: int = 512,
    flush_seconds: float = 30.0,
    say: Say = _say_nothing,
) -> Extraction:
    """Compute the embeddings that are not stored yet, on all devices of a trainer.

    Args:
        module: Module whose `predict_step` returns the embeddings of its frontend, such as a `Probe`.
        datamodule: Data set of the clips.
        trainer: Trainer whose devices, strategy and precision are used.
        root: Folder that holds all stores.
        force: Whether to compute all clips again.
        flush_every: Number of rows to keep in memory before they are written.
        flush_seconds: Maximum time that rows stay in memory, in s.
        say: Function that shows a line of text to the user, such as a notice that only the start of clips is used. It
            is called in the first process only.

    Returns:
        Store of the embeddings, with the number of computed clips, failed clips and notes for the user.

    Raises:
        AudioError: A file cannot be read and the datamodule has `on_error="raise"`.
        DataError: No file of the data set exists.
        StoreError: A clip was neither computed nor reported, or another process writes to the store.
        UsageError: There are fewer clips than devices, or the module has no frontend.
    """
    start = time.perf_counter()
    writer = EmbeddingWriter(root, flush_every, flush_seconds, force=force)
    refuse_more_devices_than_clips(trainer, datamodule)
    store, missing = _look_up(module, datamodule, str(trainer.precision), root, force=force)
    is_first = trainer.is_global_zero
    missing_clips = datamodule.listed.take(missing)
    if datamodule.on_error == "raise":
        stated = refuse_broken(datamodule, missing_clips)
    else:
        stated, errors = _read_headers(missing_clips)
        why_absent = why_clips_are_absent(datamodule, errors)
        if why_absent and len(errors) == len(datamodule.listed):
            raise DataError(f"{datamodule.dataset_name}: {why_absent}")
    lengths = stated if force else np.concatenate([lengths_in(store, datamodule), stated])
    frontend: Frontend = module.require_frontend()  # type: ignore[operator]
    # The lengths of synthesised sounds, and those that no header states, are known only after the extraction.
    are_known = missing_clips.all_have_paths and not np.isnan(lengths).any()
    if is_first:
        say_all(notices(frontend, datamodule, lengths if are_known else UNKNOWN), say)
    known = Recognised() if force or not is_first else recognise(store, datamodule)
    is_new = ~missing_clips.among(known.found)
    reasons = [] if force else [*_reasons(store, missing_clips.where(is_new)), *known.notes]
    calibrating = datamodule.listed.among(ids_to_calibrate_on(frontend, store.folder, force=force))
    clips = datamodule.listed.take(np.union1d(missing[is_new], np.flatnonzero(calibrating)))
    say_first = say if is_first else _say_nothing
    with cached_waveforms(root, datamodule, frontend.sample_rate, clips, say=say_first, writes=is_first, force=force):
        carry_out(frontend, datamodule, store.folder, trainer.strategy.root_device, write=is_first, force=force)
        if is_first and needs_calibration(frontend):
            warnings.warn(_without_statistics(frontend), stacklevel=2)
        # All processes must enter the loop, even if only some of them find clips to compute.
        if len(missing) or store.shards.has_pending or trainer.world_size > 1:
            _predict(module, datamodule, trainer, writer, say)
            store = writer.store
    if is_first and not are_known:
        say_all([notice_of_lengths(datamodule, frontend.sample_rate, lengths_in(store, datamodule))], say)
    absent, failed = store.missing(datamodule.stamps()), store.failed
    still_missing = list(datamodule.listed.take(absent).each_id())
    lost = [clip_id for clip_id in still_missing if clip_id not in failed]
    if lost:
        raise StoreError(
            f"{store.folder}: {len(lost)} of {len(datamodule.listed)} clips were not computed, for example "
            f"{lost[0]!r}; run the same command again, without trainer limits such as limit_predict_batches or "
            "fast_dev_run"
        )
    return Extraction(
        store,
        n_clips=len(datamodule.listed),
        n_computed=len(np.setdiff1d(writer.missing, absent)),
        failed={clip_id: failed[clip_id] for clip_id in still_missing},
        n_other_files=datamodule.n_other_files,
        seconds=time.perf_counter() - start,
        notes=[
            *datamodule.notes,
            *notes_on_classes(datamodule.listed, still_missing),
            *reasons,
            *notes_on(store, datamodule),
        ],
        profile=store.profile,
    )


def _look_up(
    module: LightningModule, datamodule: AudioDataModule, precision: str, root: Path, *, force: bool
) -> tuple[EmbeddingStore, NDArray[np.int64]]:
    """Return the store and the positions of the clips to compute; they may change, as the store is not locked yet."""
    frontend: Frontend = module.require_frontend()  # type: ignore[operator]
    store = open_store(root, frontend, datamodule, precision_field(precision, module), damaged=force)
    return store, np.arange(len(datamodule.listed)) if force else store.missing(datamodule.stamps())


def _without_statistics(frontend: Frontend) -> str:
    """Return a warning about a frontend whose BatchNorm layers have no statistics."""
    return (
        f"the BatchNorm layers of {type(frontend).__name__} have mean 0 and variance 1, so they normalise nothing; "
        "set their statistics from training clips with --model.calibrate true"
    )


def _reasons(store: EmbeddingStore, clips: Clips) -> list[str]:
    """Return notes that explain why clips are computed again although a user may expect them to be stored."""
    notes = []
    if store.shards.n_lost:
        notes.append(f"{store.shards.n_lost:,} rows of {store.folder} are gone: files of its shards have been deleted")
    changed = np.flatnonzero(store.find(clips.ids) >= 0)
    if len(changed):
        example = clips[int(changed[0])].id
        notes.append(f"{len(changed):,} clips are computed again: their files have changed, for example {example!r}")
    why = why_new(store) if len(clips) and not store.shards.n_rows else ""
    return [*notes, *([f"{len(clips):,} clips are computed again: {why}"] if why else [])]


def _predict(
    module: LightningModule, datamodule: AudioDataModule, trainer: Trainer, writer: EmbeddingWriter, say: Say
) -> None:
    """Run the predict loop with the writer among the callbacks."""
    callbacks = list(trainer.callbacks)  # type: ignore[attr-defined]
    trainer.callbacks = [*callbacks, writer]  # type: ignore[attr-defined]
    try:
        shared = lost_process_explained(say) if trainer.world_size > 1 else contextlib.nullcontext()
        with warnings.catch_warnings(), float32_products(tf32=getattr(module, "tf32", False)), shared:
            # No clips are left to compute if another process has computed them in the meantime.
            warnings.filterwarnings("ignore", "Total length of .ClipLoader. across ranks is zero")
            trainer.predict(module, datamodule=datamodule, return_predictions=False)
    except BaseException:
        datamodule.end_workers()  # a worker may be the cause
        leave_process_group()  # threads of the group abort a process that exits as a member
        raise
    finally:
        trainer.callbacks = callbacks  # type: ignore[attr-defined]
        datamodule.select(None)


def refuse_broken(datamodule: AudioDataModule, clips: Iterable[Clip]) -> Lengths:
    """Check the headers of all files before anything is computed, and report all broken files in one error.

    Args:
        datamodule: Data set of the clips.
        clips: Clips to check.

    Returns:
        Durations in s, as the headers state them; NaN if a duration is known only after decoding.

    Raises:
        AudioError: One file is broken.
        DataError: No file of the data set exists.
        UntrainedError: Several files are broken; the message lists them.
    """
    seconds, errors = _read_headers(clips)
    why_absent = why_clips_are_absent(datamodule, errors)
    if why_absent and len(errors) == len(datamodule.listed):
        raise DataError(f"{datamodule.dataset_name}: {why_absent}")
    if len(errors) == 1:
        raise errors[0]
    if errors:
        shown = [f"  {error.path}: {error.reason}" for error in errors[:MAX_SHOWN]]
        left = [f"  and {len(errors) - MAX_SHOWN} more"] if len(errors) > MAX_SHOWN else []
        lines = [f"{len(errors)} of {len(errors) + len(seconds)} files cannot be used:", *shown, *left]
        remedy = "replace or remove them, or skip them with --data.on_error skip"
        raise UntrainedError("\n".join([*lines, *filter(None, [why_absent]), remedy]))
    return seconds


def why_clips_are_absent(datamodule: AudioDataModule, errors: Iterable[AudioError]) -> str:
    """Return the probable reason why files do not exist, or an empty string if all exist.

    Args:
        datamodule: Data set of the files.
        errors: Errors of files of the data set.
    """
    absent = [Path(error.path) for error in errors if error.reason == audio.ABSENT]
    root = getattr(datamodule, "root", None)
    n_all = len(datamodule.listed)
    return explain_absent(absent, root if isinstance(root, Path) else None, n_all) if absent else ""


def _read_headers(clips: Iterable[Clip]) -> tuple[Lengths, list[AudioError]]:
    """Return durations in s, as the headers of files state them, and the errors of files that cannot be used.

    A duration is NaN if it is known only after decoding, such as that of a remote file.
    """
    clips = Clips.of(clips)
    seconds = array("d")
    errors: list[AudioError] = []
    is_slow = False  # whether the disk or the network is, so that threads can wait for several files at a time
    with ThreadPoolExecutor(_THREADS) as threads, bar("reading headers", len(clips)) as advance:
        for start in range(0, len(clips), _AT_ONCE):
            some = [clip for clip in clips[start : start + _AT_ONCE] if clip.path is not None]
            began, worked = time.perf_counter(), time.thread_time()
            lengths = list((threads.map if is_slow else map)(_stated_length, some))
            is_slow = is_slow or time.perf_counter() - began > 4 * (time.thread_time() - worked)
            for clip, stated in zip(some, lengths, strict=True):
                # libsndfile keeps the reason of a failure in one place for all threads, which are waiting here.
                length = _stated_length(clip) if isinstance(stated, AudioError) else stated
                if isinstance(length, AudioError):
                    errors.append(length)
                else:
                    seconds.append(length)
            advance(len(some))
    return np.array(seconds, np.float64), errors


def _stated_length(clip: Clip) -> float | AudioError:
    """Return the duration of a clip in s, NaN if its header does not state it, or the error of its file."""
    if isinstance(clip.path, RemotePath):  # a request for each file would take longer than it saves
        return math.nan
    try:
        length = audio.header(clip.path or "").seconds
    except AudioError as error:
        return error
    return math.nan if length is None else length


def refuse_broken_before(
    extractions: Iterable[tuple[LightningModule, AudioDataModule]], precision: str, root: Path, *, force: bool
) -> None:
    """Check the files of several extractions before the first one starts.

    Args:
        extractions: Module and data set of each extraction.
        precision: Precision of the trainer.
        root: Folder that holds all stores.
        force: Whether to compute all clips again.

    Raises:
        UntrainedError: Files are broken, see `refuse_broken`.
    """
    missing: dict[AudioDataModule, NDArray[np.int64]] = {}
    for module, datamodule in extractions:
        found = _look_up(module, datamodule, precision, root, force=force)[1]
        missing[datamodule] = np.union1d(missing.get(datamodule, found), found)
    for datamodule, positions in missing.items():
        if datamodule.on_error == "raise":
            refuse_broken(datamodule, datamodule.listed.take(positions))
