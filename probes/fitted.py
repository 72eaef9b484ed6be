"""Fitted probe, which is loaded from a checkpoint and labels sounds."""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backends import Backend
from ..datamodules.machine import Auto
from ..errors import CheckpointError, UntrainedError, UsageError
from ..escaping import for_terminal
from ..frontends import Frontend
from ..frontends.allocations import AllocationError, at_most, refuse_long_input
from ..frontends.planned import Calibration, set_calibration
from ..registry import FRONTENDS
from . import checkpoint, serialization
from .labelling import Labelled, label_sounds
from .recipe import Recipe
from .record import find_checkpoint

if TYPE_CHECKING:
    from .probe import Probe

MAX_CLASSES = 10  # number of classes that a printed probe names
_SPARE = 2**28  # bytes that a frontend may allocate besides its weights, for example for filters that it computes
_UNSUSPICIOUS = 2**24  # maximum length of a clip whose memory is not checked, in samples (23 minutes at 12 kHz)


@dataclass(frozen=True, repr=False)
class FittedProbe:
    """A frontend and a fitted backend.

    Args:
        frontend: Frontend with the weights of the checkpoint.
        backend: Fitted backend.
        recipe: Everything besides the weights that describes the probe.
    """

    frontend: Frontend
    backend: Backend
    recipe: Recipe

    def __repr__(self) -> str:
        recipe, classes = self.recipe, self.classes
        names = ", ".join([*map(for_terminal, classes[:MAX_CLASSES]), *(["..."] if len(classes) > MAX_CLASSES else [])])
        return (
            f"{type(self).__name__}({recipe.frontend} -> {recipe.backend}, {len(classes)} classes: {names}; "
            f"clips of {recipe.n_samples / recipe.sample_rate:.4g} s at {recipe.sample_rate} Hz)"
        )

    @cached_property
    def probe(self) -> "Probe":
        """Frontend and backend as a module for Lightning's loops."""
        from .probe import Probe  # Lightning takes seconds to import, and labelling sounds does not need its loops

        options = {name: getattr(self.recipe, name) for name in ("layers", "standardize", "tf32")}
        return Probe(self.frontend, self.backend, **options)

    @property
    def classes(self) -> list[str]:
        """Names of the classes, in the order of the backend's labels."""
        return self.recipe.class_names

    def label(
        self,
        sounds: Sequence[Labelled],
        *,
        accelerator: str = "auto",
        batch_size: int | Auto = "auto",
        num_workers: int | Auto = "auto",
    ) -> Iterator[Labelled]:
        """Label audio files; see `label_sounds` for the arguments."""
        return label_sounds(
            self.frontend,
            self.backend,
            self.recipe,
            sounds,
            accelerator=accelerator,
            batch_size=batch_size,
            num_workers=num_workers,
        )

    def predict(self, paths: Sequence[str | Path], *, accelerator: str = "auto") -> list[str]:
        """Return the predicted class of each audio file.

        Args:
            paths: Paths of the files.
            accelerator: Device that the frontend runs on: auto, cpu, gpu, cuda or mps.

        Raises:
            UsageError: A file cannot be used; the message lists all such files.
        """
        return [sound.label for sound in self._labelled(paths, accelerator)]

    def scores(self, paths: Sequence[str | Path], *, accelerator: str = "auto") -> list[Mapping[str, float]]:
        """Return the score of each class for each audio file; the class with the highest score is the most likely.

        The scores are empty if the backend predicts labels only.

        Args:
            paths: Paths of the files.
            accelerator: Device that the frontend runs on: auto, cpu, gpu, cuda or mps.

        Raises:
            UsageError: A file cannot be used; the message lists all such files.
        """
        return [sound.scores for sound in self._labelled(paths, accelerator)]

    def _labelled(self, paths: Sequence[str | Path], accelerator: str) -> list[Labelled]:
        if isinstance(paths, str | Path):
            raise UsageError(f"paths={str(paths)!r}; expected a list of paths, such as [{str(paths)!r}]")
        names = [str(path) for path in paths]
        sounds = [Labelled(name) for name in dict.fromkeys(names)]
        found = {sound.path: sound for sound in self.label(sounds, accelerator=accelerator)}
        broken = [f"{sound.path}: {sound.error}" for sound in found.values() if sound.error]
        if broken:
            raise UsageError("\n".join(broken))
        return [found[name] for name in names]


def load_probe(path: str | Path, trust: Sequence[str] | str = ()) -> FittedProbe:
    """Load a fitted probe.

    Args:
        path: Checkpoint of a run (`probe.ckpt`), folder of a run, or file `latest` in the folder of runs.
        trust: Types that the backend may contain besides registered backends and the types of bundled backends, and
            modules that the frontend may import; one name or several. Same as `--trust` on the command line.

    Raises:
        CheckpointError: The file is not a checkpoint of this version, is damaged, or names types that are not trusted.
        UsageError: An entry of `trust` is not the name of a type or a module.
    """
    path = find_checkpoint(Path(path))
    trust = [trust] if isinstance(trust, str) else trust
    odd = [name for name in trust if not re.fullmatch(r"\w+(\.\w+)*", name)]
    if odd:
        raise UsageError(f"--trust {odd[0]!r} is not a type or module; expected module.Class or '[module.Class, ...]'")
    recipe, content = checkpoint.read(path)
    frontend = _build_frontend(recipe, content, path, trust)
    backend = serialization.unpack(content["backend"], recipe.backend, recipe.standardize, path, trust)
    try:
        n_features = len(frontend.columns(recipe.layers))
    except ValueError as error:
        raise CheckpointError(f"{path} does not match the installed frontend ({error}); fit the probe again") from error
    n_learned = getattr(backend, "n_features_in_", n_features)  # not every plug-in sets it
    if n_features != n_learned:
        raise CheckpointError(
            f"{path} does not match the installed frontend: its backend was fitted to {n_learned} features, but the "
            f"frontend returns {n_features}; fit the probe again"
        )
    _refuse_absurd_length(path, frontend, recipe)
    _refuse_unusable_backend(path, backend, n_features, len(recipe.class_names))
    return FittedProbe(frontend, backend, recipe)


