"""Calibration of a frontend: the statistics of unlabelled training clips that a frozen frontend may use."""

import contextlib
import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .padding import repeat_up_to
from .precision import float32_products
from .representations import Waveform, in_float32

IDENTITY = (0.0, 1.0)


def normalised(frontend: Any, x: Tensor) -> Tensor:
    """Return a representation normalised by the input scalars of a frontend.

    Args:
        frontend: Frontend whose `input_scalars` apply.
        x: Representation of a batch, of any shape.

    Returns:
        `(x - mean) / std` for a frontend that takes a spectrogram, otherwise `x` itself.
    """
    if frontend.input_scalars == IDENTITY or not reads_spectrogram(frontend):
        return x
    mean, deviation = frontend.input_scalars
    return x.sub(mean).div_(deviation)


def reads_spectrogram(frontend: Any) -> bool:
    """Return whether a frontend takes another input than the waveform.

    Args:
        frontend: Frontend, which may state its `input`; otherwise its representation decides.
    """
    stated = getattr(frontend, "input", None)
    if stated in ("waveform", "spectrogram"):
        return bool(stated == "spectrogram")
    return not isinstance(frontend.representation, Waveform | nn.Identity)


def needs_calibration(frontend: nn.Module) -> bool:
    """Return whether a frontend has BatchNorm layers whose statistics are still the identity, mean 0 and variance 1.

    Such a layer does not normalise anything in evaluation mode until the frontend is calibrated or trained.

    Args:
        frontend: Frontend to examine.

    Example:
        >>> from untrained.frontends.vgg import VGG
        >>> needs_calibration(VGG(n_filters=2))
        False
    """
    return any(
        bool((layer.running_mean == 0).all() and (layer.running_var == 1).all()) for _, layer in _batch_norms(frontend)
    )


def calibrate(frontend: Any, waveforms: Iterable[Tensor]) -> None:
    """Set the input scalars and the statistics of the BatchNorm layers of a frontend, in place.

    The scalars are set first, because they normalise the input of the layers. The statistics of a layer are mean and
    variance over all batches. After an error, the frontend is as before.

    Args:
        frontend: Frontend to calibrate, on any device; without parameters there is nothing to set.
        waveforms: Batches `(batch, n_samples)`, read twice if there are BatchNorm layers.

    Raises:
        ValueError: There are no clips, they cannot be read twice, or their statistics are unusable.
    """
    who = f"cannot calibrate {type(frontend).__name__}"
    layers = _batch_norms(frontend)
    if layers and iter(waveforms) is waveforms:
        raise ValueError(f"{who}: waveforms is an iterator, but BatchNorm layers need a second pass; give a list")
    scalars = frontend.input_scalars
    statistics = [(layer, {name: part.clone() for name, part in layer.named_buffers()}) for _, layer in layers]
    try:
        with torch.no_grad(), float32_products():
            if reads_spectrogram(frontend) and frontend.network_parameters():
                frontend.input_scalars = _scalars_of(frontend, waveforms, who)
            if layers:
                _set_statistics(frontend, layers, waveforms, who)
    except BaseException:
        frontend.input_scalars = scalars
        with torch.no_grad():
            for layer, before in statistics:
                for name, part in before.items():
                    layer.get_buffer(name).copy_(part)
        raise


def _batch_norms(frontend: nn.Module) -> list[tuple[str, Any]]:
    """Return the BatchNorm layers that use statistics of earlier batches, by name."""
    return [
        (name, module)
        for name, module in frontend.named_modules()
        if isinstance(module, _BatchNorm) and module.running_mean is not None and module.running_var is not None
    ]


