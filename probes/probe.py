"""Probe: a frozen frontend with a backend that is fitted to its embeddings.

A probe runs in the loops of Lightning: predict computes embeddings from audio; fit and test read them from the store.
"""

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningModule
from torch import Tensor

from ..backends import Backend
from ..backends.guard import failures_line, predicted
from ..backends.rows import Matrix
from ..backends.standardized import Standardize, Standardized
from ..datamodules.base import Batch
from ..errors import UsageError
from ..frontends import Frontend
from ..frontends.columns import Layers
from ..frontends.initialisers import Init
from ..frontends.outputs import embed
from ..frontends.pooling import Pooling
from ..frontends.precision import float32_products
from ..registry import BACKENDS, FRONTENDS
from .embedded import EmbeddedData
from .memory import FitMemory, goes_by_batches
from .memory import fit_memory as memory_of_fit
from .origin import name_weights, refuse_calibration, with_weights
from .record import RANDOM
from .selection import Protocol, Selection, resolve, select
from .selection_by_fold import select_by_fold


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
        fit_memory: Memory that the fit of the backend may take, in GiB; `auto` is half of the memory of the machine. If
            all embeddings at once would need more, backends that can read them in batches do so.

    Raises:
        ValueError: A layer does not exist, `init`, `layers` or `pooling` does not apply to the frontend, or
            `fit_memory` is not above 0.
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
        fit_memory: FitMemory = "auto",
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.frontend = None if frontend is None else with_weights(frontend, init, pooling, weights)
        self.backend, self.protocol = backend, protocol
        self.init, self.layers, self.pooling, self.standardize = init, layers, pooling, standardize
        self.tf32, self.calibrate, self.weights = tf32, calibrate, weights
        self.fit_memory, _ = fit_memory, memory_of_fit(fit_memory)  # raises if it is invalid
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
        names = ("layers", "standardize", "tf32", "calibrate", "fit_memory")
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
        """Collect positions and labels of the rows that the backend learns from."""
        self._batches.append(batch)

    def on_train_epoch_end(self) -> None:
        """Search the candidates of the backend and fit the chosen one."""
        backend = self.require_backend()
        positions, y = (torch.cat(parts).numpy() for parts in zip(*self._batches, strict=True))
        self._batches = []
        data: EmbeddedData = self.trainer.datamodule  # type: ignore[attr-defined]
        protocol = resolve(self.protocol, data.clips)
        memory, in_batches = memory_of_fit(self.fit_memory), self.goes_by_batches(len(y))
        if self.standardize == "zscore":
            backend = Standardized(backend)

        def matrix(fold: int | None = None) -> Matrix:
            rows = data.rows(data.learned, memory, fold)[positions]
            return rows if in_batches else rows.read()

        if data.fold_stores:
            self.selection = select_by_fold(backend, matrix(), matrix, y, data.learned, protocol)
        else:
            self.selection = select(backend, matrix(), y, data.learned, protocol, data.seed)
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

    def goes_by_batches(self, n_clips: int) -> bool:
        """Return whether a fit to a number of clips reads their embeddings in batches.

        Raises:
            UsageError: The backend needs all embeddings at once, which do not fit into `fit_memory`.
        """
        return goes_by_batches(self.require_backend(), n_clips, self.n_features, memory_of_fit(self.fit_memory))

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
