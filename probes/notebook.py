"""Loading of the embeddings of a run or a store, for notebooks."""

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
from .embedded import EmbeddedData
from .extraction import prepared
from .probe import Probe
from .record import FORMAT, REQUEST, read_metrics


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of a data set, with the labels, splits, folds and groups of its clips.

    Args:
        X: Embeddings, `(n_clips, n_features)`, float32.
        y: Labels as indices into `classes`, `(n_clips,)`.
        ids: Ids of the clips.
        classes: Names of the classes.
        splits: Split of each clip; empty if the clip has no split.
        folds: Fold of each clip, or -1 if the clip has no fold, `(n_clips,)`.
        groups: Group of each clip; empty if the clip has no group.
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
        """Return a pandas DataFrame with a row for each clip: id as index, label, split, fold, group and features.

        Raises:
            UsageError: pandas is not installed.
        """
        try:
            import pandas  # optional and slow to import
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
    """Load embeddings with the labels, splits, folds and groups of the clips, from any working folder.

    Relative paths in the configuration are relative to the working folder of the command that made the embeddings.
    This function enters that folder while it loads the embeddings.

    Args:
        run: Run folder (printed by `fit`, or inside a study folder) or store folder (printed by `predict`).
        trust: Modules that the frontend may import if its arguments name them; one name or several.

    Raises:
        UsageError: The folder is neither a run nor a store, or the data or embeddings no longer exist or have changed.
        StoreError: Embeddings of some clips are missing.
    """
    folder = Path(run).absolute()
    metrics = read_metrics(folder)
    if metrics and metrics.get("format") != FORMAT:
        raise UsageError(f"{folder} {other_format(metrics.get('format', 1), FORMAT)} run `untrained fit` again")
    if metrics.get("weights") == "trained":
        raise UsageError(
            f"{folder} is a run of `untrained train`, whose embeddings are not stored; compute them with `untrained "
            f"predict ... --model.weights {folder / 'frontend.safetensors'}`, and pass the folder that it prints"
        )
    if (folder / "manifest.json").is_file():
        config, made_in = _request(folder)
    else:
        config, made_in = _config(folder), metrics.get("working_folder", ".")
    with contextlib.chdir(made_in if Path(made_in).is_dir() else "."):
        return _load(folder, config, metrics, [trust] if isinstance(trust, str) else trust)


def _load(folder: Path, config: Any, metrics: Mapping[str, Any], trust: Sequence[str]) -> Embeddings:
    """Load the embeddings of a run or a store; the working folder must be that of the original command."""
    probe, datamodule, precision, root = _rebuilt(folder, config, trust)
    frontend = probe.require_frontend()
    stored_in = store_folder(root, frontend, datamodule, precision)
    if not stored_in.is_dir():
        raise UsageError(
            f"no embeddings at {stored_in.absolute()}; call load_embeddings in the working folder of the run, or "
            f"compute them again with `untrained fit --config {folder / 'config.yaml'}`"
        )
    n_then = metrics.get("n_clips", 0) + metrics.get("n_failed", 0)
    if metrics and len(datamodule.listed) != n_then:
        raise UsageError(
            f"{datamodule.dataset_name} has {len(datamodule.listed)} clips, but the run had {n_then}; run "
            "`untrained fit` again"
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
    """Return the configuration of the last command that used a store, and its working folder.

    Raises:
        UsageError: No `predict` has used the store, or the record of the command cannot be read.
    """
    path = store / REQUEST
    try:
        content = read_json(path)
        return content["config"], str(content["working_folder"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"cannot determine the data set of store {store}: {type(error).__name__} for {REQUEST}; run `untrained "
            "predict` again with the same options, or pass a run folder"
        ) from error


def _config(run: Path) -> Any:
    """Return the configuration of a run.

    Raises:
        UsageError: The folder is not a run, or its configuration cannot be read.
    """
    path = run / "config.yaml"
    if not path.is_file():
        raise UsageError(
            f"no config.yaml in {run}; pass a run folder, such as runs/folder/vgg/svm/seed0-1f2e3d, or a store folder, "
            "such as runs/embeddings/folder-vgg-1f2e3d"
        )
    try:
        text = read_bounded(path, MAX_YAML).decode()
        refuse_absurd_yaml(text)
        return unescaped(yaml.safe_load(text))
    except (ValueError, yaml.YAMLError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise UsageError(f"{path} cannot be used ({problem}); run `untrained fit` again") from error


def _rebuilt(folder: Path, config: Any, trust: Sequence[str]) -> tuple[Probe, AudioDataModule, str, Path]:
    """Return the probe, the data set and the precision of a run, and the folder that holds all stores.

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
        is_run = (folder / "config.yaml").is_file()
        path = folder / ("config.yaml" if is_run else REQUEST)
        remedy = f"run `untrained {'fit' if is_run else 'predict'}` again"
        raise UsageError(f"{path} cannot be used ({type(error).__name__}: {error}); {remedy}") from error
    return probe, datamodule, precision, root


def _plugin(entry: Mapping[str, Any], registry: Registry[Any], trust: Sequence[str]) -> Any:
    """Return the plug-in that a configuration names; it must be registered, so that a file cannot import other code."""
    cls = registry.get(entry["class_path"].rpartition(".")[2])
    arguments = entry.get("init_args") or {}
    unknown = [
        arguments[name] for name in getattr(cls, "imports", ()) if name in arguments and arguments[name] not in trust
    ]
    if unknown:
        raise UsageError(
            f"its frontend would import {unknown[0]!r}; if you trust this module, allow it with trust={unknown[0]!r}"
        )
    return cls(**arguments)