def _scalars_of(frontend: Any, waveforms: Iterable[Tensor], who: str) -> tuple[float, float]:
    """Return mean and standard deviation of all values of the representation, summed in float64.

    Raises:
        ValueError: There are no clips, or the mean or the deviation is not finite, or all values are equal.
    """
    n, total, squares = 0, 0.0, 0.0
    shift: float | None = None  # a value near the mean keeps the difference of the squares exact
    for batch in _batches(frontend, waveforms, who):
        values = in_float32(frontend.representation, batch).double()
        shift = float(values.mean()) if shift is None else shift
        values = values - shift
        n, total, squares = n + values.numel(), total + float(values.sum()), squares + float(values.square().sum())
    if shift is None:
        raise ValueError(f"{who}: there are no clips; give batches of training clips")
    mean = shift + total / n
    deviation = math.sqrt(max(0.0, squares / n - (total / n) ** 2))
    if not math.isfinite(mean) or not math.isfinite(deviation):
        raise ValueError(
            f"{who}: the spectrogram of a clip is not finite; remove clips with values that are not finite"
        )
    if deviation <= 1e-9 * max(1.0, abs(mean)):
        raise ValueError(f"{who}: all values of the spectrograms are {mean:.4g}, as for silent clips; give other clips")
    return mean, deviation


def _set_statistics(frontend: Any, layers: list[tuple[str, Any]], waveforms: Iterable[Tensor], who: str) -> None:
    """Set the statistics of BatchNorm layers to the mean and variance over all batches, the other layers in evaluation.

    The variance is that within the batches plus that between their means, so that it does not depend on their order.

    Raises:
        ValueError: There are no clips, a batch is too small, or the statistics of a layer are not finite.
    """
    n_clips = 0
    sums = [[torch.zeros(len(layer.running_mean), dtype=torch.float64) for _ in range(2)] for _, layer in layers]
    with _of_each_batch(frontend, [layer for _, layer in layers]):
        for batch in _batches(frontend, waveforms, who):
            n_clips += len(batch)
            try:
                frontend(batch)
            except ValueError as error:
                if "more than 1 value per channel" not in str(error):
                    raise
                raise ValueError(
                    f"{who}: a batch of {len(batch)} clip leaves one value for each channel of a BatchNorm layer, "
                    "which has no variance; give larger batches"
                ) from error
            for (_, layer), (means, squares) in zip(layers, sums, strict=True):
                mean, variance = layer.running_mean.cpu().double(), layer.running_var.cpu().double()
                means += len(batch) * mean
                squares += len(batch) * (variance + mean.square())
    if not n_clips:
        raise ValueError(f"{who}: there are no clips; give batches of training clips")
    for (name, layer), (means, squares) in zip(layers, sums, strict=True):
        layer.running_mean.copy_(means / n_clips)
        layer.running_var.copy_(squares / n_clips - (means / n_clips).square())
        if not (torch.isfinite(layer.running_mean).all() and torch.isfinite(layer.running_var).all()):
            raise ValueError(f"{who}: the statistics of {name} are not finite; remove clips that are not finite")


@contextlib.contextmanager
def _of_each_batch(frontend: nn.Module, layers: list[Any]) -> Iterator[None]:
    """Let BatchNorm layers keep the statistics of the last batch; restore modes and momenta."""
    modes = [(module, module.training) for module in frontend.modules()]
    momenta = [layer.momentum for layer in layers]
    try:
        for module, _ in modes:
            module.training = module in layers
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = 1.0  # keeps the statistics of the last batch alone
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum


def _batches(frontend: Any, waveforms: Iterable[Tensor], who: str) -> Iterator[Tensor]:
    """Yield batches of clips that are not empty, on the device of a frontend.

    Raises:
        ValueError: A batch is not `(batch, n_samples)`.
    """
    part = next(iter([*frontend.parameters(), *frontend.buffers()]), torch.empty(0))
    for batch in waveforms:
        if batch.ndim != 2 or not batch.shape[1]:
            raise ValueError(f"{who}: a batch has shape {tuple(batch.shape)}; expected (batch, n_samples)")
        if len(batch):
            yield repeat_up_to(batch.to(part.device), frontend.min_samples)
