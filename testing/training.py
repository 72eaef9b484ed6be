"""One step of training of a frontend, which shows whether each of its weights learns."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm

from ..errors import ContractError
from ..frontends import Frontend
from ..frontends.trainable import trainable

_NORMS = (_BatchNorm, _InstanceNorm, nn.GroupNorm, nn.LayerNorm)
_STEP = 0.01  # change relative to the largest weight of a tensor


def train_once(frontend: Frontend, clips: Tensor) -> None:
    """Take one step of gradient descent in a copy of a frontend, towards random embeddings.

    Args:
        frontend: Frontend with random weights.
        clips: Waveforms, `(batch, n_samples)`, of 2 clips or more.

    Raises:
        ContractError: The loss or a gradient is not finite, or a tensor of weights stays as it was. The bias before a
            norm may, because the norm removes it.
    """
    learning = trainable(frontend)
    embedding = learning(clips)
    target = torch.randn(embedding.shape, generator=torch.Generator().manual_seed(0))
    loss = (embedding - target).square().mean()
    if not torch.isfinite(loss):
        raise ContractError(
            f"in training mode the loss is {loss.item()}; return finite embeddings after train(True) too, for example "
            "by dividing only by numbers that cannot be 0"
        )
    if not loss.requires_grad:
        raise ContractError("the embedding has no gradient; use neither torch.no_grad() nor detach() in feature_maps")
    try:
        loss.backward()
    except RuntimeError as error:
        raise ContractError(
            f"there are no gradients: {error}; avoid in-place operations on values that a gradient needs"
        ) from error
    has_norm = any(isinstance(module, _NORMS) for module in learning.modules())
    for name, parameter in learning.network_parameters():
        if parameter.grad is not None and not torch.isfinite(parameter.grad).all():
            raise ContractError(f"the gradient of {name} is not finite; guard roots, logarithms and divisions at 0")
        if not _is_changed(parameter) and not (has_norm and name.endswith("bias")):
            raise ContractError(
                f"a training step does not change {name}; use it in a layer that contributes to the embedding, "
                "without detach() or rounding, or remove it"
            )


def _is_changed(parameter: nn.Parameter) -> bool:
    """Return whether a step along the gradient changes a parameter, whatever the scale of the gradient."""
    if parameter.grad is None or not parameter.grad.any():
        return False
    slope = parameter.grad / parameter.grad.abs().max()
    before = parameter.detach()
    return not torch.equal(before - _STEP * before.abs().max().clamp(min=1) * slope, before)
