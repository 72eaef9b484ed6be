"""Proxy that reads which units of the feature maps are active."""

import math

import torch
from torch import Tensor

from .base import DegenerateError, Proxy
from .subject import CHUNK, Subject, refuse_single

_POSITIONS = 2**16  # positions of codes per product, which limits the memory


class NASWOT(Proxy):
    """How much the codes of active units differ between clips (Mellor et al. 2021, ICML).

    The code of a clip holds the sign (> 0) of every value of every tensor of `feature_maps`, which after a ReLU or ELU
    is the sign of the pre-activation, or of the largest one if maps are max-pooled. With the codes c of all clips of a
    batch, K = c c' + (1 - c)(1 - c)', and the value is log|det K|. It follows version 2 of the paper and
    `score_networks.py` of the authors' code, which reads modules named ReLU and thus misses functions.

    Reference: Mellor et al. 2021, Neural architecture search without training (ICML).
    """

    needs = ("data",)

    def compute(self, subject: Subject) -> float:
        """Return the logarithm of the determinant."""
        refuse_single(subject.batch)
        codes: list[list[Tensor]] = []
        for inputs in torch.split(subject.batch.inputs, CHUNK):
            maps = subject.feature_maps(inputs)
            if not all(torch.isfinite(layer).all() for layer in maps):
                raise DegenerateError("a feature map is not finite")
            codes.append([(layer > 0).flatten(1) for layer in maps])
        n_equal, n_units = agreements([torch.cat(layer) for layer in zip(*codes, strict=True)])
        n_same = int(((n_equal == n_units).sum(dim=1) > 1).sum())
        if n_same:
            raise DegenerateError(
                f"two clips have equal codes (in all, {n_same} of {len(n_equal)} clips share their code)", -math.inf
            )
        sign, value = torch.linalg.slogdet(n_equal)
        if sign == 0:
            raise DegenerateError("the matrix of agreements between the codes is singular", -math.inf)
        return float(value.item())


def agreements(codes: list[Tensor]) -> tuple[Tensor, int]:
    """Return how many units agree for each pair of clips, in float64, and the number of all units.

    Args:
        codes: Codes of each layer, `(n_clips, n_units)`, Boolean.

    Example:
        >>> agreements([torch.tensor([[True, False, True], [True, True, True]])])
        (tensor([[3., 2.],
                [2., 3.]], dtype=torch.float64), 3)
    """
    n_clips = len(codes[0])
    found = torch.zeros(n_clips, n_clips, dtype=torch.float64)
    for layer in codes:
        for part in torch.split(layer, _POSITIONS, dim=1):
            signs = part.double().mul_(2).sub_(1)
            found += (signs @ signs.t()).cpu().add_(part.shape[1]).div_(2)
    return found, sum(layer.shape[1] for layer in codes)
