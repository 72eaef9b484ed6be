"""Score of a frontend as a Gaussian process, from the features of one or several random networks."""

import copy
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..backends.nngp import nngp
from ..frontends import Frontend
from ..frontends.calibrating import needs_calibration
from ..frontends.outputs import embed
from ..frontends.precision import float32_products
from .base import DegenerateError
from .scoring import Score, attempt
from .subject import CHUNK, Labelled, refuse_single

NAME = "nngp"
"""Name of the score. It is not in the registry, because it reads several networks, and clips to validate on."""
NEEDS = "clips, labels, forward pass"
"""What it needs, as text."""


def nngp_score(frontends: Sequence[Frontend], batches: Sequence[Labelled], n_classes: int) -> Score:
    """Return the validation accuracy of ridge regression on the last layers of random networks (Park et al. 2020).

    The first batch is fitted and all others are predicted. See `backends.nngp` for the formula. A frontend whose
    BatchNorm layers have no statistics yet is calibrated on the first batch, in a copy.

    Args:
        frontends: One frontend with several seeds, or with one; they are left unchanged.
        batches: Batches of waveforms `(batch, n_samples)` with labels `(batch,)`.
        n_classes: Number of classes.

    Returns:
        The accuracy as a fraction, or NaN with the reason.
    """
    return attempt(NAME, frontends[0], lambda: _accuracy(frontends, batches, n_classes))


def _accuracy(frontends: Sequence[Frontend], batches: Sequence[Labelled], n_classes: int) -> float:
    """Return the accuracy on all batches but the first.

    Raises:
        DegenerateError: There is none.
    """
    if len(batches) < 2:
        raise DegenerateError("it needs a batch to fit and another to validate on; use --n_batches 2 or more")
    (waveforms, labels), rest = batches[0], batches[1:]
    refuse_single(waveforms)
    known = torch.cat([others.cpu() for _, others in rest])
    if not torch.isin(known, labels.cpu()).any():
        raise DegenerateError("no clip of the further batches is of a class of the first one; use a larger --n_clips")
    train, validation = [], []
    for frontend in frontends:
        copied = copy.deepcopy(frontend).eval()
        if needs_calibration(copied):
            try:
                copied.calibrate(parts_of(waveforms))
            except ValueError as error:
                raise DegenerateError(str(error)) from error
        train.append(_features(copied, [waveforms]))
        validation.append(_features(copied, [others for others, _ in rest]))
    try:
        return nngp(train, labels.cpu().numpy(), validation, known.numpy(), n_classes)
    except ValueError as error:
        raise DegenerateError(str(error)) from error


def parts_of(waveforms: Tensor) -> Sequence[Tensor]:
    """Return waveforms in parts of at least two clips, because a BatchNorm layer needs several values.

    Args:
        waveforms: Waveforms `(batch, n_samples)`.
    """
    return torch.tensor_split(waveforms, max(1, len(waveforms) // CHUNK))


def _features(frontend: Frontend, batches: Sequence[Tensor]) -> NDArray[np.float32]:
    """Return the features of the last layer, `(n_clips, n_features)`; all features without feature maps."""
    columns = frontend.columns("last" if frontend.has_maps else "all")
    device = next((tensor.device for tensor in frontend.state_dict().values()), torch.device("cpu"))
    with torch.inference_mode(), float32_products():
        parts = [part for batch in batches for part in torch.split(batch, CHUNK)]
        found = torch.cat([embed(frontend, part.to(device)).float().cpu() for part in parts])
    return np.asarray(found[:, columns])
