"""The requirement that a frontend can be trained."""

from unittest import SkipTest

import pytest
import torch
from torch import nn
from untrained import Frontend
from untrained.errors import ContractError
from untrained.frontends import Waveform
from untrained.frontends.baselines import MFCC
from untrained.testing.frontend import can_be_trained


class Good(Frontend):
    """A convolution whose bias does nothing, because BatchNorm removes it."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = Waveform()
        self.conv, self.norm = nn.Conv1d(1, 4, 64, stride=32), nn.BatchNorm1d(4)
        self.dropout = nn.Dropout(0.1)

    def feature_maps(self, x):
        return [self.dropout(self.norm(self.conv(x[:, None]))).relu()]


class Unused(Good):
    """Has a layer that nothing reads."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.extra = nn.Linear(2, 2)


class Detached(Good):
    """Breaks the gradient at the first layer."""

    def feature_maps(self, x):
        return [self.norm(self.conv(x[:, None]).detach()).relu()]


class WithoutGradients(Good):
    """Computes without gradients."""

    @torch.no_grad()
    def feature_maps(self, x):
        return super().feature_maps(x)


class InPlace(Good):
    """Overwrites what a gradient needs."""

    def feature_maps(self, x):
        h = super().feature_maps(x)[0].exp()
        return [h.mul_(2)]


class Infinite(Good):
    """Takes a root of 0."""

    def feature_maps(self, x):
        h = super().feature_maps(x)[0]
        return [(h - h.detach()).square().sqrt()]


class NotFinite(Good):
    """Divides by what is 0 in training mode."""

    def feature_maps(self, x):
        return [super().feature_maps(x)[0] / (not self.training)]


def test_what_can_be_trained():
    can_be_trained(Good)
    with pytest.raises(SkipTest, match="no random weights, so there is nothing to train"):
        can_be_trained(MFCC)


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (Unused, "a training step does not change extra.weight; use it in a layer that contributes"),
        (Detached, "a training step does not change conv.weight; .* without detach"),
        (WithoutGradients, r"the embedding has no gradient; use neither torch.no_grad\(\)"),
        (InPlace, "there are no gradients: .*inplace operation.*avoid in-place"),
        (Infinite, "the gradient of .* is not finite; guard roots"),
        (NotFinite, r"in training mode the loss is (nan|inf); return finite embeddings"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_cannot_be_trained_is_reported(cls, message):
    with pytest.raises(ContractError, match=message):
        can_be_trained(cls)
