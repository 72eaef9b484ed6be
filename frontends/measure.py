"""Description of a frontend: its layers with their output shapes, parameters and operations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from .base import Frontend
from .lengths import without_data


@dataclass(frozen=True)
class Layer:
    """Line of a description.

    Args:
        name: Name of the module in the frontend; for feature maps, the name of the layer, such as `layer3`.
        kind: Class of the module, or `feature maps`.
        shape: Shape of the output for one clip.
        n_parameters: Number of parameters of the module itself.
        flop: Floating-point operations for one clip, two for each multiply-add.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    n_parameters: int = 0
    flop: int = 0


@dataclass(frozen=True)
class Description:
    """Layers of a frontend in the order in which they run, followed by its feature maps; `print` shows a table.

    Args:
        n_samples: Length of the clip in samples.
        embedding_size: Number of features.
        layers: Layers, then feature maps.
        n_parameters: Number of parameters of the network.
        flop: Floating-point operations of the network for one clip, two for each multiply-add. Convolutions and matrix
            products are counted; the representation and element-wise functions are not.
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


def describe(frontend: Frontend, n_samples: int) -> Description:
    """Run a frontend without data and record its layers.

    Args:
        frontend: Frontend to describe.
        n_samples: Length of the clip in samples; if it is too short, it is repeated, as in `forward`.

    Raises:
        ValueError: `n_samples` is less than 1.

    Example:
        >>> from untrained.frontends.sample_level import SampleLevel
        >>> describe(SampleLevel(n_filters=2), 2187).layers[0]
        Layer(name='representation', kind='Waveform', shape=(2187,), n_parameters=0, flop=0)
        >>> describe(SampleLevel(n_filters=2), 2187).flop
        34956
    """
    if n_samples < 1:
        raise ValueError(f"n_samples={n_samples}; expected 1 or more")
    n_samples = max(n_samples, frontend.min_samples)
    # Counted before the copy, because weights that layers share are separate on the meta device.
    n_parameters: dict[str, int] = {}
    seen: set[int] = set()
    for name, module in frontend.named_modules():
        own = [parameter for parameter in module.parameters(recurse=False) if id(parameter) not in seen]
        seen.update(map(id, own))
        n_parameters[name] = sum(parameter.numel() for parameter in own)
    method = "feature_maps" if frontend.has_maps else "forward"
    return without_data(frontend, lambda copied, device, _: _run(copied, n_samples, device, n_parameters), method)


@torch.inference_mode()
def _run(frontend: Frontend, n_samples: int, device: torch.device, n_parameters: Mapping[str, int]) -> Description:
    counter = FlopCounterMode(display=False)
    layers: list[Layer] = []
    started: list[int] = []  # FLOP counted when each running module began
    inside: list[int] = [0]  # FLOP of the modules that ran inside it

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
