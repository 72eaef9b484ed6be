"""Trained probes: kept in a checkpoint, built again from it, and told what they must not be scored on."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..backends import BackEnd
from ..datamodules import AudioDataModule, Clip
from ..errors import CheckpointError, UntrainedError, UsageError
from ..plain import digest
from . import checkpoint
from . import serialization as stored_back_end
from .probe import EmbeddedData, Probe


def save(path: Path, probe: Probe, datamodule: AudioDataModule, data: EmbeddedData) -> None:
    """Write a probe that was trained on `data` as a checkpoint."""
    front_end, backend = probe.require_front_end(), probe.require_back_end()
    name, arguments = checkpoint.name_front_end(front_end)
    back_end_name = checkpoint.name_back_end(backend)
    if probe.selection is None:
        raise CheckpointError(f"back-end {back_end_name!r} is not fitted, so that there is nothing to save")
    recipe = checkpoint.Recipe(
        front_end=name,
        front_end_arguments=arguments,
        **front_end.options._asdict(),
        layers=probe.layers,
        standardize=probe.standardize,
        back_end=back_end_name,
        sample_rate=front_end.sample_rate,
        n_samples=datamodule.n_samples,
        fit_length=datamodule.fit_length,
        class_names=list(datamodule.class_names),
        protocol=probe.selection.protocol,
        fitted_to=fingerprints(datamodule, data.learned),
    )
    try:
        checkpoint.save(path, recipe, front_end, backend)
    except UntrainedError:
        raise
    except Exception as error:  # whatever parts of a plug-in skops cannot write
        raise CheckpointError(f"back-end {back_end_name!r} cannot be saved: {error}") from error


def load(path: str | Path, trust: Sequence[str] | str = ()) -> tuple[Probe, checkpoint.Recipe]:
    """Build a trained probe from a checkpoint.

    Args:
        path: The `probe.ckpt` of a run.
        trust: A type, or types, of its back-end that may be built beside registered back-ends and what ours hold; and
            modules that its front-end may import.

    Raises:
        CheckpointError: It is no checkpoint of ours, is damaged, or names types that are not trusted.
    """
    trust = [trust] if isinstance(trust, str) else trust
    odd = [name for name in trust if not re.fullmatch(r"\w+(\.\w+)*", name)]
    if odd:
        raise UsageError(f"--trust {odd[0]!r} is no type or module; expected module.Class, or '[module.Class, ...]'")
    recipe, content = checkpoint.read(path)
    front_end = checkpoint.build_front_end(recipe, content, path, trust)
    back_end = stored_back_end.unpack(content["back_end"], recipe.back_end, recipe.standardize, path, trust)
    try:
        probe = Probe(front_end, back_end, layers=recipe.layers, standardize=recipe.standardize)
    except ValueError as error:
        raise CheckpointError(f"{path} does not fit the front-end that is installed ({error}); fit it again") from error
    n_learned = getattr(back_end, "n_features_in_", probe.n_features)  # which not every plug-in keeps
    if probe.n_features != n_learned:
        raise CheckpointError(
            f"{path} does not fit the front-end that is installed: its back-end has learned from {n_learned} features, "
            f"the front-end gives {probe.n_features}; fit it again"
        )
    _refuse_one_that_cannot_predict(path, back_end, probe.n_features, len(recipe.class_names))
    return probe, recipe


def _refuse_one_that_cannot_predict(path: str | Path, back_end: BackEnd, n_features: int, n_classes: int) -> None:
    """Try a back-end that comes from a file.

    Raises:
        CheckpointError: It raises anything, or gives labels that there are not.
    """
    nothing = np.zeros((1, n_features))
    try:
        known = {*back_end.predict(nothing).tolist(), *getattr(back_end, "classes_", np.zeros(0, int)).tolist()}
        back_end.class_scores(nothing)
        if not known <= set(range(n_classes)):
            raise ValueError(f"its labels are not those of {n_classes} classes")
    except Exception as error:  # whatever parts that do not fit together raise
        raise CheckpointError(f"{path}: its back-end is damaged ({error}); fit the probe again") from error


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
