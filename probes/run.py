"""Runs: a probe on a data set, with the key that determines whether the run is done and where its folder is."""

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..backends import Backend
from ..datamodules import AudioDataModule
from ..embeddings.changes import settings_of
from ..embeddings.provenance import run_fields, stamps_digest
from ..files import digest, plain
from ..frontends import Frontend
from ..frontends.options import Options
from ..registry import BACKENDS, DATAMODULES, FRONTENDS
from .probe import Probe
from .record import FORMAT, ORIGIN, as_text, predictions_file, read_metrics
from .selection import resolve

MAX_LABEL = 120  # maximum length of a label in bytes, because it is the name of a folder
_SHOWN_WITHOUT_NAME = {"size"}  # arguments that a label shows by their value alone
# Arguments of datamodules that labels omit because they do not change results.
_WITHOUT_EFFECT = {"root", "path", "on_error", "batch_size", "num_workers", "sample_rate", "seconds", "cache"}


@dataclass(frozen=True)
class RunKey:
    """Key of a run.

    Args:
        params: Names that identify the run in tables, as a flat dictionary.
        seed: Seed of the frontend and the backend.
        fields: Everything that determines the result of the run, including files and code.
        extraction: Digest that identifies the extraction: the data set and everything that determines its embeddings.
        identity: Digest of the fields.
        folder: Folder of the run, relative to the folder of all runs.
    """

    params: dict[str, Any]
    seed: int
    fields: dict[str, Any]
    extraction: str
    identity: str
    folder: Path

    @classmethod
    def of(
        cls, probe: Probe, datamodule: AudioDataModule, embeddings: Mapping[str, Any], stamps: str, dataset: str = ""
    ) -> "RunKey":
        """Return the key of the run of a probe on a data set.

        Args:
            probe: Probe with frontend, backend and protocol.
            datamodule: Data set of the clips.
            embeddings: Everything that determines the embeddings, see `provenance.embedding_fields`.
            stamps: Digest of the stamps of all files, see `provenance.stamps_digest`.
            dataset: Name of the data set; by default, the name that the datamodule gives.
        """
        frontend, backend = probe.require_frontend(), probe.require_backend()
        datamodule.require_classes()
        options = {"init": probe.init, "layers": probe.layers, "pooling": probe.pooling}
        origin = {"calibrate": probe.calibrate, "weights": probe.weights_name}
        seed = frontend.seed if frontend.is_random else getattr(backend, "seed", 0)
        names: dict[str, Any] = {
            "frontend": frontend_label(frontend, {**options, "tf32": probe.tf32, **origin}),
            "backend": backend_label(backend, probe.standardize),
            "seed": seed,
            "protocol": resolve(probe.protocol, datamodule.listed),
            **{name: as_text(value) for name, value in options.items()},
            "standardize": probe.standardize,
            **({} if origin == ORIGIN else origin),  # so that keys of earlier runs stay valid
        }
        data = {
            "dataset": dataset or datamodule.dataset_name,
            "datamodule": data_label(datamodule, frontend.sample_rate),
        }
        params = {**data, **names, "tf32": probe.tf32, **origin}
        fields = run_fields(names, embeddings, backend, datamodule, stamps, standardize=probe.standardize)
        return cls(
            params=params,
            seed=seed,
            fields=fields,
            # Data sets with the same source share a store, but each has its own clips.
            extraction=digest({"dataset": params["dataset"], **embeddings}),
            identity=digest({"format": FORMAT, **fields}),
            folder=folder_of(params, f"seed{seed}-{digest(settings_of(fields))[:6]}"),
        )


