"""The stages of a probe: extract embeddings on every device, fit and score a backend on one."""

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from pytorch_lightning import Trainer

from .. import audio
from ..datamodules import AudioDataModule
from ..embeddings.profile import told
from ..embeddings.store import EmbeddingStore
from ..embeddings.writer import EmbeddingWriter, open_store, refuse_more_devices_than_clips
from ..errors import AudioError, DataError, StoreError, UntrainedError, UsageError
from .probe import EmbeddedData, Probe

_MOST_SHOWN = 10


@dataclass(frozen=True)
class Extraction:
    """What `extract` did.

    Args:
        store: Where the embeddings are.
        n_clips: Of the data set.
        n_computed: How many of them were missing and are there now.
        failed: Why the others could not be read, by clip id.
        n_other_files: Files beside the clips, which were left out.
        seconds: That it took.
        notes: What a user should know of the data.
        profile: Where the time of the store's last extraction went, see `Profile.as_numbers`.
    """

    store: EmbeddingStore
    n_clips: int
    n_computed: int
    failed: Mapping[str, str]
    n_other_files: int
    seconds: float
    notes: Sequence[str] = ()
    profile: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.n_computed} of {self.n_clips} clips computed in {self.seconds:.1f} s -> {self.store.folder}"]
        if self.n_computed and self.profile:
            lines.append(told(self.profile))
        if self.n_computed == 0 and not self.failed:
            lines = [f"All {self.n_clips} clips present in {self.store.folder}, nothing to do"]
        if self.failed:
            lines.append(f"{len(self.failed)} clips could not be read, listed in {self.store.folder / 'failed.csv'}")
        if self.n_other_files:
            lines.append(f"{self.n_other_files} other files were left out: no audio, or not of this data set")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def extract(
    probe: Probe,
    datamodule: AudioDataModule,
    trainer: Trainer,
    root: Path,
    *,
    force: bool = False,
    flush_every: int = 512,
    flush_seconds: float = 30.0,
) -> Extraction:
    """Compute the embeddings that are not stored yet, on every device of a trainer.

    Args:
        probe: Holds the frontend.
        datamodule: The clips.
        trainer: Its devices, strategy and precision are used.
        root: Folder of all stores.
        force: Forget what is stored of these clips, and compute all of them again.
        flush_every: Rows kept in memory at most before they are written.
        flush_seconds: Longest time for which they are kept.

    Raises:
        AudioError: A file could not be read and the datamodule says `on_error="raise"`.
        StoreError: A clip was neither computed nor reported, or another process writes to the store.
        UsageError: There are fewer clips than devices, or no frontend.
    """
    start = time.perf_counter()
    frontend = probe.require_frontend()
    writer = EmbeddingWriter(root, flush_every, flush_seconds)
    missing = writer.open(frontend, datamodule, str(trainer.precision), damaged=force)
    if force:
        missing = [clip.id for clip in datamodule.listed]
    refuse_more_devices_than_clips(trainer, datamodule)
    if datamodule.on_error == "raise":
        refuse_broken(datamodule, missing)
    if missing or writer.store.has_shards or trainer.world_size > 1:  # what is missing may look different elsewhere
        with _held(writer.store, trainer):
            if trainer.is_global_zero:
                writer.store.forget(missing) if force else writer.store.merge()
                missing = writer.store.missing(datamodule.stamps())
            if missing or trainer.world_size > 1:
                writer.is_locked = True
                _predict(probe, datamodule, trainer, writer)
            writer.store.load()  # which other processes may have written
    store = writer.store
    still_missing = store.missing(datamodule.stamps())
    reasons = store.failed
    lost = [clip_id for clip_id in still_missing if clip_id not in reasons]
    if lost:
        raise StoreError(
            f"{store.folder}: {len(lost)} of {len(datamodule.listed)} clips were not computed, as {lost[0]!r}; run the "
            "same command again, without limits of the trainer as limit_predict_batches or fast_dev_run"
        )
    return Extraction(
        store,
        n_clips=len(datamodule.listed),
        n_computed=len(set(missing) - set(still_missing)),
        failed={clip_id: reasons[clip_id] for clip_id in still_missing},
        n_other_files=datamodule.n_other_files,
        seconds=time.perf_counter() - start,
        notes=tuple(datamodule.notes),
        profile=store.profile,
    )


@contextlib.contextmanager
def _held(store: EmbeddingStore, trainer: Trainer) -> Iterator[None]:
    """Hold the lock of a store; rank 0 takes it for all, and all end where it cannot."""
    with contextlib.ExitStack() as stack:
        refusal = ""
        if trainer.is_global_zero:
            try:
                stack.enter_context(store.locked())
            except StoreError as error:
                refusal = str(error)
        refusal = trainer.strategy.broadcast(refusal)
        if refusal:
            leave_process_group()
            raise StoreError(refusal)
        yield


