"""Embeddings of a run, loaded in a notebook by one call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from ..datamodules import AudioDataModule
from ..embeddings.locate import open_store, store_folder
from ..embeddings.provenance import precision_field
from ..errors import UsageError
from ..files import other_format
from ..frontends import Frontend
from ..registry import DATAMODULES, FRONTENDS, Registry
from .probe import EmbeddedData, Probe
from .record import FORMAT, read_metrics


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of a data set, with everything that a classifier needs to learn from them.

    Args:
        X: Embeddings, `(n_clips, n_features)`, float32.
        y: Labels as indices into `classes`, `(n_clips,)`.
        ids: Ids of the clips.
        classes: Names of the classes.
        splits: Split of each clip; empty where there is none.
        folds: Fold of each clip, -1 where there is none, `(n_clips,)`.
        groups: Group of each clip; empty where there is none.
        features: Names of the columns of `X`.
    """

    X: NDArray[Any]
    y: NDArray[Any]
    ids: Sequence[str]
    classes: Sequence[str]
    splits: Sequence[str]
    folds: NDArray[Any]
    groups: Sequence[str]
    features: Sequence[str]


def load_embeddings(run: str | Path, trust: Sequence[str] | str = ()) -> Embeddings:
    """Load the embeddings that a run was fitted to, with labels, splits or folds, and groups.

    Args:
        run: Folder of a run, which `fit` and `compare` print.
        trust: Modules that its frontend may import, where its arguments name some.

    Raises:
        UsageError: The folder is not a run, or its data or embeddings no longer exist or have changed.
        StoreError: Embeddings of some clips are missing.
    """
    folder = Path(run)
    metrics = read_metrics(folder)
    if metrics and metrics.get("format") != FORMAT:
        raise UsageError(f"{folder} {other_format(metrics.get('format', 1), FORMAT)} fit the run again")
    probe, datamodule, precision, root = _rebuilt(folder, [trust] if isinstance(trust, str) else trust)
    frontend = probe.require_frontend()
    stored_in = store_folder(root, frontend, datamodule, precision)
    if not stored_in.is_dir():
        raise UsageError(
            f"no embeddings at {stored_in}: call it from where the run was made, or compute them again with "
            f"untrained fit --config {folder / 'config.yaml'}"
        )
    n_then = metrics.get("n_clips", 0) + metrics.get("n_failed", 0)
    if len(datamodule.listed) != n_then:
        raise UsageError(
            f"{datamodule.dataset_name} has {len(datamodule.listed)} clips, the run had {n_then}; fit it again"
        )
    store = open_store(root, frontend, datamodule, precision)
    data = EmbeddedData(store, datamodule, datamodule.class_names, probe.columns)
    names = frontend.feature_names
    return Embeddings(
        X=data.embeddings(data.clips),
        y=data.labels(data.clips),
        ids=[clip.id for clip in data.clips],
        classes=datamodule.class_names,
        splits=[clip.split or "" for clip in data.clips],
        folds=np.array([-1 if clip.fold is None else clip.fold for clip in data.clips]),
        groups=[clip.group or "" for clip in data.clips],
        features=names if probe.columns is None else [names[column] for column in probe.columns],
    )


def _rebuilt(run: Path, trust: Sequence[str]) -> tuple[Probe, AudioDataModule, str, Path]:
    """Return the probe and the data set of a run, the precision of its embeddings, and the folder of all stores.

    Raises:
        UsageError: The folder is not a run, or its configuration cannot be used.
    """
    path = run / "config.yaml"
    if not path.is_file():
        raise UsageError(f"no config.yaml in {run}: give the folder of a run, such as runs/folder/vgg/svm/seed0-1f2e3d")
    try:
        config = yaml.safe_load(path.read_text("utf-8"))
        model, trainer = config["model"], config["trainer"]
        frontend: Frontend = _plugin(model["frontend"], FRONTENDS, trust)
        datamodule: AudioDataModule = _plugin(config["data"], DATAMODULES, trust)
        options = ("init", "layers", "pooling", "tf32")
        probe = Probe(frontend, **{name: model[name] for name in options if name in model})
        precision = precision_field(str(trainer.get("precision") or "32-true"), probe)
        root = Path(config.get("embeddings") or Path(trainer["default_root_dir"] or ".").expanduser() / "embeddings")
    except (KeyError, TypeError, AttributeError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be used ({type(error).__name__}: {error}); fit the run again") from error
    return probe, datamodule, precision, root


def _plugin(entry: Mapping[str, Any], registry: Registry[Any], trust: Sequence[str]) -> Any:
    """Return a plug-in that a configuration names; it must be registered, so that a file imports nothing by itself."""
    cls = registry.get(entry["class_path"].rpartition(".")[2])
    arguments = entry.get("init_args") or {}
    unknown = [
        arguments[name] for name in getattr(cls, "imports", ()) if name in arguments and arguments[name] not in trust
    ]
    if unknown:
        raise UsageError(
            f"its frontend would import {unknown[0]!r}; if you know it, allow it with trust={unknown[0]!r}"
        )
    return cls(**arguments)