@dataclass(frozen=True)
class Run:
    """A probe on a data set, with the folder for the results.

    Args:
        probe: Probe with frontend, backend and protocol.
        datamodule: Data set of the clips.
        key: Key of the run.
        folder: Folder of the run.
        config: Configuration in YAML, with which `untrained fit --config` repeats the run.
    """

    probe: Probe
    datamodule: AudioDataModule
    key: RunKey
    folder: Path
    config: str

    @classmethod
    def of(
        cls, probe: Probe, datamodule: AudioDataModule, root: Path, embeddings: Mapping[str, Any], config: str
    ) -> "Run":
        """Return the run of a probe on a data set, in the folder that its key names.

        Args:
            probe: Probe with frontend, backend and protocol.
            datamodule: Data set of the clips.
            root: Folder that holds all runs.
            embeddings: Everything that determines the embeddings, see `provenance.embedding_fields`.
            config: Configuration in YAML that repeats the run.
        """
        key = RunKey.of(probe, datamodule, embeddings, stamps_digest(datamodule))
        return cls(probe, datamodule, key, root / key.folder, config)

    @property
    def is_done(self) -> bool:
        """Whether the folder of the run holds its complete results."""
        return self.is_done_in(self.folder)

    def is_done_in(self, folder: Path) -> bool:
        """Return whether a folder holds the complete results of a run with the same key."""
        metrics = read_metrics(folder)
        metric = "test/accuracy" if self.key.params["protocol"] == "holdout" else "cv/accuracy"
        files = ("probe.ckpt", predictions_file(metric))
        return (
            metrics.get("identity") == self.key.identity
            and metric in metrics
            and all((folder / name).is_file() for name in files)
        )


def folder_of(params: Mapping[str, Any], last: str) -> Path:
    """Return the folder of a run relative to the folder of all runs, without characters that file systems forbid.

    Args:
        params: Names of the run.
        last: Name of the last folder.
    """
    return Path(*(re.sub(r"[^\w.,=+ -]", "_", params[name]) for name in ("dataset", "frontend", "backend")), last)


def frontend_label(frontend: Frontend, options: Mapping[str, Any]) -> str:
    """Return the registered name of a frontend, with all of its arguments and options that are not the default."""
    name = FRONTENDS.name_of(type(frontend)) or type(frontend).__name__
    name = label_of(name, _defaults(type(frontend)), frontend.arguments)
    return label_of(name, {**Options()._asdict(), "layers": "all", "tf32": False, **ORIGIN}, options)


def backend_label(backend: Backend, standardize: str) -> str:
    """Return the registered name of a backend, with its arguments and `standardize` if they are not the default."""
    name = BACKENDS.name_of(type(backend)) or type(backend).__name__
    name = label_of(name, _defaults(type(backend)), backend.get_params(deep=False))
    return label_of(name, {"standardize": "zscore"}, {"standardize": standardize})


def data_label(datamodule: AudioDataModule, sample_rate: int) -> str:
    """Return the registered name of a datamodule, with the arguments that affect results and are not the default."""
    name = DATAMODULES.name_of(type(datamodule)) or type(datamodule).__name__
    defaults = _defaults(type(datamodule))
    if defaults.get("n_samples") is None:
        defaults["n_samples"] = datamodule.default_n_samples
    given = {key: getattr(datamodule, key, None) for key in defaults if key not in _WITHOUT_EFFECT}
    given["n_samples"] = datamodule.samples_at(sample_rate)
    if datamodule.cache == "int16":  # other caches change no result
        given["cache"] = datamodule.cache
    return label_of(name, defaults, given)


def _defaults(cls: type) -> dict[str, Any]:
    return {key: parameter.default for key, parameter in inspect.signature(cls).parameters.items()}


def label_of(name: str, defaults: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    """Return a name with the non-default arguments except the seed, or with their digest if the label is too long."""
    given = {
        key: value for key, value in arguments.items() if key != "seed" and as_text(value) != as_text(defaults.get(key))
    }
    parts = (
        as_text(value) if key in _SHOWN_WITHOUT_NAME else f"{key}={as_text(value)}" for key, value in given.items()
    )
    label = "-".join([name, *parts])
    return label if len(label.encode()) <= MAX_LABEL else f"{name}-{digest(plain(given))[:8]}"
