"""Draw the architectures of frontends from their code: python docs/architectures.py FOLDER.

Each frontend processes one clip. The inputs and outputs of its modules show which convolutions run in parallel and
which in sequence. Filters of the first layer are drawn to scale on their input.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor, nn
from untrained import DATAMODULES, FRONTENDS, Frontend

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d)
COLOURS = (
    "tab:blue",
    "tab:orange",
    "tab:green",
    "tab:red",
    "tab:purple",
    "tab:brown",
    "tab:pink",
    "tab:olive",
    "tab:cyan",
    "black",
)
DRAWN = (("vgg", 1), ("shapes", 3), ("temporal", 0))  # family and number of the designs of `drawn` in the manual
FRAMES_SHOWN = 400  # number of frames of a spectrogram that are drawn
LONGEST_SHOWN = 1.25  # part of a waveform that is drawn, in lengths of the longest filter


class Traced(Tensor):
    """Tensor that records the number of convolutions before it."""

    depth: int = 0

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Call a function, and give its result the largest depth of its arguments."""
        result = super().__torch_function__(function, types, args, kwargs or {})
        if isinstance(result, Traced):
            result.depth = max([0, *(tensor.depth for tensor in _tensors((args, kwargs)))])
        return result


def _tensors(value: Any) -> list[Traced]:
    if isinstance(value, Traced):
        return [value]
    if isinstance(value, dict):
        return _tensors(list(value.values()))
    return [tensor for item in value for tensor in _tensors(item)] if isinstance(value, list | tuple) else []


@dataclass
class Anatomy:
    """Structure of a frontend, traced with a clip.

    Args:
        representation: Input of the network, without the batch dimension.
        columns: Convolutions with the shapes of their feature maps, grouped by the number of convolutions before them.
        n_maps: Number of feature maps of each layer that contributes to the embedding.
    """

    representation: Tensor
    columns: list[list[tuple[nn.Module, Sequence[int]]]] = field(default_factory=list)
    n_maps: list[int] = field(default_factory=list)


@torch.inference_mode()
def anatomy(frontend: Frontend, waveform: Tensor) -> Anatomy:
    """Trace a frontend with a clip, `(1, n_samples)`, and return the order of its convolutions."""
    found = Anatomy(frontend.represent(waveform)[0])

    def after(module: nn.Module, given: Any, output: Any) -> None:
        depth = max(tensor.depth for tensor in _tensors(given))
        output.depth = depth + 1
        found.columns += [[] for _ in range(depth + 1 - len(found.columns))]
        found.columns[depth].append((module, output.shape[1:]))

    hooks = [module.register_forward_hook(after) for module in frontend.modules() if isinstance(module, CONVOLUTIONS)]
    maps = frontend.feature_maps(frontend.represent(waveform).as_subclass(Traced))
    found.n_maps = [layer.shape[1] for layer in maps]
    for hook in hooks:
        hook.remove()
    return found


def draw(frontend: Frontend, waveform: Tensor) -> Figure:
    """Draw the clip with the filters of the first layer, all layers, and the embedding."""
    found = anatomy(frontend, waveform)
    n_rows = max(len(column) for column in found.columns)
    figure = Figure(figsize=(10.5, max(2.2, 0.4 * n_rows)), layout="constrained")
    heard, layers = figure.subplots(1, 2, width_ratios=[2.4, 8.1])
    # A 1-D filter that reads all bands as channels is as high as the spectrogram.
    kernels = [
        (module.in_channels, *module.kernel_size) if module.in_channels > 1 else module.kernel_size
        for module, _ in found.columns[0]
    ]
    if found.representation.ndim == 2:
        _draw_spectrogram(heard, found.representation, kernels)
    else:
        _draw_waveform(heard, found.representation, kernels, frontend.sample_rate)
    _draw_layers(layers, found, frontend.embedding_size)
    return figure


