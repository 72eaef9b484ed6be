"""Embeddings of a run or of a store, loaded in a notebook by one call."""

import contextlib
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
from ..files import MAX_YAML, other_format, read_bounded, read_json, refuse_absurd_yaml, unescaped
from ..frontends import Frontend
from ..registry import DATAMODULES, FRONTENDS, Registry
from .extraction import prepared
from .probe import EmbeddedData, Probe
from .record import FORMAT, REQUEST, read_metrics


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

    def to_frame(self) -> Any:
        """Return a pandas DataFrame with a row for each clip: its id as index, label, split, fold, group and features.

        Raises:
            UsageError: pandas is not installed.
        """
        try:
            import pandas  # optional, and takes a while to import
        except ImportError as error:
            raise UsageError(
                "to_frame needs pandas, which is not installed: pip install 'untrained[pandas]'"
            ) from error
        about = {
            "label": [self.classes[label] for label in self.y],
            "split": list(self.splits),
            "fold": self.folds,
            "group": list(self.groups),
        }
        index = pandas.Index(self.ids, name="id")
        features = pandas.DataFrame(self.X, index=index, columns=list(self.features))
        return pandas.concat([pandas.DataFrame(about, index=index), features], axis=1)


def load_embeddings(run: str | Path, trust: Sequence[str] | str = ()) -> Embeddings:
    """Load embeddings with labels, splits or folds, and groups, from any working folder.

    Relative paths in the configuration are read relative to the working folder of the command that made the embeddings,
    which this function enters while it loads them.

    Args:
        run: Folder of a run, which `fit` prints and which lies in the folder of a study; or of a store, which `predict`
            prints.
        trust: Modules that its frontend may import, where its arguments name some.

    Raises:
        UsageError: The folder is neither a run nor a store, or its data or embeddings no longer exist or have changed.
        StoreError: Embeddings of some clips are missing.
    """
    folder = Path(run).absolute()
    metrics = read_metrics(folder)
    if metrics and metrics.get("format") != FORMAT:
        raise UsageError(f"{folder} {other_format(metrics.get('format', 1), FORMAT)} fit the run again")
    if (folder / "manifest.json").is_file():
        config, made_in = _request(folder)
    else:
        config, made_in = _config(folder), metrics.get("working_folder", ".")
    with contextlib.chdir(made_in if Path(made_in).is_dir() else "."):
        return _load(folder, config, metrics, [trust] if isinstance(trust, str) else trust)


def _load(folder: Path, config: Any, metrics: Mapping[str, Any], trust: Sequence[str]) -> Embeddings:
    """Load the embeddings of a run or of a store in the folder that its paths are relative to."""
    probe, datamodule, precision, root = _rebuilt(folder, config, trust)
    frontend = probe.require_frontend()
    stored_in = store_folder(root, frontend, datamodule, precision)
    if not stored_in.is_dir():
        raise UsageError(
            f"no embeddings at {stored_in.absolute()}: call it from where the run was made, or compute them again with "
            f"untrained fit --config {folder / 'config.yaml'}"
        )
    n_then = metrics.get("n_clips", 0) + metrics.get("n_failed", 0)
    if metrics and len(datamodule.listed) != n_then:
        raise UsageError(
            f"{datamodule.dataset_name} has {len(datamodule.listed)} clips, the run had {n_then}; fit it again"
        )
    store = open_store(root, frontend, datamodule, precision)
    data = EmbeddedData(store, datamodule, columns=probe.columns)
    names = frontend.feature_names
    return Embeddings(
        X=data.embeddings(data.clips),
        y=data.labels(data.clips),
        ids=[clip.id for clip in data.clips],
        classes=data.class_names,
        splits=[clip.split or "" for clip in data.clips],
        folds=np.array([-1 if clip.fold is None else clip.fold for clip in data.clips]),
        groups=[clip.group or "" for clip in data.clips],
        features=names if probe.columns is None else [names[column] for column in probe.columns],
    )


def _request(store: Path) -> tuple[Any, str]:
    """Return the configuration of the command that used a store last, and its working folder.

    Raises:
        UsageError: No `predict` has used the store, or the file cannot be read.
    """
    path = store / REQUEST
    try:
        content = read_json(path)
        return content["config"], str(content["working_folder"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{store} does not say which data set it is of ({type(error).__name__} for {REQUEST}): run untrained "
            "predict with its options again, or give the folder of a run that used it"
        ) from error


def _config(run: Path) -> Any:
    """Return the configuration of a run.

    Raises:
        UsageError: The folder is not a run, or its configuration cannot be read.
    """
    path = run / "config.yaml"
    if not path.is_file():
        raise UsageError(
            f"no config.yaml in {run}: give the folder of a run, such as runs/folder/vgg/svm/seed0-1f2e3d, or of a "
            "store, such as runs/embeddings/folder-vgg-1f2e3d"
        )
    try:
        text = read_bounded(path, MAX_YAML).decode()
        refuse_absurd_yaml(text)
        return unescaped(yaml.safe_load(text))
    except (ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be used ({type(error).__name__}: {error}); fit the run again") from error


def _rebuilt(folder: Path, config: Any, trust: Sequence[str]) -> tuple[Probe, AudioDataModule, str, Path]:
    """Return the probe and the data set of a run, the precision of its embeddings, and the folder of all stores.

    Raises:
        UsageError: The configuration cannot be used.
    """
    try:
        model, trainer = config["model"], config["trainer"]
        frontend: Frontend = _plugin(model["frontend"], FRONTENDS, trust)
        datamodule: AudioDataModule = _plugin(config["data"], DATAMODULES, trust)
        options = ("init", "layers", "pooling", "tf32", "calibrate", "weights")
        probe = prepared(Probe(frontend, **{name: model[name] for name in options if name in model}), datamodule)
        precision = precision_field(str(trainer.get("precision") or "32-true"), probe)
        root = Path(config.get("embeddings") or Path(trainer["default_root_dir"] or ".").expanduser() / "embeddings")
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        path = folder / "config.yaml" if (folder / "config.yaml").is_file() else folder / REQUEST
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
