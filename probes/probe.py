"""Probe: a frozen frontend with a backend that is fitted to its embeddings.

A probe runs in the loops of Lightning: predict computes embeddings from audio; fit and test read them from the store.
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule, LightningModule
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from ..backends import Backend
from ..backends.guard import failures_line, predicted
from ..backends.standardized import Standardize, Standardized
from ..datamodules import AudioDataModule, Clip
from ..datamodules.base import Batch
from ..datamodules.classes import classes_learned
from ..embeddings.store import EmbeddingStore
from ..errors import DataError, StoreError, UsageError
from ..frontends import Frontend
from ..frontends.columns import Layers
from ..frontends.initialisers import Init
from ..frontends.outputs import embed
from ..frontends.pooling import Pooling
from ..frontends.precision import float32_products
from ..registry import BACKENDS, FRONTENDS
from .origin import name_weights, refuse_calibration, with_weights
from .record import RANDOM
from .selection import Protocol, Selection, resolve, select
from .selection_by_fold import select_by_fold

BATCH_ROWS = 1024


class Probe(LightningModule):
    """A frozen frontend with a backend that is fitted to its embeddings.

    Args:
        frontend: Frontend that turns waveforms into embeddings. `test` uses the frontend of the checkpoint.
        backend: Backend that classifies embeddings. `predict` needs none; `test` uses the backend of the checkpoint.
        protocol: Protocol that chooses and scores candidates: `holdout`, `nested`, `study`, or `auto`, which means
            `holdout` if there is a test split and `nested` otherwise.
        init: Distribution that the frontend's weights are drawn from: `he_truncated` (as in Pons & Serra 2018),
            `he_normal`, `xavier`, `orthogonal` or `pytorch`. By default, the setting of the frontend is kept
            (`he_truncated`).
        layers: Layers of the frontend that the backend learns from: `all`, `last`, or a list of layer numbers, counted
            from 0. Stored embeddings always contain all layers.
        pooling: Pooling of each feature map over time and frequency: `mean` (as in Pons & Serra 2018), `mean_std`,
            `max` or `mean_max`. By default, the setting of the frontend is kept (`mean`).
        standardize: Standardisation of the features: z-scores (`zscore`), with the means and standard deviations of the
            clips that the backend is fitted to, or none (`none`, as in Pons & Serra 2018).
        tf32: Whether NVIDIA GPUs compute convolutions and matrix products of the network in TF32 instead of float32,
            which is faster but less exact. Other devices ignore this argument.
        calibrate: Whether the input and the BatchNorm layers of the frontend are normalised with statistics of the
            training clips, see `Frontend.calibrate`. With folds, this is done once for each outer fold.
        weights: Weights of the frontend: `random`, or a file `frontend.safetensors` written by `untrained train`.

    Raises:
        ValueError: A layer does not exist, or `init`, `layers` or `pooling` does not apply to the frontend.
    """

    def __init__(
        self,
        frontend: Frontend | None = None,
        backend: Backend | None = None,
        protocol: Protocol = "auto",
        init: Init | None = None,
        layers: Layers = "all",
        pooling: Pooling | None = None,
        standardize: Standardize = "zscore",
        tf32: bool = False,
        calibrate: bool = False,
        weights: str = RANDOM,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.frontend = None if frontend is None else with_weights(frontend, init, pooling, weights)
        self.backend, self.protocol = backend, protocol
        self.init, self.layers, self.pooling, self.standardize = init, layers, pooling, standardize
        self.tf32, self.calibrate, self.weights = tf32, calibrate, weights
        if self.frontend is not None:
            self.init, self.pooling = self.frontend.options
            if calibrate:
                refuse_calibration(self.frontend, weights)
            if layers != "all":
                self.frontend.columns(layers)  # raises if a layer does not exist
        self.selection: Selection | None = None
        self.test_predictions: NDArray[Any] = np.zeros(0, int)
        self._batches: list[tuple[Tensor, Tensor]] = []

    def with_frontend(self, frontend: Frontend) -> "Probe":
        """Return a copy with another frontend. Its weights and options are used unchanged.

        Args:
            frontend: Frontend of the copy.
        """
        names = ("layers", "standardize", "tf32", "calibrate")
        copied = Probe(frontend, self.backend, self.protocol, **{name: getattr(self, name) for name in names})
        copied.weights = self.weights
        return copied

    @property
    def weights_name(self) -> str:
        """Name of the weights in tables and folders, see `name_weights`."""
        return self.weights if self.weights == RANDOM else name_weights(self.require_frontend())

    @property
    def columns(self) -> list[int] | None:
        """Columns of an embedding that the backend learns from; None for all."""
        return None if self.layers == "all" else self.require_frontend().columns(self.layers)

    @property
    def n_features(self) -> int:
        """Number of features that the backend learns from."""
        return self.require_frontend().embedding_size if self.columns is None else len(self.columns)

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the features that the backend takes for a batch of clips.

        Args:
            waveform: Waveforms, `(batch, n_samples)`.

        Returns:
            Features, `(batch, n_features)`.
        """
        with float32_products(tf32=self.tf32):
            embeddings: Tensor = self.require_frontend()(waveform)
        return embeddings if self.columns is None else embeddings[:, self.columns]

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the embeddings of the decoded clips of a batch, from all layers, `(n_decoded, embedding_size)`."""
        frontend = self.require_frontend()
        if not batch.ids:
            return torch.zeros(0, frontend.embedding_size)
        with float32_products(tf32=self.tf32):
            return embed(frontend, batch.waveforms)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Collect embeddings and labels for the backend."""
        self._batches.append(batch)

    def on_train_epoch_end(self) -> None:
        """Search the candidates of the backend and fit the chosen one."""
        backend = self.require_backend()
        if self.standardize == "zscore":
            backend = Standardized(backend)
        X, y = (torch.cat(parts).numpy() for parts in zip(*self._batches, strict=True))
        self._batches = []
        data: EmbeddedData = self.trainer.datamodule  # type: ignore[attr-defined]
        protocol = resolve(self.protocol, data.clips)
        if data.fold_stores:
            of_folds = {fold: data.embeddings_without(fold) for fold in data.fold_stores}
            self.selection = select_by_fold(backend, X, of_folds, y, data.learned, protocol)
        else:
            self.selection = select(backend, X, y, data.learned, protocol, data.seed)
        self.backend = self.selection.model
        if self.selection.n_unconverged:
            warnings.warn(self._unconverged(self.selection), stacklevel=1)
        if failed := self.selection.failed:
            name = type(getattr(backend, "backend", backend)).__name__
            n_candidates = len(self.selection.candidates) + len(failed)
            warnings.warn(failures_line(name, failed, n_candidates), stacklevel=1)
        self.log(self.selection.score_name, self.selection.score)

    def _unconverged(self, selection: Selection) -> str:
        """Return a message about the fits that did not converge, with advice."""
        advice = ["scale the features with --model.standardize zscore"] if self.standardize == "none" else []
        has_limit = any(name.endswith("max_iter") for name in self.require_backend().get_params())
        advice += ["allow more iterations" + (" with the backend's argument max_iter" if has_limit else "")]
        return (
            f"{selection.n_unconverged} of {selection.n_fits} fits did not converge, so that their scores may be too "
            f"low; {', or '.join(advice)}"
        )

    def test_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Collect the labels that the fitted backend predicts and the true labels."""
        X, y = batch
        self._batches.append((torch.from_numpy(predicted(self.require_backend(), X.numpy())), y))

    def on_test_epoch_end(self) -> None:
        """Score the test split."""
        given, true = (torch.cat(parts) for parts in zip(*self._batches, strict=True))
        self._batches = []
        self.test_predictions = given.numpy()
        self.log("test/accuracy", (given == true).double().mean())

    def configure_optimizers(self) -> list[Any]:
        """Return no optimizers, because nothing is trained by gradients."""
        return []

    def require_frontend(self) -> Frontend:
        """Return the frontend.

        Raises:
            UsageError: The probe has no frontend.
        """
        if self.frontend is None:
            raise UsageError(f"no frontend was given: add --model.frontend, one of {', '.join(FRONTENDS.names())}")
        return self.frontend

    def require_backend(self) -> Backend:
        """Return the backend.

        Raises:
            UsageError: The probe has no backend.
        """
        if self.backend is None:
            raise UsageError(f"no backend was given: add --model.backend, one of {', '.join(BACKENDS.names())}")
        return self.backend

    def require_selection(self) -> Selection:
        """Return the outcome of the search.

        Raises:
            UsageError: The probe is not fitted.
        """
        if self.selection is None:
            raise UsageError("the probe is not fitted; run the fit stage first")
        return self.selection


class EmbeddedData(LightningDataModule):
    """Embeddings of a data set with their labels, for the fit and test loops.

    Args:
        store: Store of the embeddings.
        datamodule: Data set of the clips.
        class_names: Names of the classes that a backend was fitted to, in the order of its labels. By default, the
            classes of the clips outside the validation and test splits.
        columns: Columns of the embeddings to read; by default, all columns.
        fold_stores: Stores by fold, computed with the frontend that was calibrated without that fold.

    Attributes:
        clips: Clips that could be read.
        learned: Clips outside the test split, which the search of a backend uses.
        tested: Clips of the test split.
        class_names: Names of the classes, in the order of the labels. Classes that the backend does not learn come
            last.

    Raises:
        DataError: No clip could be read.
        StoreError: Embeddings of some clips are not stored.
    """

    def __init__(
        self,
        store: EmbeddingStore,
        datamodule: AudioDataModule,
        class_names: Sequence[str] = (),
        columns: Sequence[int] | None = None,
        fold_stores: Mapping[int, EmbeddingStore] | None = None,
    ) -> None:
        super().__init__()
        self.fold_stores = {fold: each.reopened() for fold, each in (fold_stores or {}).items()}
        store = store.reopened()  # a later extraction of other clips may have rewritten its shards
        absent = set(datamodule.listed.take(store.missing(datamodule.stamps())).each_id())
        if absent - store.failed.keys():
            raise StoreError(f"{store.folder}: clips of {datamodule.dataset_name} are not stored; run predict first")
        self.store, self.columns, self.seed = store, columns, datamodule.seed
        self.clips = clips = [clip for clip in datamodule.listed if clip.id not in absent]
        if not clips:
            raise DataError(f"{datamodule.dataset_name}: none of its {len(datamodule.listed)} clips could be read")
        self.learned = [clip for clip in clips if clip.split != "test"]
        self.tested = [clip for clip in clips if clip.split == "test"]
        known = list(class_names) or classes_learned(clips)
        self.class_names = [*known, *sorted({clip.label for clip in clips}.difference(known))]
        self._label_of = {name: label for label, name in enumerate(self.class_names)}

    def labels(self, clips: Sequence[Clip]) -> NDArray[Any]:
        """Return the labels of clips, as indices into the class names."""
        return np.array([self._label_of[clip.label] for clip in clips])

    def embeddings(self, clips: Sequence[Clip]) -> NDArray[Any]:
        """Return the embeddings of clips, `(len(clips), n_features)`."""
        return self.store.read([clip.id for clip in clips], self.columns)

    def embeddings_without(self, fold: int) -> NDArray[Any]:
        """Return the embeddings of `learned`, computed with the frontend that was calibrated without a fold."""
        return self.fold_stores[fold].read([clip.id for clip in self.learned], self.columns)

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the embeddings and labels of all clips outside the test split, in batches."""
        return self._loader(self.learned)

    def test_dataloader(self) -> DataLoader[Any]:
        """Return the embeddings and labels of the test split, in batches."""
        return self._loader(self.tested)

    def _loader(self, clips: Sequence[Clip]) -> DataLoader[Any]:
        X = torch.from_numpy(self.embeddings(clips))
        return DataLoader(TensorDataset(X, torch.from_numpy(self.labels(clips))), batch_size=BATCH_ROWS)
