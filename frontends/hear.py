"""Embeddings of any module with HEAR's common API, such as a pre-trained model, to compare with random frontends."""

import hashlib
import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UntrainedError
from .base import Frontend

_NEEDED = ("load_model", "get_scene_embeddings")


class Hear(Frontend):
    """Scene embeddings of any module with HEAR's common API, such as a pre-trained model (Turian et al. 2022).

    It has neither feature maps nor random weights, so `init`, `pooling` and `layers` do not apply.

    Args:
        module: Name of an installed module, such as `hearbaseline`. The module is imported, so a checkpoint that names
            one is loaded only with `--trust MODULE`.
        model_file_path: Argument of the module's `load_model`, such as the path of a file of weights; if empty,
            `load_model` is called without arguments.
        seed: Has no effect, since nothing is random; every frontend takes a seed.

    Raises:
        ValueError: The module cannot be imported, a function of the API is missing, or its model does not state its
            sample rate and embedding size.

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
        missing = [name for name in _NEEDED if not callable(getattr(api, name, None))]
        if missing:
            raise ValueError(f"module={module!r} has no {missing[0]}; expected one with HEAR's common API")
        self.model: Any = _loaded(api, module, model_file_path)
        for name in ("sample_rate", "scene_embedding_size"):
            if not isinstance(getattr(self.model, name, None), int):
                raise ValueError(f"the model of module={module!r} has no {name}; HEAR's common API requires an integer")
        self.sample_rate = self.model.sample_rate
        self.representation = nn.Identity()
        self._embed = api.get_scene_embeddings
        file = Path(model_file_path)
        content = file.read_bytes() if model_file_path and file.is_file() else b""
        # PyTorch may not see the weights; the digest of their file then distinguishes the embeddings.
        self.register_buffer("digest", torch.tensor(list(hashlib.sha256(content).digest()), dtype=torch.uint8))

    @property
    def embedding_size(self) -> int:
        """Number of features of an embedding, as stated by the model."""
        return int(self.model.scene_embedding_size)

    @property
    def feature_names(self) -> list[str]:
        """Numbered names, because the API has no names of features."""
        return [f"hear{index}" for index in range(self.embedding_size)]

    def reset_parameters(self, generator: torch.Generator) -> None:
        """Keep the loaded weights."""

    def calibrate(self, waveforms: Iterable[Tensor]) -> None:
        """Keep the statistics that the model was trained with."""

    def forward(self, waveform: Tensor) -> Tensor:
        """Return embeddings `(batch, embedding_size)` of waveforms `(batch, n_samples)`."""
        found: Any = self._embed(waveform, self.model)
        embeddings: Tensor = found.float() if isinstance(found, Tensor) else found  # `embed` refuses anything else
        return embeddings


def _loaded(api: Any, module: str, model_file_path: str) -> Any:
    """Return the model of a module with HEAR's common API.

    Raises:
        ValueError: Its `load_model` raises an error.
    """
    try:
        return api.load_model(model_file_path) if model_file_path else api.load_model()
    except UntrainedError:
        raise
    except Exception as error:  # a module may raise anything
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
        given = f"model_file_path={model_file_path!r}" if model_file_path else "no model_file_path"
        remedy = "check that file" if model_file_path else "give --model.frontend.model_file_path FILE if it needs one"
        raise ValueError(f"module={module!r}: load_model with {given} raised {reason}; {remedy}") from error
