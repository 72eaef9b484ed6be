"""Score of a frontend as a Gaussian process, from the features of one or several random networks."""

import math
import time
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..backends.nngp import nngp
from ..frontends import Frontend
from ..frontends.outputs import embed
from ..frontends.precision import float32_products
from .scoring import Score, named
from .subject import CHUNK, Labelled

NAME = "nngp"
"""Name of the score. It is not in the registry, because it reads several networks, and clips to validate on."""
NEEDS = "clips, labels, forward pass"
"""What it needs, as text."""


def nngp_score(frontends: Sequence[Frontend], batches: Sequence[Labelled], n_classes: int) -> Score:
    """Return the validation accuracy of ridge regression on the last layers of random networks (Park et al. 2020).

    The first batch is fitted and all others are predicted. See `backends.nngp` for the formula.

    Args:
        frontends: One frontend with several seeds, or with one; calibrate them first if they have BatchNorm layers.
        batches: Batches of waveforms `(batch, n_samples)` with labels `(batch,)`.
        n_classes: Number of classes.

    Returns:
        The accuracy as a fraction, or NaN with the reason.
    """
    start = time.perf_counter()
    value, reason = math.nan, ""
    try:
        if len(batches) < 2:
            raise ValueError("it needs a batch to fit and another to validate on; use --n_batches 2 or more")
        (waveforms, labels), rest = batches[0], batches[1:]
        train = [_features(frontend, [waveforms]) for frontend in frontends]
        validation = [_features(frontend, [others for others, _ in rest]) for frontend in frontends]
        known = np.concatenate([np.asarray(each.cpu()) for _, each in rest])
        value = nngp(train, np.asarray(labels.cpu()), validation, known, n_classes)
    except Exception as error:  # a plug-in may raise anything
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        reason = f"proxy {NAME!r} of frontend {named(frontends[0])!r}: {kind}{' '.join(str(error).split())}"
    return Score(NAME, value, reason, time.perf_counter() - start)


def _features(frontend: Frontend, batches: Sequence[Tensor]) -> NDArray[np.float32]:
    """Return the features of the last layer, `(n_clips, n_features)`; all features without feature maps."""
    columns = frontend.columns("last" if frontend.has_maps else "all")
    device = next((tensor.device for tensor in frontend.state_dict().values()), torch.device("cpu"))
    with torch.inference_mode(), float32_products():
        parts = [part for batch in batches for part in torch.split(batch, CHUNK)]
        found = torch.cat([embed(frontend, part.to(device)).float().cpu() for part in parts])
    return np.asarray(found[:, columns])
