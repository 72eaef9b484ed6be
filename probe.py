"""The probe joins the parts: a front-end that is never trained, and a back-end that learns from its embeddings.

Its three stages are Lightning loops: predict computes embeddings, on every device of the trainer; fit and test read
them from the store, on one.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningDataModule, LightningModule, Trainer
from pytorch_lightning.loggers import Logger
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from . import checkpoint
from .backends import BackEnd
from .backends.base import Array
from .datamodules import AudioDataModule, Clip
from .datamodules.base import Batch
from .embeddings import EmbeddingWriter, refuse_more_devices_than_clips
from .errors import CheckpointError, DataError, StoreError, UsageError
from .frontends import FrontEnd
from .protocols import Protocol, Selection, resolve, select
from .registry import BACKENDS, FRONTENDS
from .store import EmbeddingStore, digest

_ROWS_AT_A_TIME = 1024


class Probe(LightningModule):
    """A frozen front-end and a back-end that is trained on its embeddings.

    Args:
        frontend: Turns waveforms into embeddings; by default that of the checkpoint.
        backend: Classifies embeddings; not needed to predict, by default that of the checkpoint in a test.
        protocol: How candidates are chosen and scored: `holdout`, `nested`, `study`, or `auto`, which is hold-out where
            there is a test split and nested elsewhere.
    """

    def __init__(
        self, frontend: FrontEnd | None = None, backend: BackEnd | None = None, protocol: Protocol = "auto"
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.frontend, self.backend, self.protocol = frontend, backend, protocol
        self.selection: Selection | None = None
        self.test_predictions: Array = np.zeros(0, int)
        self._batches: list[tuple[Tensor, Tensor]] = []

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Embeddings of a batch, `(n_clips_read, embedding_size)`."""
        front_end = self.require_front_end()
        if not batch.ids:
            return torch.zeros(0, front_end.embedding_size)
        return front_end(batch.waveforms)  # type: ignore[no-any-return]

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Hand embeddings and labels to the back-end."""
        self._batches.append(batch)

    def on_train_epoch_end(self) -> None:
        """Search the back-end's candidates and fit the chosen one."""
        backend = self.require_back_end()
        X, y = (torch.cat(parts).numpy() for parts in zip(*self._batches, strict=True))
        self._batches = []
        data: EmbeddedData = self.trainer.datamodule  # type: ignore[attr-defined]
        self.selection = select(backend, X, y, data.learned, resolve(self.protocol, data.clips), data.seed)
        self.backend = self.selection.model
        self.log(self.selection.score_name, self.selection.score)

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Keep the label that the trained back-end gives, and the true one."""
        X, y = batch
        self._batches.append((torch.from_numpy(np.asarray(self.require_back_end().predict(X.numpy()))), y))

    def on_test_epoch_end(self) -> None:
        """Score the test split."""
        given, true = (torch.cat(parts) for parts in zip(*self._batches, strict=True))
        self._batches = []
        self.test_predictions = given.numpy()
        self.log("test/accuracy", (given == true).double().mean())

    def configure_optimizers(self) -> list[Any]:
        """None: nothing is trained by gradients."""
        return []

    def require_front_end(self) -> FrontEnd:
        """The front-end.

        Raises:
            UsageError: None was given.
        """
        if self.frontend is None:
            raise UsageError(f"no front-end was given: add --model.frontend, one of {', '.join(FRONTENDS.names())}")
        return self.frontend

    def require_back_end(self) -> BackEnd:
        """The back-end.

        Raises:
            UsageError: None was given.
        """
        if self.backend is None:
            raise UsageError(f"no back-end was given: add --model.backend, one of {', '.join(BACKENDS.names())}")
        return self.backend


class EmbeddedData(LightningDataModule):
    """Embeddings of a data set with their labels, for the fit and test loops.

    Args:
        store: Where the embeddings are.
        datamodule: What says which clips there are.
        class_names: In the order of the labels.
    """

    def __init__(self, store: EmbeddingStore, datamodule: AudioDataModule, class_names: Sequence[str]) -> None:
        super().__init__()
        absent = set(store.missing(datamodule.stamps()))
        if absent - store.failed.keys():
            raise StoreError(f"{store.folder}: clips of {datamodule.dataset_name} are not stored; run predict first")
        self.store, self.seed = store, datamodule.seed
        self.clips = clips = [clip for clip in datamodule.listed if clip.id not in absent]
        if not clips:
            raise DataError(f"{datamodule.dataset_name}: not one of its {len(datamodule.listed)} clips could be read")
        self.learned = [clip for clip in clips if clip.split != "test"]
        self.tested = [clip for clip in clips if clip.split == "test"]
        self._label_of = {name: label for label, name in enumerate(class_names)}

    def labels(self, clips: Sequence[Clip]) -> Array:
        """Labels of clips, as indices into the class names."""
        return np.array([self._label_of[clip.label] for clip in clips])

    def train_dataloader(self) -> DataLoader[Any]:
        """Embeddings of all clips outside the test split."""
        return self._loader(self.learned)

    def test_dataloader(self) -> DataLoader[Any]:
        """Embeddings of the test split."""
        return self._loader(self.tested)

    def _loader(self, clips: Sequence[Clip]) -> DataLoader[Any]:
        X = torch.from_numpy(self.store.read([clip.id for clip in clips]))
        return DataLoader(TensorDataset(X, torch.from_numpy(self.labels(clips))), batch_size=_ROWS_AT_A_TIME)


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
    """

    store: EmbeddingStore
    n_clips: int
    n_computed: int
    failed: Mapping[str, str]
    n_other_files: int
    seconds: float

    def __str__(self) -> str:
        lines = [f"{self.n_computed} of {self.n_clips} clips computed in {self.seconds:.1f} s -> {self.store.folder}"]
        if self.n_computed == 0 and not self.failed:
            lines = [f"All {self.n_clips} clips present in {self.store.folder}, nothing to do"]
        if self.failed:
            lines.append(f"{len(self.failed)} clips could not be read, listed in {self.store.folder / 'failed.csv'}")
        if self.n_other_files:
            lines.append(f"{self.n_other_files} other files were left out: no audio, or in no class folder")
        return "\n".join(lines)


