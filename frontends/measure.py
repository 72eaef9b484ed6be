"""What can be told of a frontend without audio: the shortest input that it takes, its layers and what they cost."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from .base import Frontend

T = TypeVar("T")
# Longest input tried when looking for the shortest that works: hours on the meta device cost nothing, minutes on a real
# one do.
_LONGEST_ON_META = 2**27
_LONGEST_ON_CPU = 2**22


@dataclass(frozen=True)
class Layer:
    """A line of a description.

    Args:
        name: Of the module in the frontend, or `layer3` for what it gives to the embedding.
        kind: Class of the module, or `feature maps`.
        shape: Of the output for one clip.
        n_parameters: Of the module itself.
        flop: Floating-point operations for one clip, two for each multiply-add.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    n_parameters: int = 0
    flop: int = 0


@dataclass(frozen=True)
class Description:
    """A frontend's layers in the order in which they run, and then its feature maps; `print` shows a table.

    Args:
        n_samples: Length of the clip that it is for.
        embedding_size: Number of features.
        layers: The lines.
        n_parameters: Of the network.
        flop: Of the network for one clip, two for each multiply-add; convolutions and matrix products are counted, the
            representation and element-wise functions are not.
    """

    n_samples: int
    embedding_size: int
    layers: Sequence[Layer]
    n_parameters: int
    flop: int

    def __str__(self) -> str:
        lines = [("layer", "kind", "output", "parameters", "FLOP")]
        lines += [
            (line.name, line.kind, " x ".join(map(str, line.shape)), _count(line.n_parameters), _count(line.flop))
            for line in self.layers
        ]
        lines.append(("embedding", "", str(self.embedding_size), f"{self.n_parameters:,}", f"{self.flop:,}"))
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        rows = [
            "  ".join(
                text.rjust(width) if number > 2 else text.ljust(width)
                for number, (text, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        return "\n".join([f"for {self.n_samples} samples:", *rows])


def describe(frontend: "Frontend", n_samples: int) -> Description:
    """Run a frontend on nothing and write down its layers.

    Args:
        frontend: Of any kind.
        n_samples: Length of the clip; a shorter one than it takes is repeated, as in `forward`.

    Raises:
        ValueError: `n_samples` is less than 1.
    """
    if n_samples < 1:
        raise ValueError(f"n_samples={n_samples}; expected 1 or more")
    n_samples = max(n_samples, frontend.min_samples)
    # Counted here, as weights that layers share are copied apart on the way to the meta device.
    n_parameters: dict[str, int] = {}
    seen: set[int] = set()
    for name, module in frontend.named_modules():
        own = [parameter for parameter in module.parameters(recurse=False) if id(parameter) not in seen]
        seen.update(map(id, own))
        n_parameters[name] = sum(parameter.numel() for parameter in own)
    return _without_data(frontend, lambda copied, device, _: _run(copied, n_samples, device, n_parameters))


def shortest(frontend: "Frontend") -> tuple[int, list[int]]:
    """Shortest input that works, in samples, by doubling and bisection, and the number of maps of each layer."""
    return _without_data(frontend, _search)


def _without_data(frontend: "Frontend", measure: Callable[["Frontend", torch.device, int], T]) -> T:
    """Measure a copy on the meta device, or on zeros where an operation has no kernel there."""
    try:
        return measure(copy.deepcopy(frontend).to("meta"), torch.device("meta"), _LONGEST_ON_META)
    except Exception:  # an operation without a meta kernel may raise anything; zeros then tell
        try:
            return measure(copy.deepcopy(frontend).to("cpu"), torch.device("cpu"), _LONGEST_ON_CPU)
        except AttributeError as error:  # which nn.Module would hide behind a message of its own
            method = "feature_maps" if frontend.has_maps else "forward"
            raise RuntimeError(f"{type(frontend).__name__}.{method} failed: {error}") from error


def _search(frontend: "Frontend", device: torch.device, longest: int) -> tuple[int, list[int]]:
    @torch.inference_mode()
    def maps_at(n_samples: int) -> Sequence[Tensor]:
        maps = frontend.feature_maps(frontend.represent(torch.zeros(1, n_samples, device=device)))
        if any(layer.numel() == 0 for layer in maps):
            raise ValueError(f"{type(frontend).__name__}: a feature map is empty for {n_samples} samples")
        return maps

    works = 1
    while True:
        try:
            maps = maps_at(works)
            break
        except Exception:  # whatever a layer raises for too short an input
            if works >= longest:
                raise
            works *= 2
    fails = works // 2
    while works - fails > 1:
        middle = (works + fails) // 2
        try:
            maps, works = maps_at(middle), middle
        except Exception:  # as above: too short
            fails = middle
    return works, [layer.shape[1] for layer in maps]


@torch.inference_mode()
def _run(frontend: "Frontend", n_samples: int, device: torch.device, n_parameters: Mapping[str, int]) -> Description:
    counter = FlopCounterMode(display=False)
    layers: list[Layer] = []
    started: list[int] = []  # FLOP counted when each of the modules that are running began,
    inside: list[int] = [0]  # and of the modules that ran inside it

    def before(module: nn.Module, arguments: Any) -> None:
        started.append(counter.get_total_flops())
        inside.append(0)

    def after(name: str, module: nn.Module, output: Any) -> None:
        flop = counter.get_total_flops() - started.pop()
        own = flop - inside.pop()
        inside[-1] += flop
        seen = any(name == layer.name for layer in layers)
        if name == "representation" or n_parameters[name] or own:
            shape = tuple(output.shape[1:]) if isinstance(output, Tensor) else ()
            layers.append(Layer(name, type(module).__name__, shape, 0 if seen else n_parameters[name], own))

    for name, module in frontend.named_modules():
        if name and not name.startswith("representation."):
            module.register_forward_pre_hook(before)
            module.register_forward_hook(lambda module, _, output, name=name: after(name, module, output))
    waveform = torch.zeros(1, n_samples, device=device)
    with counter:
        maps = frontend.feature_maps(frontend.represent(waveform)) if frontend.has_maps else []
        if not frontend.has_maps:
            frontend(waveform)
    represented = sum(layer.flop for layer in layers if layer.name == "representation")
    layers = [replace(layer, n_parameters=0, flop=0) if layer.name == "representation" else layer for layer in layers]
    total = sum(n for name, n in n_parameters.items() if name.partition(".")[0] != "representation")
    flop = counter.get_total_flops() - represented
    rest = (total - sum(layer.n_parameters for layer in layers), flop - sum(layer.flop for layer in layers))
    if any(rest):
        layers.append(Layer("(outside modules)", "", (), *rest))
    layers += [Layer(f"layer{number}", "feature maps", tuple(layer.shape[1:])) for number, layer in enumerate(maps)]
    return Description(n_samples, frontend.embedding_size, layers, total, flop)


def _count(number: int) -> str:
    return f"{number:,}" if number else ""