def _refuse_absurd_length(path: str | Path, frontend: Frontend, recipe: Recipe) -> None:
    """Raise if a single clip of the length that a checkpoint states would exhaust memory.

    Raises:
        CheckpointError: The clip would not fit in memory.
    """
    n_samples = max(recipe.n_samples, frontend.min_samples)
    if n_samples > _UNSUSPICIOUS:
        try:
            refuse_long_input(frontend, n_samples)
        except AllocationError as error:
            raise CheckpointError(
                f"cannot load {path}: its clips of {n_samples:,} samples do not fit in memory ({error}); fit a "
                "probe to shorter clips, for example with --data.seconds 30"
            ) from error


def _refuse_unusable_backend(path: str | Path, backend: Backend, n_features: int, n_classes: int) -> None:
    """Raise if the backend of a checkpoint cannot predict.

    Raises:
        CheckpointError: The backend raises an error, or predicts labels that do not exist.
    """
    nothing = np.zeros((1, n_features))
    try:
        known = {*backend.predict(nothing).tolist(), *getattr(backend, "classes_", np.zeros(0, int)).tolist()}
        backend.class_scores(nothing)
        if not known <= set(range(n_classes)):
            raise ValueError(f"its labels do not match {n_classes} classes")
    except Exception as error:  # parts that do not fit together may raise any error
        raise CheckpointError(f"{path}: its backend is damaged ({error}); fit the probe again") from error


def _build_frontend(recipe: Recipe, content: dict[str, Any], path: str | Path, trust: Sequence[str]) -> Frontend:
    """Build the frontend of a checkpoint; its stored weights override its seed.

    Args:
        recipe: Recipe of the checkpoint.
        content: Whole content of the checkpoint.
        path: Path of the checkpoint, for messages.
        trust: Modules that the frontend may import if its arguments name them.

    Raises:
        CheckpointError: The frontend would import a module that is not trusted, or the checkpoint does not match the
            installed frontend.
    """
    arguments = recipe.frontend_arguments
    named = [str(arguments[name]) for name in FRONTENDS.get(recipe.frontend).imports if name in arguments]
    odd = [module for module in named if not re.fullmatch(r"\w+(\.\w+)*", module)]
    if odd:
        raise CheckpointError(
            f"cannot load {path}: its frontend {recipe.frontend!r} would import {odd[0]!r}, which is not the name of a "
            f"module; {checkpoint.REMEDY}"
        )
    unknown = [module for module in named if module not in trust]
    if unknown:
        raise CheckpointError(
            f"{path}: its frontend {recipe.frontend!r} would import {', '.join(unknown)}; if you know where the file "
            f"comes from, allow it with --trust {serialization.quoted(sorted({*trust, *unknown}))}"
        )
    # A trusted module may load more weights than the file holds.
    bounds = contextlib.nullcontext() if named else _limited_memory(content["state_dict"])
    try:
        with bounds:
            made: Frontend = FRONTENDS.create(recipe.frontend, **recipe.frontend_arguments)
            frontend = made.with_options(recipe.init, recipe.pooling)
        frontend.load_state_dict(content["state_dict"])
        mean, deviation = recipe.input_scalars
        frontend.input_scalars = (mean, deviation)
        if recipe.calibration:
            clips, weights = recipe.calibration
            set_calibration(frontend, Calibration(clips, weights=weights))
    except (AllocationError, MemoryError) as error:
        raise CheckpointError(
            f"cannot load {path}: the arguments of its frontend {recipe.frontend!r} need far more memory than its "
            f"weights ({error}); {checkpoint.REMEDY}"
        ) from error
    except UntrainedError:
        raise
    except Exception as error:  # arguments that a frontend does not expect may raise any error
        raise CheckpointError(
            f"{path} does not match the installed frontend {recipe.frontend!r} "
            f"({' '.join(str(error).split())[:300]}); fit the probe again"
        ) from error
    if frontend.sample_rate != recipe.sample_rate:
        raise CheckpointError(
            f"{path} was fitted at {recipe.sample_rate} Hz, but the installed frontend {recipe.frontend!r} takes "
            f"{frontend.sample_rate} Hz; fit the probe again"
        )
    return frontend


def _limited_memory(weights: Mapping[str, Any]) -> contextlib.AbstractContextManager[None]:
    """Return a context that raises if a frontend allocates far more memory than its weights need."""
    held = sum(tensor.nbytes for tensor in weights.values())
    return at_most(held + _SPARE, 64 * held + 8 * _SPARE)  # drawing weights allocates about 20 times their size