def _predict(probe: Probe, datamodule: AudioDataModule, trainer: Trainer, writer: EmbeddingWriter) -> None:
    callbacks = list(trainer.callbacks)  # type: ignore[attr-defined]
    trainer.callbacks = [*callbacks, writer]  # type: ignore[attr-defined]
    try:
        trainer.predict(probe, datamodule=datamodule, return_predictions=False)
    except BaseException:
        leave_process_group()  # its threads would abort a process that ends with it
        raise
    finally:
        trainer.callbacks = callbacks  # type: ignore[attr-defined]
        datamodule.select(None)


def refuse_broken(datamodule: AudioDataModule, ids: Sequence[str]) -> None:
    """Refuse files that their headers already tell to be unusable, all at once and before anything is computed.

    Args:
        datamodule: The clips.
        ids: Of those that are to be read.

    Raises:
        AudioError: One file is broken.
        UntrainedError: Several are; the message lists them.
    """
    wanted = set(ids)
    paths = [clip.path for clip in datamodule.listed if clip.id in wanted and clip.path is not None]
    errors: list[AudioError] = []
    for path in paths:
        try:
            audio.header(path)
        except AudioError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        shown = [f"  {error.path}: {error.reason}" for error in errors[:_MOST_SHOWN]]
        left = [f"  and {len(errors) - _MOST_SHOWN} more"] if len(errors) > _MOST_SHOWN else []
        lines = [f"{len(errors)} of {len(paths)} files cannot be used:", *shown, *left]
        raise UntrainedError("\n".join([*lines, "replace or remove them, or skip them with --data.on_error skip"]))


def refuse_broken_before(
    extractions: Iterable[tuple[Probe, AudioDataModule]], precision: str, root: Path, *, force: bool
) -> None:
    """Refuse what any of several extractions would stop at, before the first of them.

    Args:
        extractions: Each with the probe that holds its frontend.
        precision: Of the trainer.
        root: Folder of all stores.
        force: Whether everything is computed again.

    Raises:
        UntrainedError: As `refuse_broken`.
    """
    missing: dict[AudioDataModule, set[str]] = {}
    for probe, datamodule in extractions:
        store = open_store(root, probe.require_frontend(), datamodule, precision, damaged=force)
        lacking = [clip.id for clip in datamodule.listed] if force else store.missing(datamodule.stamps())
        missing.setdefault(datamodule, set()).update(lacking)
    for datamodule, ids in missing.items():
        if datamodule.on_error == "raise":
            refuse_broken(datamodule, sorted(ids))


def fit(probe: Probe, datamodule: AudioDataModule, store: EmbeddingStore) -> EmbeddedData:
    """Train the probe's backend on stored embeddings; the outcome is `probe.selection`.

    Args:
        probe: Holds the backend and the protocol.
        datamodule: The clips.
        store: Their embeddings.

    Raises:
        UsageError: The backend refuses its arguments or the embeddings.
    """
    data = EmbeddedData(store, datamodule, datamodule.class_names, probe.columns)
    try:
        _one_device().fit(probe, datamodule=data)
    except ValueError as error:  # scikit-learn's way to refuse arguments and data
        raise UsageError(f"{type(probe.backend).__name__} cannot be fitted: {error}") from error
    return data


def score(
    probe: Probe, datamodule: AudioDataModule, store: EmbeddingStore, class_names: Sequence[str]
) -> tuple[float, EmbeddedData]:
    """Score a trained probe on the test split; its labels are `probe.test_predictions`.

    Args:
        probe: Holds the trained backend.
        datamodule: The clips.
        store: Their embeddings.
        class_names: Those that the backend was trained on, in their order; all classes of the data are among them.

    Raises:
        DataError: None of the test split's clips could be read.
    """
    data = EmbeddedData(store, datamodule, class_names, probe.columns)
    if not data.tested:
        raise DataError("the test split is empty: none of its clips could be read")
    (metrics,) = _one_device().test(probe, datamodule=data, verbose=False)
    return float(metrics["test/accuracy"]), data


def leave_process_group() -> None:
    """End what the processes of an extraction have in common: each goes on alone, or leaves."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _one_device() -> Trainer:
    """A trainer for stored embeddings: one process, whatever extracted them."""
    return Trainer(
        accelerator="cpu",
        devices=1,
        num_nodes=1,
        strategy="auto",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