def _draw_spectrogram(axes: Axes, spectrogram: Tensor, kernels: Sequence[Sequence[int]]) -> None:
    n_mels, n_frames = spectrogram[:, :FRAMES_SHOWN].shape
    axes.imshow(
        spectrogram[:, :n_frames],
        origin="lower",
        aspect="auto",
        cmap="Greys",
        extent=(0, n_frames, 0, n_mels),
        alpha=0.7,
    )
    left = gap = n_frames / 40
    vertical = [kernel for kernel in kernels if len(kernel) == 2]
    for colour, kernel in zip(COLOURS, vertical, strict=False):
        height, width = kernel
        axes.add_patch(Rectangle((left, (n_mels - height) / 2), width, height, color=colour, alpha=0.75))
        left += width + gap
    # A one-dimensional filter reads the mean of all bands. It has no height, and is drawn as a flat bar.
    for index, kernel in enumerate(kernels[len(vertical) :]):
        bottom = n_mels * 0.9 - index * n_mels / 8
        colour = COLOURS[(len(vertical) + index) % len(COLOURS)]
        axes.add_patch(Rectangle((left, bottom), kernel[0], n_mels / 24, color=colour, alpha=0.9))
    axes.set(xlabel="frames", ylabel="mel bands", title="log-mel spectrogram")


def _draw_waveform(axes: Axes, waveform: Tensor, kernels: Sequence[Sequence[int]], sample_rate: int) -> None:
    shown = max(48, int(LONGEST_SHOWN * max(kernel[0] for kernel in kernels)))
    start = int(waveform.abs().argmax())
    piece = waveform[start : start + shown] / waveform.abs().max()
    axes.plot(piece, color="dimgrey", linewidth=1, marker="." if shown < 100 else "")
    for index, kernel in enumerate(kernels):
        axes.add_patch(Rectangle((0, 1.15 + 0.22 * index), kernel[0], 0.14, color=COLOURS[index], alpha=0.9))
    milliseconds = 1000 * len(piece) / sample_rate
    axes.set(xlabel=f"samples ({milliseconds:.0f} ms)", yticks=[], title="waveform")


def _draw_layers(axes: Axes, found: Anatomy, embedding_size: int) -> None:
    """Draw a box for each convolution, in columns from left to right by depth, then a box for the embedding."""
    axes.set_axis_off()
    axes.set(xlim=(0, 10), ylim=(0, 1))
    step = min(3.4, 10 / (len(found.columns) + 1))
    width = 0.84 * step
    for x, column in enumerate(found.columns):
        heights = _spread(len(column))
        for index, (y, (module, shape)) in enumerate(zip(heights, column, strict=True)):
            colour = COLOURS[index % len(COLOURS)] if x == 0 else "grey"
            text = _text(module, shape, ", " if step > 3 and len(column) > 1 else "\n")
            _box(axes, x * step, y, width, min(0.4, 0.86 / len(column)), text, colour)
            behind = _spread(len(found.columns[x + 1])) if x + 1 < len(found.columns) else [0.5]
            for target in behind:
                _arrow(axes, (x * step + width, y), ((x + 1) * step, target))
    sizes = set(found.n_maps)
    maps = f"{len(found.n_maps)} x {found.n_maps[0]} = " if len(sizes) == 1 < len(found.n_maps) else ""
    text = f"mean of\neach map:\n{maps}{embedding_size}\nfeatures"
    _box(axes, len(found.columns) * step, 0.5, width, 0.6, text, "gold")


def _spread(n: int) -> list[float]:
    return [1 - (index + 0.5) / n for index in range(n)]


def _box(axes: Axes, x: float, y: float, width: float, height: float, text: str, colour: str) -> None:
    axes.add_patch(Rectangle((x, y - height / 2), width, height, facecolor=colour, edgecolor="none", alpha=0.25))
    axes.text(x + width / 2, y, text, ha="center", va="center", fontsize=min(8, 5.5 * width))


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": "grey", "shrinkA": 1, "shrinkB": 1})


def _text(module: nn.Module, shape: Sequence[int], between: str) -> str:
    kernel = " x ".join(map(str, module.kernel_size))
    positions = " x ".join(str(n) for n in shape[1:] if n > 1) or "1"
    return f"{module.out_channels} filters of {kernel}{between}maps of {positions}"


def main(folder: Path) -> None:
    """Draw every frontend of the study and a few designs of `drawn`, with one clip of the synthetic data set."""
    folder.mkdir(parents=True, exist_ok=True)
    sounds = DATAMODULES.create("synthetic", task="rhythm", clips_per_class=3)
    waveform = torch.from_numpy(sounds.read(sounds.listed[0], Frontend.sample_rate).waveform)[None]
    for name in FRONTENDS.names():
        frontend_class = FRONTENDS.get(name)
        if hasattr(frontend_class, "filters"):  # only frontends in the table of the study
            draw(frontend_class(), waveform).savefig(folder / f"{name}.svg")
    for family, design in DRAWN:
        frontend = FRONTENDS.create("drawn", family=family, design=design)
        draw(frontend, waveform).savefig(folder / f"drawn-{family}.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
