"""Precision of products of float32 numbers: float32, or TF32 on request.

Libraries may shorten the factors of such a product: NVIDIA's from Ampere on to TF32, whose mantissa has 10 bits instead
of 23, and oneDNN's to bfloat16. For convolutions on NVIDIA GPUs, PyTorch allows this by default.
"""

import contextlib
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import torch

_backends: Any = torch.backends  # these settings are missing in its types
_NVIDIA = (_backends.cudnn.conv, _backends.cudnn.rnn, _backends.cuda.matmul)
_ONEDNN = (_backends.mkldnn.conv, _backends.mkldnn.rnn, _backends.mkldnn.matmul)
# A specific place that is not set shows the setting of a general place, so the general places come first.
_PLACES = (_backends, _backends.cudnn, *_NVIDIA, *_ONEDNN)
_TURN = threading.RLock()


@contextlib.contextmanager
def float32_products(*, tf32: bool = False) -> Iterator[None]:
    """Compute products of float32 in float32, and restore PyTorch's settings afterwards, also after an error.

    The settings apply to the whole process, so threads take turns. Autocast is not affected.

    Args:
        tf32: Whether NVIDIA GPUs compute products in TF32; other devices never do.

    Example:
        >>> with float32_products():
        ...     torch.backends.cudnn.conv.fp32_precision
        'ieee'
    """
    with _TURN:
        with _without_advice():
            before = _take_settings()
            allowed, matmul = _older_settings()
        try:
            with _without_advice():
                # Both are set, because reading an older setting raises an error if a newer one contradicts it.
                torch.backends.cudnn.allow_tf32 = tf32
                torch.set_float32_matmul_precision("high" if tf32 else "highest")
                for place in (*_NVIDIA, *_ONEDNN):
                    place.fp32_precision = "tf32" if tf32 and place in _NVIDIA else "ieee"
            yield
        finally:
            with _without_advice():
                torch.backends.cudnn.allow_tf32 = allowed
                torch.set_float32_matmul_precision(matmul)
                for place, value in zip(_PLACES, before, strict=True):
                    place.fp32_precision = value


def _take_settings() -> list[str]:
    """Clear the settings of all places; return them, with `none` for a place that follows a general place."""
    general, shown = _backends.cudnn.fp32_precision, [place.fp32_precision for place in _PLACES]
    found = []
    for place in _PLACES:
        found.append(place.fp32_precision)
        place.fp32_precision = "none"
    # A place that the user has not set can be TF32 by default, and yet follow a general place.
    follows = [place in _NVIDIA and before == general != "none" for place, before in zip(_PLACES, shown, strict=True)]
    return ["none" if follow else value for follow, value in zip(follows, found, strict=True)]


def _older_settings() -> tuple[bool, str]:
    """Return the settings of `allow_tf32` and `set_float32_matmul_precision`, once all other settings are cleared."""
    try:
        allowed = torch.backends.cudnn.allow_tf32
    except RuntimeError:  # the setting contradicts the cleared settings, so it must be on
        allowed = True
    return allowed, torch.get_float32_matmul_precision()


@contextlib.contextmanager
def _without_advice() -> Iterator[None]:
    """Silence PyTorch's advice against the older settings."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*new API settings to control TF32")
        yield
