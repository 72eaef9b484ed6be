"""What a run has left, in one line each: its embeddings with labels and folds, and its trained probe."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ..backends.base import Array
from ..datamodules import AudioDataModule
from ..embeddings.provenance import describe
from ..embeddings.writer import open_store, place
from ..errors import UsageError
from ..frontends import Frontend
from ..registry import DATAMODULES, FRONTENDS, Registry
from ..studies.results import read_metrics
from .checkpoint import Recipe
from .fitted import Labelled, classify
from .probe import EmbeddedData, Probe
from .trained import load


@dataclass(frozen=True)
class Embeddings:
    """Embeddings of a data set, with all that is needed to learn from them.

    Args:
        X: `(n_clips, n_features)`, float32.
        y: Labels, as indices into `classes`, `(n_clips,)`.
        ids: Of the clips.
        classes: Names of the classes.
        splits: Of each clip, or empty where there are none.
        folds: Of each clip, -1 where there are none, `(n_clips,)`.
        groups: Of each clip, or empty where there are none.
        features: Names of the columns of `X`.
    """

    X: Array
    y: Array
    ids: Sequence[str]
    classes: Sequence[str]
    splits: Sequence[str]
    folds: Array
    groups: Sequence[str]
    features: Sequence[str]


@dataclass(frozen=True)
class TrainedProbe:
    """A frontend and a trained backend.

    Args:
        probe: Of both.
        recipe: What it was made of.
    """

    probe: Probe
    recipe: Recipe

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        return self.recipe.class_names

    def predict(self, paths: Sequence[str | Path], *, accelerator: str = "auto") -> list[str]:
        """The class of each audio file.

        Args:
            paths: Of the files.
            accelerator: Where the frontend runs, as Lightning calls it.

        Raises:
            UsageError: A file cannot be used.
        """
        return [sound.label for sound in self._labelled(paths, accelerator)]

    def scores(self, paths: Sequence[str | Path], *, accelerator: str = "auto") -> list[Mapping[str, float]]:
        """What each audio file is given for each class, more is likelier; empty for a backend that gives labels alone.

        Args:
            paths: Of the files.
            accelerator: Where the frontend runs, as Lightning calls it.

        Raises:
            UsageError: A file cannot be used.
        """
        return [sound.scores for sound in self._labelled(paths, accelerator)]

    def _labelled(self, paths: Sequence[str | Path], accelerator: str) -> list[Labelled]:
        if isinstance(paths, str | Path):
            raise UsageError(f"paths={str(paths)!r}; expected a list of paths, as [{str(paths)!r}]")
        names = [str(path) for path in paths]
        sounds = [Labelled(name) for name in dict.fromkeys(names)]
        found = {sound.path: sound for sound in classify(self.probe, self.recipe, sounds, accelerator=accelerator)}
        broken = [f"{sound.path}: {sound.error}" for sound in found.values() if sound.error]
        if broken:
            raise UsageError("\n".join(broken))
        return [found[name] for name in names]


def load_probe(path: str | Path, trust: Sequence[str] | str = ()) -> TrainedProbe:
    """A trained probe, ready to label sounds.

    Args:
        path: Its `probe.ckpt`, or the folder of its run.
        trust: As `--trust` of the command line.

    Raises:
        CheckpointError: It is no checkpoint, is damaged, or names types that are not trusted.
    """
    path = Path(path)
    return TrainedProbe(*load(path / "probe.ckpt" if path.is_dir() else path, trust))


def load_embeddings(run: str | Path, trust: Sequence[str] | str = ()) -> Embeddings:
    """The embeddings that a run has learned from, with labels, splits or folds, and groups.

    Args:
        run: Folder of a run, which `fit` and `compare` print.
        trust: Modules that its frontend may import, where its arguments name some.

    Raises:
        UsageError: There is no run, or its data or embeddings are not there any more, or have changed.
        StoreError: Embeddings of some clips are missing.
    """
    path = Path(run) / "config.yaml"
    if not path.is_file():
        raise UsageError(f"no config.yaml in {run}: give the folder of a run, as runs/folder/vgg/svm/seed0-1f2e3d")
    trust = [trust] if isinstance(trust, str) else trust
    try:
        config = yaml.safe_load(path.read_text("utf-8"))
        model, trainer = config["model"], config["trainer"]
        frontend: Frontend = _made(model["frontend"], FRONTENDS, trust)
        datamodule: AudioDataModule = _made(config["data"], DATAMODULES, trust)
        probe = Probe(frontend, **{name: model[name] for name in ("init", "layers", "pooling") if name in model})
        precision = str(trainer.get("precision") or "32-true")
        root = Path(config.get("embeddings") or Path(trainer["default_root_dir"] or ".").expanduser() / "embeddings")
    except (KeyError, TypeError, AttributeError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{path} cannot be used ({type(error).__name__}: {error}); fit the run again") from error
    frontend = probe.require_frontend()
    folder = root / place(describe(frontend, datamodule, precision), datamodule)
    if not folder.is_dir():
        raise UsageError(
            f"no embeddings at {folder}: call it from where the run was made, or compute them again with "
            f"untrained fit --config {path}"
        )
    metrics = read_metrics(Path(run))
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


def _made(entry: Mapping[str, Any], registry: Registry[Any], trust: Sequence[str]) -> Any:
    """A plug-in that a configuration names; registered ones alone, so that a file imports nothing of its own."""
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
