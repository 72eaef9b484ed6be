"""Limits on the memory for creating or running a frontend, checked before the memory is allocated."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from ..files import machine_memory

MAX_OPERATIONS = 1_000_000
"""Maximum number of operations for creating a frontend; the largest built-in one needs a few hundred."""


class AllocationError(ValueError):
    """Error for an operation whose result would exceed the memory limit."""


@contextmanager
def at_most(each: int, total: int) -> Iterator[None]:
    """Raise an error before an operation of PyTorch exceeds a memory limit.

    Args:
        each: Maximum size of the result of one operation, in bytes.
        total: Maximum size of all results together, in bytes, including those that are freed.

    Raises:
        AllocationError: A result, or all results together, would be larger, or there are too many operations.

    Example:
        >>> with at_most(each=100, total=1000):
        ...     torch.zeros(10**12)
        Traceback (most recent call last):
        untrained.frontends.allocations.AllocationError: a tensor of 4,000,000,000,000 bytes; at most 100 fit
    """
    with _Bounded(each, total):
        yield


class _Bounded(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Dispatch mode that first computes the size of each result on the meta device."""

    def __init__(self, each: int, total: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._each, self._total = each, total
        self._n_bytes = self._n_operations = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        self._n_operations += 1
        n_bytes = _size_of_result(func, args, kwargs)
        self._n_bytes += n_bytes
        if n_bytes > self._each:
            raise AllocationError(f"a tensor of {n_bytes:,} bytes; at most {self._each:,} fit")
        if self._n_bytes > self._total or self._n_operations > MAX_OPERATIONS:
            raise AllocationError(
                f"tensors of more than {self._total:,} bytes, or more than {MAX_OPERATIONS:,} operations"
            )
        return func(*args, **kwargs)


def _size_of_result(func: Any, args: Any, kwargs: Any) -> int:
    """Return the size in bytes of the new tensors of an operation, or 0 if only running it shows the size."""
    if any(argument.alias_info is not None for argument in func._schema.arguments):
        return 0  # a view, or an operation in place
    on_meta = tree_map(lambda value: value.to("meta") if isinstance(value, Tensor) else value, (args, kwargs))
    more = {"device": torch.device("meta")} if any(part.name == "device" for part in func._schema.arguments) else {}
    try:
        found = func(*on_meta[0], **{**on_meta[1], **more})
    except Exception:  # the size depends on the values, or the operation fails anyway
        return 0
    return sum(part.numel() * part.element_size() for part in tree_leaves(found) if isinstance(part, Tensor))


def refuse_long_input(frontend: nn.Module, n_samples: int) -> None:
    """Raise an error if the memory of this machine is too small to compute the embedding of one clip.

    Args:
        frontend: Frontend, which is run on the meta device; one that cannot run there is accepted.
        n_samples: Length of the clip in samples.

    Raises:
        AllocationError: A tensor would take more than half of the memory.
    """
    most = machine_memory() // 2
    if 4 * n_samples > most:
        raise AllocationError(f"a waveform of {4 * n_samples:,} bytes; at most {most:,} fit")
    try:
        with torch.inference_mode():
            copied = copy.deepcopy(frontend).to("meta")
            with at_most(most, 2**62):
                copied(torch.zeros(1, n_samples, device="meta"))
    except AllocationError:
        raise
    except Exception:  # an operation without a meta kernel may raise anything
        return
