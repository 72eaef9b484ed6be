"""Trained probes: kept in a checkpoint, built again from it, and told what they must not be scored on."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..backends import Backend
from ..datamodules import AudioDataModule, Clip
from ..errors import CheckpointError, UntrainedError, UsageError
from ..plain import digest
from . import checkpoint, serialization
from .probe import EmbeddedData, Probe


def save(path: Path, probe: Probe, datamodule: AudioDataModule, data: EmbeddedData) -> None:
    """Write a probe that was trained on `data` as a checkpoint."""
    frontend, backend = probe.require_frontend(), probe.require_backend()
    name, arguments = checkpoint.name_frontend(frontend)
    backend_name = checkpoint.name_backend(backend)
    if probe.selection is None:
        raise CheckpointError(f"backend {backend_name!r} is not fitted, so that there is nothing to save")
    recipe = checkpoint.Recipe(
        frontend=name,
        frontend_arguments=arguments,
        **frontend.options._asdict(),
        layers=probe.layers,
        standardize=probe.standardize,
        backend=backend_name,
        sample_rate=frontend.sample_rate,
        n_samples=datamodule.n_samples,
        fit_length=datamodule.fit_length,
        class_names=list(datamodule.class_names),
        protocol=probe.selection.protocol,
        fitted_to=fingerprints(datamodule, data.learned),
    )
    try:
        checkpoint.save(path, recipe, frontend, backend)
    except UntrainedError:
        raise
    except Exception as error:  # whatever parts of a plug-in skops cannot write
        raise CheckpointError(f"backend {backend_name!r} cannot be saved: {error}") from error


def load(path: str | Path, trust: Sequence[str] | str = ()) -> tuple[Probe, checkpoint.Recipe]:
    """Build a trained probe from a checkpoint.

    Args:
        path: The `probe.ckpt` of a run.
        trust: A type, or types, of its backend that may be built beside registered backends and what ours hold; and
            modules that its frontend may import.

    Raises:
        CheckpointError: It is no checkpoint of ours, is damaged, or names types that are not trusted.
    """
    trust = [trust] if isinstance(trust, str) else trust
    odd = [name for name in trust if not re.fullmatch(r"\w+(\.\w+)*", name)]
    if odd:
        raise UsageError(f"--trust {odd[0]!r} is no type or module; expected module.Class, or '[module.Class, ...]'")
    recipe, content = checkpoint.read(path)
    frontend = checkpoint.build_frontend(recipe, content, path, trust)
    backend = serialization.unpack(content["backend"], recipe.backend, recipe.standardize, path, trust)
    try:
        probe = Probe(frontend, backend, layers=recipe.layers, standardize=recipe.standardize)
    except ValueError as error:
        raise CheckpointError(f"{path} does not fit the frontend that is installed ({error}); fit it again") from error
    n_learned = getattr(backend, "n_features_in_", probe.n_features)  # which not every plug-in keeps
    if probe.n_features != n_learned:
        raise CheckpointError(
            f"{path} does not fit the frontend that is installed: its backend has learned from {n_learned} features, "
            f"the frontend gives {probe.n_features}; fit it again"
        )
    _refuse_one_that_cannot_predict(path, backend, probe.n_features, len(recipe.class_names))
    return probe, recipe


def _refuse_one_that_cannot_predict(path: str | Path, backend: Backend, n_features: int, n_classes: int) -> None:
    """Try a backend that comes from a file.

    Raises:
        CheckpointError: It raises anything, or gives labels that there are not.
    """
    nothing = np.zeros((1, n_features))
    try:
        known = {*backend.predict(nothing).tolist(), *getattr(backend, "classes_", np.zeros(0, int)).tolist()}
        backend.class_scores(nothing)
        if not known <= set(range(n_classes)):
            raise ValueError(f"its labels are not those of {n_classes} classes")
    except Exception as error:  # whatever parts that do not fit together raise
        raise CheckpointError(f"{path}: its backend is damaged ({error}); fit the probe again") from error


def fingerprints(datamodule: AudioDataModule, clips: Sequence[Clip]) -> list[str]:
    """What tells clips apart across data sets: id and stamp of a file, id and source of a sound that is made."""
    places = {clip.id: datamodule.stamp(clip) if clip.path else datamodule.source for clip in clips}
    return [digest({"id": clip_id, "place": place})[:16] for clip_id, place in places.items()]


def refuse_unknown_classes(datamodule: AudioDataModule, class_names: Sequence[str]) -> None:
    """Refuse data with classes that a trained probe does not know.

    Raises:
        CheckpointError: There are such classes.
    """
    strange = sorted(set(datamodule.class_names) - set(class_names))
    if strange:
        raise CheckpointError(
            f"the data has classes that the probe was not fitted to: {', '.join(strange)}; "
            f"it knows {', '.join(class_names)}"
        )
