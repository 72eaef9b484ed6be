"""Embeddings of any module with HEAR's common API, as of a pre-trained model, beside those of random frontends."""

import hashlib
import importlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .base import Frontend

_NEEDED = ("load_model", "get_scene_embeddings")


class Hear(Frontend):
    """The scene embeddings of a module with HEAR's common API (Turian et al. 2022), pre-trained ones among them.

    It has neither maps nor anything random. `init`, `pooling` and `layers` do not apply.

    Args:
        module: Name of an installed module, as `hearbaseline`. It is imported, so that a checkpoint which names one is
            loaded with `--trust MODULE` alone.
        model_file_path: What its `load_model` is given, as a file of weights; nothing if it is empty.
        seed: Of nothing.

    Raises:
        ValueError: The module cannot be imported, or lacks a function of the API; or its model does not say its sample
            rate and its size.

    Example:
        >>> Hear("untrained.hear", "temporal").embedding_size
        112
    """

    imports = ("module",)

    def __init__(self, module: str, model_file_path: str = "", *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        try:
            api = importlib.import_module(module)
        except Exception as error:  # a module's import may raise anything
            raise ValueError(f"module={module!r} cannot be imported ({type(error).__name__}: {error})") from error
        lacking = [name for name in _NEEDED if not callable(getattr(api, name, None))]
        if lacking:
            raise ValueError(f"module={module!r} has no {lacking[0]}; expected one with HEAR's common API")
        self.model: Any = api.load_model(model_file_path) if model_file_path else api.load_model()
        for name in ("sample_rate", "scene_embedding_size"):
            if not isinstance(getattr(self.model, name, None), int):
                raise ValueError(f"the model of module={module!r} has no {name}; HEAR's common API asks for an integer")
        self.sample_rate = self.model.sample_rate
        self.representation = nn.Identity()
        self._embed = api.get_scene_embeddings
        file = Path(model_file_path)
        content = file.read_bytes() if model_file_path and file.is_file() else b""
        # Weights may lie where PyTorch does not see them: the file they came from then tells embeddings apart.
        self.register_buffer("digest", torch.tensor(list(hashlib.sha256(content).digest()), dtype=torch.uint8))

    @property
    def embedding_size(self) -> int:
        """What the model says of itself."""
        return int(self.model.scene_embedding_size)

    @property
    def feature_names(self) -> list[str]:
        """Numbers, as the API names no features."""
        return [f"hear{index}" for index in range(self.embedding_size)]

    def reset_parameters(self, generator: torch.Generator) -> None:
        """Keep the weights that were loaded."""

    def forward(self, waveform: Tensor) -> Tensor:
        """Embeddings `(batch, embedding_size)` of waveforms `(batch, n_samples)`."""
        embeddings: Tensor = self._embed(waveform, self.model)
        return embeddings.float()
