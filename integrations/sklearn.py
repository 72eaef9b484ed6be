"""Frontends with random weights as a scikit-learn transformer, for pipelines and grid searches."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from .. import audio
from ..frontends import Frontend
from ..frontends.outputs import embed
from ..frontends.precision import float32_products
from ..registry import FRONTENDS

Sounds = NDArray[Any] | Sequence[str | Path]


class RandomFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn ships no types
    """Transformer from waveforms or audio files to embeddings, computed with a frozen frontend with random weights.

    Args:
        frontend: Registered name of a frontend; see `untrained list frontends`.
        seed: Seed of the weights of the frontend.
        arguments: Arguments of the frontend by name; all others keep their defaults.
        sample_rate: Sample rate of the waveforms in an array, in Hz; by default that of the frontend. Ignored for audio
            files, which state their own.
        n_samples: Length that every file is truncated or extended to, in samples at the sample rate of the frontend;
            arrays keep their length.
        batch_size: Number of clips in a batch.
        device: PyTorch device that the frontend runs on, such as `cuda`.

    Attributes:
        frontend_: The frontend.
        n_features_in_: Number of samples of a waveform; missing after a fit to files.

    Example:
        >>> import numpy as np
        >>> from sklearn.pipeline import make_pipeline
        >>> from sklearn.svm import SVC
        >>> X, y = np.random.default_rng(0).normal(size=(6, 12_000)), [0, 0, 0, 1, 1, 1]
        >>> make_pipeline(RandomFeatures("temporal"), SVC()).fit(X, y).predict(X).shape
        (6,)
    """

    def __init__(
        self,
        frontend: str = "vgg",
        seed: int = 0,
        *,
        arguments: Mapping[str, Any] | None = None,
        sample_rate: int | None = None,
        n_samples: int = 350_000,
        batch_size: int = 8,
        device: str = "cpu",
    ) -> None:
        self.frontend, self.seed, self.arguments = frontend, seed, arguments
        self.sample_rate, self.n_samples, self.batch_size, self.device = sample_rate, n_samples, batch_size, device

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def fit(self, X: Sounds, y: Any = None) -> Self:
        """Build the frontend; nothing is learned.

        Args:
            X: Waveforms `(n_clips, n_samples)`, or paths of audio files.
            y: Ignored.
        """
        if self.batch_size < 1:
            raise ValueError(f"batch_size={self.batch_size}; expected 1 or more")
        if not _are_paths(X):
            validate_data(self, X, dtype=np.float32)
        arguments = {**(self.arguments or {}), "seed": self.seed}
        try:
            self.frontend_: Frontend = FRONTENDS.create(self.frontend, **arguments)
        except TypeError as error:
            raise ValueError(f"frontend {self.frontend!r} cannot be created: {error}") from error
        return self

    def transform(self, X: Sounds) -> NDArray[Any]:
        """Return embeddings `(n_clips, embedding_size)`.

        Args:
            X: Waveforms `(n_clips, n_samples)`, or paths of audio files.

        Raises:
            AudioError: An audio file cannot be read.
        """
        check_is_fitted(self)
        if not _are_paths(X):
            X = validate_data(self, X, reset=False, dtype=np.float32)
        frontend = self.frontend_.to(self.device)
        parts = []
        for start in range(0, len(X), self.batch_size):
            waveforms = torch.from_numpy(self._waveforms(X[start : start + self.batch_size])).to(self.device)
            with torch.inference_mode(), float32_products():
                parts.append(embed(frontend, waveforms).cpu().numpy())
        return np.concatenate(parts)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the layer and feature map of each feature, such as `layer0.map12`."""
        check_is_fitted(self)
        return np.array(self.frontend_.feature_names, dtype=object)

    def _waveforms(self, X: Sounds) -> NDArray[Any]:
        rate = self.frontend_.sample_rate
        if _are_paths(X):
            return np.stack([audio.load(path, sample_rate=rate, n_samples=self.n_samples).waveform for path in X])
        if self.sample_rate not in (None, rate):
            return np.stack([soxr.resample(waveform, self.sample_rate, rate) for waveform in X])
        return np.asarray(X)


def _are_paths(X: Any) -> bool:
    is_row = isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.ndim == 1)
    return is_row and len(X) > 0 and isinstance(X[0], str | Path)
