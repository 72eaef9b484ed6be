"""The stages of a probe: extract embeddings on every device, fit and score a back-end on one, save and load."""

import contextlib
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from pytorch_lightning import Trainer

from . import audio, checkpoint
from .backends import BackEnd
from .backends.standardized import Standardized
from .datamodules import AudioDataModule, Clip
from .embeddings import EmbeddingWriter, refuse_more_devices_than_clips
from .errors import AudioError, CheckpointError, DataError, StoreError, UntrainedError, UsageError
from .plain import digest
from .probe import EmbeddedData, Probe
from .registry import BACKENDS
from .store import EmbeddingStore
from .timing import told

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
        probe: Holds the front-end.
        datamodule: The clips.
        trainer: Its devices, strategy and precision are used.
        root: Folder of all stores.
        force: Forget what is stored of these clips, and compute all of them again.
        flush_every: Rows kept in memory at most before they are written.
        flush_seconds: Longest time for which they are kept.

    Raises:
        AudioError: A file could not be read and the datamodule says `on_error="raise"`.
        StoreError: A clip was neither computed nor reported, or another process writes to the store.
        UsageError: There are fewer clips than devices, or no front-end.
    """
    start = time.perf_counter()
    front_end = probe.require_front_end()
    writer = EmbeddingWriter(root, flush_every, flush_seconds)
    missing = writer.open(front_end, datamodule, str(trainer.precision), damaged=force)
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
    extractions: Iterable[tuple[Probe, AudioDataModule]], precision: str, root: Path, *, force: bool = False
) -> None:
    """Refuse what any of several extractions would stop at, before the first of them.

    Args:
        extractions: Each with the probe that holds its front-end.
        precision: Of the trainer.
        root: Folder of all stores.
        force: Whether everything is computed again.

    Raises:
        UntrainedError: As `refuse_broken`.
    """
    missing: dict[AudioDataModule, set[str]] = {}
    for probe, datamodule in extractions:
        lacking = EmbeddingWriter(root).open(probe.require_front_end(), datamodule, precision, damaged=force)
        missing.setdefault(datamodule, set()).update([clip.id for clip in datamodule.listed] if force else lacking)
    for datamodule, ids in missing.items():
        if datamodule.on_error == "raise":
            refuse_broken(datamodule, sorted(ids))


def fit(probe: Probe, datamodule: AudioDataModule, store: EmbeddingStore) -> EmbeddedData:
    """Train the probe's back-end on stored embeddings; the outcome is `probe.selection`.

    Args:
        probe: Holds the back-end and the protocol.
        datamodule: The clips.
        store: Their embeddings.

    Raises:
        UsageError: The back-end refuses its arguments or the embeddings.
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
        probe: Holds the trained back-end.
        datamodule: The clips.
        store: Their embeddings.
        class_names: Those that the back-end was trained on, in their order.

    Raises:
        CheckpointError: The data has classes that the back-end does not know.
    """
    refuse_unknown_classes(datamodule, class_names)
    data = EmbeddedData(store, datamodule, class_names, probe.columns)
    if not data.tested:
        raise DataError("the test split is empty: none of its clips could be read")
    (metrics,) = _one_device().test(probe, datamodule=data, verbose=False)
    return float(metrics["test/accuracy"]), data


def refuse_unknown_classes(datamodule: AudioDataModule, class_names: Sequence[str]) -> None:
    """Refuse data with classes that a trained probe does not know.

    Raises:
        CheckpointError: There are such classes.
    """
    strange = sorted(set(datamodule.class_names) - set(class_names))
    if strange:
        raise CheckpointError(
            f"the data has classes that the probe was not fitted to: {', '.join(strange)}; "
            f"it knows {', '.join(class_names)}"
        )


def fingerprints(datamodule: AudioDataModule, clips: Sequence[Clip]) -> list[str]:
    """What tells clips apart across data sets: id and stamp of a file, id and source of a sound that is made."""
    places = {clip.id: datamodule.stamp(clip) if clip.path else datamodule.source for clip in clips}
    return [digest({"id": clip_id, "place": place})[:16] for clip_id, place in places.items()]


def name_back_end(backend: BackEnd) -> str:
    """Registered name of a back-end, or of what reads its z-scores.

    Raises:
        CheckpointError: It is not registered.
    """
    backend = backend.backend if isinstance(backend, Standardized) else backend
    name = BACKENDS.name_of(type(backend))
    if name is None:
        raise CheckpointError(
            f"back-end {type(backend).__qualname__} is not registered, so that no checkpoint can name it; register it "
            "as an entry point of its package, or with @BACKENDS.register(name)"
        )
    return name


def save(path: Path, probe: Probe, datamodule: AudioDataModule, data: EmbeddedData) -> None:
    """Write a probe that was trained on `data` as a checkpoint."""
    front_end, backend = probe.require_front_end(), probe.require_back_end()
    name, arguments = checkpoint.name_front_end(front_end)
    back_end_name = name_back_end(backend)
    if probe.selection is None:
        raise CheckpointError(f"back-end {back_end_name!r} is not fitted, so that there is nothing to save")
    recipe = checkpoint.Recipe(
        front_end=name,
        front_end_arguments=arguments,
        **front_end.options._asdict(),
        layers=probe.layers,
        standardize=probe.standardize,
        back_end=back_end_name,
        sample_rate=front_end.sample_rate,
        n_samples=datamodule.n_samples,
        fit_length=datamodule.fit_length,
        class_names=list(datamodule.class_names),
        protocol=probe.selection.protocol,
        fitted_to=fingerprints(datamodule, data.learned),
    )
    try:
        checkpoint.save(path, recipe, front_end, backend)
    except UntrainedError:
        raise
    except Exception as error:  # whatever parts of a plug-in skops cannot write
        raise CheckpointError(f"back-end {back_end_name!r} cannot be saved: {error}") from error


def load(path: str | Path, trust: Sequence[str] | str = ()) -> tuple[Probe, checkpoint.Recipe]:
    """Build a trained probe from a checkpoint.

    Args:
        path: The `probe.ckpt` of a run.
        trust: A type, or types, of its back-end that may be built beside registered back-ends and what ours hold; and
            modules that its front-end may import.

    Raises:
        CheckpointError: It is no checkpoint of ours, is damaged, or names types that are not trusted.
    """
    trust = [trust] if isinstance(trust, str) else trust
    odd = [name for name in trust if not re.fullmatch(r"\w+(\.\w+)*", name)]
    if odd:
        raise UsageError(f"--trust {odd[0]!r} is no type or module; expected module.Class, or '[module.Class, ...]'")
    recipe, content = checkpoint.read(path)
    front_end = checkpoint.build_front_end(recipe, content, path, trust)
    back_end = checkpoint.build_back_end(recipe, content, path, trust)
    try:
        probe = Probe(front_end, back_end, layers=recipe.layers, standardize=recipe.standardize)
    except ValueError as error:
        raise CheckpointError(f"{path} does not fit the front-end that is installed ({error}); fit it again") from error
    n_learned = getattr(back_end, "n_features_in_", probe.n_features)  # which not every plug-in keeps
    if probe.n_features != n_learned:
        raise CheckpointError(
            f"{path} does not fit the front-end that is installed: its back-end has learned from {n_learned} features, "
            f"the front-end gives {probe.n_features}; fit it again"
        )
    _refuse_one_that_cannot_predict(path, back_end, probe.n_features, len(recipe.class_names))
    return probe, recipe


def _refuse_one_that_cannot_predict(path: str | Path, back_end: BackEnd, n_features: int, n_classes: int) -> None:
    """Try a back-end that comes from a file.

    Raises:
        CheckpointError: It raises anything, or gives labels that there are not.
    """
    nothing = np.zeros((1, n_features))
    try:
        known = {*back_end.predict(nothing).tolist(), *getattr(back_end, "classes_", np.zeros(0, int)).tolist()}
        back_end.class_scores(nothing)
        if not known <= set(range(n_classes)):
            raise ValueError(f"its labels are not those of {n_classes} classes")
    except Exception as error:  # whatever parts that do not fit together raise
        raise CheckpointError(f"{path}: its back-end is damaged ({error}); fit the probe again") from error


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
