"""A trained probe on disk, in a file that cannot run code.

`torch.load(..., weights_only=True)` reads it: tensors and plain Python. Plug-ins are recorded by their registered
names, never as classes to import; the back-end is skops bytes, of which only trusted types are built.
"""

import io
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import skops.io
import torch

from .backends import BackEnd
from .errors import CheckpointError
from .frontends import FrontEnd
from .frontends.base import Layers
from .frontends.initialisers import Init
from .frontends.pooling import Pooling
from .registry import BACKENDS, FRONTENDS
from .store import plain, write_atomically

FORMAT = 2
# Types of scikit-learn in our own back-ends that skops does not trust by itself: plain Python with plain attributes.
_TRUSTED = ("sklearn.neural_network._stochastic_optimizers.AdamOptimizer",)


@dataclass(frozen=True)
class Recipe:
    """What a probe was made of, beside its weights.

    Args:
        front_end: Registered name.
        front_end_arguments: By name, defaults included.
        init: Distribution of the front-end's weights.
        layers: That the back-end has learned from.
        pooling: Of the front-end's maps.
        back_end: Registered name.
        sample_rate: In Hz.
        n_samples: Length of every waveform, in samples.
        fit_length: What is done with shorter clips.
        class_names: In the order of the back-end's labels.
        protocol: By which the candidate was chosen.
        fitted_to: Fingerprints of the clips that it has learned from, which it must not be scored on.
    """

    front_end: str
    front_end_arguments: dict[str, Any]
    init: Init
    layers: Layers
    pooling: Pooling
    back_end: str
    sample_rate: int
    n_samples: int
    fit_length: str
    class_names: list[str]
    protocol: str
    fitted_to: list[str]


def name_front_end(front_end: FrontEnd) -> tuple[str, dict[str, Any]]:
    """Registered name and plain arguments of a front-end.

    Raises:
        CheckpointError: It is not registered, or an argument is no plain value.
    """
    name = FRONTENDS.name_of(type(front_end))
    if name is None:
        raise CheckpointError(
            f"front-end {type(front_end).__qualname__} is not registered, so that no checkpoint can name it; register "
            "it as an entry point of its package, or with @FRONTENDS.register(name)"
        )
    odd = [key for key, value in front_end.arguments.items() if plain(value) != plain_or_none(value)]
    if odd:
        raise CheckpointError(
            f"front-end {name!r}: argument {odd[0]} is no plain value, which a checkpoint cannot hold"
        )
    return name, {key: plain(value) for key, value in front_end.arguments.items()}


def plain_or_none(value: Any) -> Any:
    """A value as lists and plain Python, None where it is anything else."""
    if isinstance(value, list | tuple):
        return [plain_or_none(item) for item in value]
    if isinstance(value, dict):
        return {key: plain_or_none(item) for key, item in value.items()}
    return value if isinstance(value, str | int | float | bool | None) else None


def save(path: Path, recipe: Recipe, front_end: FrontEnd, back_end: BackEnd) -> None:
    """Write a trained probe, whole or not at all."""
    content = io.BytesIO()
    trained = np.frombuffer(skops.io.dumps(back_end), dtype=np.uint8)
    torch.save(
        {
            "untrained": {"format": FORMAT, **asdict(recipe)},
            "state_dict": {name: tensor.cpu() for name, tensor in front_end.state_dict().items()},
            "back_end": torch.from_numpy(trained.copy()),
        },
        content,
    )
    write_atomically(path, content.getvalue())


def read(path: str | Path) -> tuple[Recipe, dict[str, Any]]:
    """Read a checkpoint without building anything of it.

    Returns:
        The recipe, and the whole content.

    Raises:
        CheckpointError: There is no such file, or it is no checkpoint of ours, or it holds more than tensors and plain
            Python.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}; give the probe.ckpt that fit has written to its run's folder")
    ours = "expected the probe.ckpt that fit has written to its run's folder"
    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # torch's doubts end in the error below
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a file that is no checkpoint makes the unpickler raise
        types = _types_named(path)
        if types:
            found = f"it names {', '.join(types)}, which could run code"
        else:
            found = "it cannot be read as tensors and plain values"
        raise CheckpointError(f"{path} is not loaded: {found}; {ours}") from error
    if not isinstance(content, dict) or set(content) != {"untrained", "state_dict", "back_end"}:
        holds = sorted(content) if isinstance(content, dict) else type(content).__name__
        raise CheckpointError(f"{path} is no checkpoint of untrained (it holds {holds}); {ours}")
    try:
        fields = dict(content["untrained"])
        written_as = fields.pop("format")
        if written_as != FORMAT:
            raise CheckpointError(f"{path} has format {written_as}, this version reads {FORMAT}; fit the probe again")
        return Recipe(**fields), content
    except (TypeError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} is damaged ({error}); fit the probe again") from error


def build_front_end(recipe: Recipe, content: dict[str, Any], path: str | Path) -> FrontEnd:
    """The front-end of a checkpoint; its stored weights win over its seed."""
    try:
        made: FrontEnd = FRONTENDS.create(recipe.front_end, **recipe.front_end_arguments)
        front_end = made.with_options(recipe.init, recipe.pooling)
        front_end.load_state_dict(content["state_dict"])
    except (RuntimeError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{path} does not fit the front-end {recipe.front_end!r} that is installed "
            f"({' '.join(str(error).split())[:300]}); fit the probe again"
        ) from error
    if front_end.sample_rate != recipe.sample_rate:
        raise CheckpointError(
            f"{path} was fitted at {recipe.sample_rate} Hz, the front-end {recipe.front_end!r} that is installed reads "
            f"{front_end.sample_rate} Hz; fit the probe again"
        )
    return front_end


def build_back_end(recipe: Recipe, content: dict[str, Any], path: str | Path, trust: Sequence[str] = ()) -> BackEnd:
    """The trained back-end of a checkpoint.

    Args:
        recipe: Of the checkpoint.
        content: Of the checkpoint.
        path: Of the checkpoint, for messages.
        trust: Further types that may be built, as `module.Class`.

    Raises:
        CheckpointError: It names a type that is not trusted, or is damaged.
    """
    try:
        stored = content["back_end"].numpy().tobytes()
        trusted = {*_TRUSTED, *_registered_types(), *trust}
        unknown = sorted(set(skops.io.get_untrusted_types(data=stored)) - trusted)
        if unknown:
            raise CheckpointError(
                f"{path}: its back-end names types that are not trusted: {', '.join(unknown)}; if you know where the "
                f"file comes from, allow them with --trust {unknown[0]}"
            )
        back_end = skops.io.loads(stored, trusted=sorted(trusted))
    except CheckpointError:
        raise
    except Exception as error:  # skops raises what it meets in a damaged archive
        raise CheckpointError(f"{path}: its back-end is damaged ({error}); fit the probe again") from error
    if not isinstance(back_end, BACKENDS.get(recipe.back_end)):
        raise CheckpointError(
            f"{path}: its back-end is a {type(back_end).__name__}, not the {recipe.back_end!r} it says"
        )
    return back_end  # type: ignore[no-any-return]


def _registered_types() -> Iterable[str]:
    return (plugin.target.replace(":", ".") for plugin in BACKENDS.plugins)


def _types_named(path: Path) -> list[str]:
    """Types beside tensors and plain values that a checkpoint asks for; none are built."""
    try:
        return sorted(torch.serialization.get_unsafe_globals_in_checkpoint(path))
    except Exception:  # it is no checkpoint at all
        return []
