"""Precision of products of float32 numbers: in float32 itself, or in TF32 where it is asked for.

Libraries may shorten the factors of such a product: NVIDIA's from Ampere on to TF32, whose mantissa has 10 bits instead
of 23, and oneDNN's to bfloat16. For convolutions on NVIDIA cards, PyTorch allows this by default.
"""

import contextlib
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import torch

_backends: Any = torch.backends  # whose types lack these settings
_NVIDIA = (_backends.cudnn.conv, _backends.cudnn.rnn, _backends.cuda.matmul)
_ONEDNN = (_backends.mkldnn.conv, _backends.mkldnn.rnn, _backends.mkldnn.matmul)
# A place without a setting of its own shows that of a general place, so that these come first.
_PLACES = (_backends, _backends.cudnn, *_NVIDIA, *_ONEDNN)
_TURN = threading.RLock()


@contextlib.contextmanager
def float32_products(*, tf32: bool = False) -> Iterator[None]:
    """Compute products of float32 in float32, and restore PyTorch's settings afterwards, also after an error.

    The settings belong to the whole process, so that threads take turns. Autocast is not affected.

    Args:
        tf32: Whether NVIDIA cards compute them in TF32; other devices never do.

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
                # Reading an older setting raises an error if a newer one contradicts it, so that both are set.
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
    """Return the settings of all places, `none` for those that follow a general place, and clear them."""
    general, shown = _backends.cudnn.fp32_precision, [place.fp32_precision for place in _PLACES]
    found = []
    for place in _PLACES:
        found.append(place.fp32_precision)
        place.fp32_precision = "none"
    # What no user has set can be TF32 by default, and still follow a general place.
    follows = [place in _NVIDIA and before == general != "none" for place, before in zip(_PLACES, shown, strict=True)]
    return ["none" if follow else value for follow, value in zip(follows, found, strict=True)]


def _older_settings() -> tuple[bool, str]:
    """Return what `allow_tf32` and `set_float32_matmul_precision` have set, when all other settings are clear."""
    try:
        allowed = torch.backends.cudnn.allow_tf32
    except RuntimeError:  # contradicted by the clear settings, so that it must be on
        allowed = True
    return allowed, torch.get_float32_matmul_precision()


@contextlib.contextmanager
def _without_advice() -> Iterator[None]:
    """Silence PyTorch's advice against the older settings."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*new API settings to control TF32")
        yield
