"""Extraction: compute the embeddings that a store lacks, on every device of a trainer."""

import contextlib
import math
import time
import warnings
from collections.abc import Collection, Iterable
from pathlib import Path

from pytorch_lightning import LightningModule, Trainer

from .. import audio
from ..datamodules import AudioDataModule, Clip
from ..datamodules.absent import explain_absent
from ..datamodules.classes import notes_on_classes
from ..errors import AudioError, DataError, StoreError, UntrainedError
from ..frontends import Frontend
from ..frontends.precision import float32_products
from .heard import Say, lengths_in, notice_of_lengths, notices, say_all
from .locate import open_store, why_new
from .outcome import Extraction
from .processes import leave_process_group, lost_process_explained
from .provenance import precision_field
from .recognition import Recognised, recognise, without_digests
from .remarks import notes_on
from .store import EmbeddingStore
from .writer import EmbeddingWriter, refuse_more_devices_than_clips

MAX_SHOWN = 10  # broken files in a message


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
    """Compute the embeddings that are not stored yet, on every device of a trainer.

    Args:
        module: Module whose `predict_step` returns the embeddings of its frontend, such as a `Probe`.
        datamodule: Data set of the clips.
        trainer: Trainer whose devices, strategy and precision are used.
        root: Folder that holds all stores.
        force: Whether to compute all clips again.
        flush_every: Number of rows to keep in memory before they are written.
        flush_seconds: Longest time that rows stay in memory, in s.
        say: Function that shows a line of text to the user, such as a notice that only the start of clips is used. It
            is called in the first process only.

    Returns:
        What was computed, and the store.

    Raises:
        AudioError: A file cannot be read and the datamodule has `on_error="raise"`.
        StoreError: A clip was neither computed nor reported, or another process writes to the store.
        UsageError: There are fewer clips than devices, or the module has no frontend.
    """
    start = time.perf_counter()
    writer = EmbeddingWriter(root, flush_every, flush_seconds, force=force)
    refuse_more_devices_than_clips(trainer, datamodule)
    store, missing = _look_up(module, datamodule, str(trainer.precision), root, force=force)
    is_first = trainer.is_global_zero
    lengths = lengths_in(store, datamodule)
    if datamodule.on_error == "raise":
        lengths |= refuse_broken(datamodule, missing)
    else:
        stated, errors = _read_headers(datamodule, missing)
        why_absent = why_clips_are_absent(datamodule, errors)
        if why_absent and len(errors) == len(datamodule.listed):
            raise DataError(f"{datamodule.dataset_name}: {why_absent}")
        lengths |= stated
    frontend: Frontend = module.require_frontend()  # type: ignore[operator]
    wanted = set(missing)
    makes_sounds = any(clip.path is None and clip.id in wanted for clip in datamodule.listed)
    # Lengths of sounds that are made, and those that no header states, are known after that.
    are_known = not makes_sounds and not any(map(math.isnan, lengths.values()))
    if is_first:
        say_all(notices(frontend, datamodule, lengths if are_known else {}), say)
    known = Recognised() if force or not is_first else recognise(store, datamodule)
    old = [] if force or not is_first else without_digests(store, datamodule)
    reasons = [] if force else [*_reasons(store, set(missing) - known.found.keys()), *known.notes, *_note_on_old(old)]
    # Other processes may see another state of the store.
    if missing or old or store.has_shards or trainer.world_size > 1:
        _predict(module, datamodule, trainer, writer, say)
        store = writer.store
    if is_first and not are_known:
        say_all([notice_of_lengths(datamodule, frontend.sample_rate, lengths_in(store, datamodule))], say)
    still_missing, failed = store.missing(datamodule.stamps()), store.failed
    lost = [clip_id for clip_id in still_missing if clip_id not in failed]
    if lost:
        raise StoreError(
            f"{store.folder}: {len(lost)} of {len(datamodule.listed)} clips were not computed, such as {lost[0]!r}; "
            "run the same command again, without limits of the trainer such as limit_predict_batches or fast_dev_run"
        )
    return Extraction(
        store,
        n_clips=len(datamodule.listed),
        n_computed=len(writer.missing - set(still_missing)),
        failed={clip_id: failed[clip_id] for clip_id in still_missing},
        n_other_files=datamodule.n_other_files,
        seconds=time.perf_counter() - start,
        notes=[
            *datamodule.notes,
            *notes_on_classes(datamodule.listed, still_missing),
            *reasons,
            *notes_on(store.rows, datamodule),
        ],
        profile=store.profile,
    )