def extract(probe: Probe, datamodule: AudioDataModule, trainer: Trainer, root: Path) -> Extraction:
    """Compute the embeddings that are not stored yet, on every device of a trainer.

    Args:
        probe: Holds the front-end.
        datamodule: The clips.
        trainer: Its devices, strategy and precision are used.
        root: Folder of all stores.

    Raises:
        AudioError: A file could not be read and the datamodule says `on_error="raise"`.
        StoreError: A clip was neither computed nor reported.
        UsageError: There are fewer clips than devices, or no front-end.
    """
    start = time.perf_counter()
    front_end = probe.require_front_end()
    writer = EmbeddingWriter(root)
    missing = writer.plan(front_end, datamodule, str(trainer.precision))
    refuse_more_devices_than_clips(trainer, datamodule)
    if missing or trainer.world_size > 1:  # what is missing may look different to another process
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
    )


def fit(
    probe: Probe, datamodule: AudioDataModule, store: EmbeddingStore, logger: Logger | bool = False
) -> EmbeddedData:
    """Train the probe's back-end on stored embeddings; the outcome is `probe.selection`.

    Args:
        probe: Holds the back-end and the protocol.
        datamodule: The clips.
        store: Their embeddings.
        logger: Takes the score.

    Raises:
        UsageError: The back-end refuses its arguments or the embeddings.
    """
    data = EmbeddedData(store, datamodule, datamodule.class_names)
    try:
        _one_device(logger).fit(probe, datamodule=data)
    except ValueError as error:  # scikit-learn's way to refuse arguments and data
        raise UsageError(f"{type(probe.backend).__name__} cannot be fitted: {error}") from error
    return data


def score(
    probe: Probe,
    datamodule: AudioDataModule,
    store: EmbeddingStore,
    class_names: Sequence[str],
    logger: Logger | bool = False,
) -> tuple[float, EmbeddedData]:
    """Score a trained probe on the test split; its labels are `probe.test_predictions`.

    Args:
        probe: Holds the trained back-end.
        datamodule: The clips.
        store: Their embeddings.
        class_names: Those that the back-end was trained on, in their order.
        logger: Takes the score.

    Raises:
        CheckpointError: The data has classes that the back-end does not know.
    """
    refuse_unknown_classes(datamodule, class_names)
    data = EmbeddedData(store, datamodule, class_names)
    if not data.tested:
        raise DataError("the test split is empty: none of its clips could be read")
    (metrics,) = _one_device(logger).test(probe, datamodule=data, verbose=False)
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


def save(path: Path, probe: Probe, datamodule: AudioDataModule, data: EmbeddedData) -> None:
    """Write a probe that was trained on `data` as a checkpoint."""
    front_end, backend = probe.require_front_end(), probe.backend
    name, arguments = checkpoint.name_front_end(front_end)
    back_end_name = BACKENDS.name_of(type(backend))
    if backend is None or probe.selection is None or back_end_name is None:
        raise CheckpointError(f"back-end {type(backend).__name__} is not fitted or not registered; it cannot be saved")
    recipe = checkpoint.Recipe(
        front_end=name,
        front_end_arguments=arguments,
        back_end=back_end_name,
        sample_rate=front_end.sample_rate,
        n_samples=datamodule.n_samples,
        fit_length=datamodule.fit_length,
        class_names=list(datamodule.class_names),
        protocol=probe.selection.protocol,
        fitted_to=fingerprints(datamodule, data.learned),
    )
    checkpoint.save(path, recipe, front_end, backend)


def load(path: str | Path, trust: Sequence[str] = ()) -> tuple[Probe, checkpoint.Recipe]:
    """Build a trained probe from a checkpoint.

    Args:
        path: The `probe.ckpt` of a run.
        trust: Types of its back-end that may be built beside scikit-learn's own and those of registered back-ends.

    Raises:
        CheckpointError: It is no checkpoint of ours, is damaged, or names types that are not trusted.
    """
    recipe, content = checkpoint.read(path)
    front_end = checkpoint.build_front_end(recipe, content, path)
    return Probe(front_end, checkpoint.build_back_end(recipe, content, path, trust)), recipe


def leave_process_group() -> None:
    """End what the processes of an extraction have in common: each goes on alone, or leaves."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _one_device(logger: Logger | bool) -> Trainer:
    """A trainer for stored embeddings: one process, whatever extracted them."""
    return Trainer(
        accelerator="cpu",
        devices=1,
        num_nodes=1,
        strategy="auto",
        max_epochs=1,
        logger=logger,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
