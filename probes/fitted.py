"""A fitted probe, built from its checkpoint and ready to label sounds."""

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
from ..registry import FRONTENDS
from . import checkpoint, serialization
from .labelling import Labelled, label_sounds
from .recipe import Recipe
from .record import find_checkpoint

if TYPE_CHECKING:
    from .probe import Probe

MAX_CLASSES = 10  # that are named when a probe is printed
_SPARE = 2**28  # bytes that a frontend may take besides its weights, such as for filters that it computes
_UNSUSPICIOUS = 2**24  # samples of a clip, some 20 minutes, whose maps are not looked at


@dataclass(frozen=True, repr=False)
class FittedProbe:
    """A frontend and a fitted backend.

    Args:
        frontend: Frontend with the weights of the checkpoint.
        backend: Fitted backend.
        recipe: Everything that the probe was made of.
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
        from .probe import Probe  # Lightning takes seconds to import, and labelling sounds needs none of its loops

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
        """Label audio files, as `label_sounds` does, which describes the arguments."""
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
        """Return the class of each audio file.

        Args:
            paths: Paths of the files.
            accelerator: Device that the frontend runs on: auto, cpu, gpu, cuda or mps.

        Raises:
            UsageError: A file cannot be used.
        """
        return [sound.label for sound in self._labelled(paths, accelerator)]

    def scores(self, paths: Sequence[str | Path], *, accelerator: str = "auto") -> list[Mapping[str, float]]:
        """Return the score of each class for each audio file; a higher one is likelier.

        Scores are empty for a backend that predicts labels only.

        Args:
            paths: Paths of the files.
            accelerator: Device that the frontend runs on: auto, cpu, gpu, cuda or mps.

        Raises:
            UsageError: A file cannot be used.
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
        path: The `probe.ckpt` of a run, the folder of the run, or the file `latest` beside runs.
        trust: Type or types that the backend may name besides registered backends and the types in bundled ones; and
            modules that the frontend may import. The same as `--trust` on the command line.

    Raises:
        CheckpointError: The file is not a checkpoint of this version, is damaged, or names types that are not trusted.
        UsageError: An entry of `trust` cannot be a type or a module.
    """
    path = find_checkpoint(Path(path))
    trust = [trust] if isinstance(trust, str) else trust
    odd = [name for name in trust if not re.fullmatch(r"\w+(\.\w+)*", name)]
    if odd:
        raise UsageError(f"--trust {odd[0]!r} is no type or module; expected module.Class, or '[module.Class, ...]'")
    recipe, content = checkpoint.read(path)
    frontend = _build_frontend(recipe, content, path, trust)
    backend = serialization.unpack(content["backend"], recipe.backend, recipe.standardize, path, trust)
    try:
        n_features = len(frontend.columns(recipe.layers))
    except ValueError as error:
        raise CheckpointError(f"{path} does not fit the frontend that is installed ({error}); fit it again") from error
    n_learned = getattr(backend, "n_features_in_", n_features)  # not every plug-in sets it
    if n_features != n_learned:
        raise CheckpointError(
            f"{path} does not fit the frontend that is installed: its backend has learned from {n_learned} features, "
            f"the frontend gives {n_features}; fit it again"
        )
    _refuse_absurd_length(path, frontend, recipe)
    _refuse_one_that_cannot_predict(path, backend, n_features, len(recipe.class_names))
    return FittedProbe(frontend, backend, recipe)


def _refuse_absurd_length(path: str | Path, frontend: Frontend, recipe: Recipe) -> None:
    """Raise if one clip of the length that a file states would exhaust memory.

    Raises:
        CheckpointError: It would.
    """
    n_samples = max(recipe.n_samples, frontend.min_samples)
    if n_samples > _UNSUSPICIOUS:
        try:
            refuse_long_input(frontend, n_samples)
        except AllocationError as error:
            raise CheckpointError(
                f"{path} is not loaded: its clips of {n_samples:,} samples do not fit in memory ({error}); fit a probe "
                "with shorter clips, such as --data.seconds 30"
            ) from error


def _refuse_one_that_cannot_predict(path: str | Path, backend: Backend, n_features: int, n_classes: int) -> None:
    """Raise if a backend that comes from a file cannot predict.

    Raises:
        CheckpointError: The backend raises an error, or predicts labels that do not exist.
    """
    nothing = np.zeros((1, n_features))
    try:
        known = {*backend.predict(nothing).tolist(), *getattr(backend, "classes_", np.zeros(0, int)).tolist()}
        backend.class_scores(nothing)
        if not known <= set(range(n_classes)):
            raise ValueError(f"its labels are not those of {n_classes} classes")
    except Exception as error:  # parts that do not fit together may raise anything
        raise CheckpointError(f"{path}: its backend is damaged ({error}); fit the probe again") from error


def _build_frontend(recipe: Recipe, content: dict[str, Any], path: str | Path, trust: Sequence[str]) -> Frontend:
    """Build the frontend of a checkpoint; its stored weights override its seed.

    Args:
        recipe: Recipe of the checkpoint.
        content: Whole content of the checkpoint.
        path: Path of the checkpoint, for messages.
        trust: Modules that the frontend may import where its arguments name some.

    Raises:
        CheckpointError: The frontend would import a module that is not trusted, or differs from the one installed.
    """
    arguments = recipe.frontend_arguments
    named = [str(arguments[name]) for name in FRONTENDS.get(recipe.frontend).imports if name in arguments]
    odd = [module for module in named if not re.fullmatch(r"\w+(\.\w+)*", module)]
    if odd:
        raise CheckpointError(f"{path}: its frontend {recipe.frontend!r} names {odd[0]!r}, which is no module")
    unknown = [module for module in named if module not in trust]
    if unknown:
        raise CheckpointError(
            f"{path}: its frontend {recipe.frontend!r} would import {', '.join(unknown)}; if you know where the file "
            f"comes from, allow it with --trust {serialization.quoted(sorted({*trust, *unknown}))}"
        )
    # A module that is trusted may load more weights than the file holds.
    bounds = contextlib.nullcontext() if named else _as_much_as(content["state_dict"])
    try:
        with bounds:
            made: Frontend = FRONTENDS.create(recipe.frontend, **recipe.frontend_arguments)
            frontend = made.with_options(recipe.init, recipe.pooling)
        frontend.load_state_dict(content["state_dict"])
        mean, deviation = recipe.input_scalars
        frontend.input_scalars = (mean, deviation)
    except (AllocationError, MemoryError) as error:
        raise CheckpointError(
            f"{path} is not loaded: the arguments of its frontend {recipe.frontend!r} ask for far more memory than its "
            f"weights take ({error}); expected the probe.ckpt that fit has written to its run's folder"
        ) from error
    except UntrainedError:
        raise
    except Exception as error:  # arguments that a frontend does not expect may raise anything
        raise CheckpointError(
            f"{path} does not fit the frontend {recipe.frontend!r} that is installed "
            f"({' '.join(str(error).split())[:300]}); fit the probe again"
        ) from error
    if frontend.sample_rate != recipe.sample_rate:
        raise CheckpointError(
            f"{path} was fitted at {recipe.sample_rate} Hz, the frontend {recipe.frontend!r} that is installed reads "
            f"{frontend.sample_rate} Hz; fit the probe again"
        )
    return frontend


def _as_much_as(weights: Mapping[str, Any]) -> contextlib.AbstractContextManager[None]:
    """Return a context that ends the making of a frontend which takes far more memory than its weights."""
    held = sum(tensor.nbytes for tensor in weights.values())
    return at_most(held + _SPARE, 64 * held + 8 * _SPARE)  # drawing weights takes some twenty times their size