def _look_up(
    module: LightningModule, datamodule: AudioDataModule, precision: str, root: Path, *, force: bool
) -> tuple[EmbeddingStore, list[str]]:
    """Return the store, and the ids of the clips to compute as far as can be seen without its lock."""
    frontend: Frontend = module.require_frontend()  # type: ignore[operator]
    store = open_store(root, frontend, datamodule, precision_field(precision, module), damaged=force)
    return store, [clip.id for clip in datamodule.listed] if force else store.missing(datamodule.stamps())


def _reasons(store: EmbeddingStore, missing: Collection[str]) -> list[str]:
    """Return notes on why clips are computed again, which a user might expect to be stored."""
    changed = [row for row in store.rows if row.id in missing]
    if changed:
        such = f"their files have changed, such as {changed[0].id!r}"
        no_digests = "" if all(row.file for row in changed) else " (by size or time: no digests are stored)"
        return [f"{len(changed):,} clips are computed again: {such}{no_digests}"]
    why = why_new(store) if missing and not store.rows else ""
    return [f"{len(missing):,} clips are computed again: {why}"] if why else []


def _note_on_old(clips: Collection[Clip]) -> list[str]:
    """Return a note on clips that an earlier version has stored without digests, which are added now."""
    return [f"{len(clips):,} stored clips are read once more to note digests of their content"] if clips else []


def _predict(
    module: LightningModule, datamodule: AudioDataModule, trainer: Trainer, writer: EmbeddingWriter, say: Say
) -> None:
    """Run the predict loop with the writer among the callbacks."""
    callbacks = list(trainer.callbacks)  # type: ignore[attr-defined]
    trainer.callbacks = [*callbacks, writer]  # type: ignore[attr-defined]
    try:
        shared = lost_process_explained(say) if trainer.world_size > 1 else contextlib.nullcontext()
        with warnings.catch_warnings(), float32_products(tf32=getattr(module, "tf32", False)), shared:
            # Nothing is left to compute if another process was faster.
            warnings.filterwarnings("ignore", "Total length of .ClipLoader. across ranks is zero")
            trainer.predict(module, datamodule=datamodule, return_predictions=False)
    except BaseException:
        datamodule.end_workers()  # one of them may be the reason
        leave_process_group()  # the group's threads would abort a process that ends in it
        raise
    finally:
        trainer.callbacks = callbacks  # type: ignore[attr-defined]
        datamodule.select(None)


def refuse_broken(datamodule: AudioDataModule, ids: Iterable[str]) -> dict[str, float]:
    """Raise if headers show that files are unusable, for all files at once and before anything is computed.

    Args:
        datamodule: Data set of the clips.
        ids: Ids of the clips that are to be read.

    Returns:
        The durations that the headers state, in s, by id; not a number if only decoding shows one.

    Raises:
        AudioError: One file is broken.
        UntrainedError: Several files are broken; the message lists them.
    """
    seconds, errors = _read_headers(datamodule, ids)
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
    """Return why files that do not exist are probably absent; empty if all exist.

    Args:
        datamodule: Data set of the files.
        errors: Errors of its files.
    """
    absent = [Path(error.path) for error in errors if error.reason == audio.ABSENT]
    root = getattr(datamodule, "root", None)
    n_all = len(datamodule.listed)
    return explain_absent(absent, root if isinstance(root, Path) else None, n_all) if absent else ""


def _read_headers(datamodule: AudioDataModule, ids: Iterable[str]) -> tuple[dict[str, float], list[AudioError]]:
    """Return the durations that headers of files state, in s, by id, and the errors of files that are unusable.

    A duration is not a number if only decoding shows it.
    """
    wanted = set(ids)
    seconds: dict[str, float] = {}
    errors: list[AudioError] = []
    for clip in datamodule.listed:
        if clip.id in wanted and clip.path is not None:
            try:
                length = audio.header(clip.path).seconds
                seconds[clip.id] = math.nan if length is None else length
            except AudioError as error:
                errors.append(error)
    return seconds, errors


def refuse_broken_before(
    extractions: Iterable[tuple[LightningModule, AudioDataModule]], precision: str, root: Path, *, force: bool
) -> None:
    """Raise if broken files would stop any of several extractions, before the first of them.

    Args:
        extractions: Module and data set of each extraction.
        precision: Precision of the trainer.
        root: Folder that holds all stores.
        force: Whether everything is computed again.

    Raises:
        UntrainedError: Files are broken, as in `refuse_broken`.
    """
    missing: dict[AudioDataModule, set[str]] = {}
    for module, datamodule in extractions:
        missing.setdefault(datamodule, set()).update(_look_up(module, datamodule, precision, root, force=force)[1])
    for datamodule, ids in missing.items():
        if datamodule.on_error == "raise":
            refuse_broken(datamodule, ids)
