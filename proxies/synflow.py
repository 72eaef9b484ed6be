"""Proxy that reads the paths from the input to the output, without data."""

import math

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .base import DegenerateError, Proxy
from .passes import differentiated
from .subject import Subject


class SynFlow(Proxy):
    """Logarithm of the sum of the absolute weight x gradient of the paths, without data (Tanaka et al. 2020).

    All weights and biases are replaced by their absolute values and BatchNorm layers by the identity. The input is
    ones, in the shape that the network reads; the gradient is that of the sum of the logits, in float64. It follows
    `synflow.py` of zero-cost-nas (Abdelfattah et al. 2021, ICLR), and the logarithm that of NASLib.

    Reference: Tanaka et al. 2020, Pruning neural networks without any data by iteratively conserving synaptic flow
    (NeurIPS).
    """

    needs = ("head", "backward")

    def compute(self, subject: Subject) -> float:
        """Return the logarithm of the sum."""
        subject.double()
        for part in (subject.head, subject.frontend):
            with torch.no_grad():
                for name, parameter in part.named_parameters():
                    if not name.startswith("representation."):
                        parameter.abs_()
                for layer in part.modules():
                    if isinstance(layer, _BatchNorm):
                        _make_identity(layer)
        weights = subject.weights()
        device = next(iter(weights.values())).device
        ones = torch.ones(1, *subject.input_shape, dtype=torch.float64, device=device)
        gradients = differentiated(subject.logits(ones).sum(), weights)
        products: list[Tensor] = [weights[name].detach() * gradient for name, gradient in gradients.items()]
        total = sum(product.abs().sum().item() for product in products)
        if total == 0:
            raise DegenerateError("no path from the input reaches the output, as for dead maps", -math.inf)
        return math.log(total) if math.isfinite(total) else total


def _make_identity(layer: nn.Module) -> None:
    """Make a BatchNorm layer pass its input on unchanged."""
    layer.forward = lambda x: x
