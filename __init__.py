"""Compare audio CNN frontends without training them.

Audio clips go through frozen, randomly weighted CNN frontends; every feature map is averaged into an embedding, and a
shallow backend (SVM or extreme learning machine) classifies it (Pons & Serra 2018).

Public names are imported on first use: `import untrained` imports neither torch nor scikit-learn.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backends import Backend
    from .datamodules import AudioDataModule, Clip
    from .embeddings.store import EmbeddingStore
    from .embeddings.writer import EmbeddingWriter
    from .frontends import Frontend, LogMel, Waveform
    from .integrations.sklearn import RandomFeatures
    from .probes.fitted import load_probe
    from .probes.notebook import load_embeddings
    from .probes.probe import Probe
    from .proxies import Proxy
    from .registry import BACKENDS, DATAMODULES, FRONTENDS, PROXIES

__all__ = [
    "BACKENDS",
    "DATAMODULES",
    "FRONTENDS",
    "PROXIES",
    "AudioDataModule",
    "Backend",
    "Clip",
    "EmbeddingStore",
    "EmbeddingWriter",
    "Frontend",
    "LogMel",
    "Probe",
    "Proxy",
    "RandomFeatures",
    "Waveform",
    "load_embeddings",
    "load_probe",
]

_MODULES = {
    "backends": ["Backend"],
    "datamodules": ["AudioDataModule", "Clip"],
    "embeddings.store": ["EmbeddingStore"],
    "embeddings.writer": ["EmbeddingWriter"],
    "frontends": ["Frontend", "LogMel", "Waveform"],
    "integrations.sklearn": ["RandomFeatures"],
    "probes.fitted": ["load_probe"],
    "probes.notebook": ["load_embeddings"],
    "probes.probe": ["Probe"],
    "proxies": ["Proxy"],
    "registry": ["BACKENDS", "DATAMODULES", "FRONTENDS", "PROXIES"],
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
