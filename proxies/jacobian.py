"""Proxy that reads the gradient of the output with respect to the input."""

import math

import torch

from .base import DegenerateError, Proxy
from .passes import slopes_of
from .subject import CHUNK, Subject, refuse_single

_K = 1e-5  # keeps the logarithm and the fraction finite, as in the authors' code


class JacobCov(Proxy):
    """How little the slopes at different clips are correlated, by the Jacobian (Mellor et al. 2020, version 1).

    A row for each clip holds the gradient of the sum of its logits with respect to its input. With the eigenvalues v of
    the correlation matrix of the rows, the value is -sum(log(v + k) + 1 / (v + k)), k = 1e-5. It follows `jacob_cov.py`
    of zero-cost-nas (Abdelfattah et al. 2021, ICLR), with eigenvalues of a symmetric matrix, which are real. In
    evaluation mode, BatchNorm layers do not mix the rows.

    Reference: Mellor et al. 2020, Neural architecture search without training (arXiv 2006.04647v1).
    """

    needs = ("data", "head", "backward")

    def compute(self, subject: Subject) -> float:
        """Return the negative sum over eigenvalues."""
        refuse_single(subject.batch)
        rows = []
        for part in torch.split(subject.batch.inputs, CHUNK):
            inputs = part.clone().requires_grad_(True)
            (slopes,) = slopes_of(subject.logits(inputs).sum(), [inputs])
            if slopes is None:
                raise DegenerateError("the logits have no gradient at the input; do not detach it in feature_maps")
            rows.append(slopes.flatten(1).double().cpu())
        jacobian = torch.cat(rows)
        constant = int((jacobian == jacobian[:, :1]).all(dim=1).sum())
        if constant:
            raise DegenerateError(
                f"{constant} of {len(jacobian)} clips have the same slope at all inputs, such as 0 for dead maps"
            )
        correlations = torch.corrcoef(jacobian)
        if not torch.isfinite(correlations).all():
            raise DegenerateError("a slope of the logits is not finite")
        v = torch.linalg.eigvalsh(correlations)
        value = -(torch.log(v + _K) + 1 / (v + _K)).sum().item()
        return value if not math.isnan(value) else -math.inf
