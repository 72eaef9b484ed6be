"""Proxies that read the gradient of the loss with respect to the weights."""

import math

import torch

from .base import DegenerateError, Proxy
from .subject import Subject

_ROUNDING = 1e-6  # relative deviation of gradients up to which they count as equal


class GradNorm(Proxy):
    """Sum over layers of the norm of the gradient of their weights (Abdelfattah et al. 2021, ICLR).

    The loss is the mean cross-entropy of one batch. It follows `grad_norm.py` of the code of Abdelfattah et al.
    (zero-cost-nas), which sums norms of layers instead of taking the norm of the whole gradient. 1-D convolutions count
    here; that code skips them.

    Reference: Abdelfattah et al. 2021, Zero-cost proxies for lightweight NAS (ICLR).
    """

    needs = ("data", "labels", "head", "backward")

    def compute(self, subject: Subject) -> float:
        """Return the sum of the norms."""
        gradients = subject.gradients(subject.batch).values()
        return _nonzero(sum(gradient.double().norm().item() for gradient in gradients))


class SNIP(Proxy):
    """Sum over all weights of the absolute weight x gradient, the effect of removing a weight (Lee et al. 2019, ICLR).

    The loss is the mean cross-entropy of one batch. This equals the gradient of a mask of ones, as in `snip.py` of
    zero-cost-nas; Lee et al. normalise it to a sum of 1, which would be constant.

    Reference: Lee et al. 2019, SNIP: single-shot network pruning based on connection sensitivity (ICLR).
    """

    needs = ("data", "labels", "head", "backward")

    def compute(self, subject: Subject) -> float:
        """Return the sum of the products."""
        gradients, weights = subject.gradients(subject.batch), subject.weights()
        products = (weights[name].detach().double() * gradient.double() for name, gradient in gradients.items())
        return _nonzero(sum(product.abs().sum().item() for product in products))


class ZiCo(Proxy):
    """Mean of a gradient over its deviation between batches, in log sums over layers (Li et al. 2023, ICLR).

    For each weight, the mean over batches of the absolute gradient is divided by the (population) standard deviation of
    the gradient, and weights whose deviation is 0 are dropped. A deviation counts as 0 up to 1e-6 times the mean, and
    all is computed in float64, so that rounding does not decide which weights are dropped. The ratios are summed in
    each layer, and the logarithms of the sums are added. As in `compute_zico.py` of the authors' code, a layer without
    any ratio is skipped. That code sets the network to training mode; here it is in evaluation mode, so no layer mixes
    clips.

    Reference: Li et al. 2023, ZiCo: zero-shot NAS via inverse coefficient of variation on gradients (ICLR).
    """

    needs = ("data", "labels", "head", "backward")

    def compute(self, subject: Subject) -> float:
        """Return the sum of the logarithms."""
        n_batches = len(subject.batches)
        if n_batches < 2:
            raise DegenerateError(f"it needs two batches of labelled clips or more; {n_batches} is given")
        subject.double()
        found = [subject.gradients(batch) for batch in subject.batches]
        logs = []
        for name in found[0]:
            gradients = torch.stack([gradients[name].double() for gradients in found])
            means, deviations = gradients.abs().mean(dim=0), gradients.std(dim=0, correction=0)
            ratios = (means / deviations)[deviations > _ROUNDING * means]
            if ratios.sum() > 0:
                logs.append(math.log(ratios.sum().item()))
        if not logs:
            raise DegenerateError("no gradient differs between the batches; the maps may be dead", -math.inf)
        return sum(logs)


def _nonzero(value: float) -> float:
    """Return a sum over gradients.

    Raises:
        DegenerateError: It is 0.
    """
    if value == 0:
        raise DegenerateError("every gradient is 0, as for dead maps", 0.0)
    return value
