"""Bounds on the memory that making or running a frontend takes, known before the memory is taken."""

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
"""Most operations that making a frontend takes; the largest of ours takes some hundred."""


class AllocationError(ValueError):
    """Error for an operation whose result would not fit in the memory that it is granted."""


@contextmanager
def at_most(each: int, total: int) -> Iterator[None]:
    """Raise before an operation of PyTorch takes more memory than is granted.

    Args:
        each: Most bytes of the result of one operation.
        total: Most bytes of all results, although not all of them are kept.

    Raises:
        AllocationError: The result of an operation, or all together, would be larger; or there are too many operations.

    Example:
        >>> with at_most(each=100, total=1000):
        ...     torch.zeros(10**12)
        Traceback (most recent call last):
        untrained.frontends.allocations.AllocationError: a tensor of 4,000,000,000,000 bytes, where at most 100 fit
    """
    with _Bounded(each, total):
        yield


class _Bounded(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Mode that computes the size of each result on the meta device first."""

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
            raise AllocationError(f"a tensor of {n_bytes:,} bytes, where at most {self._each:,} fit")
        if self._n_bytes > self._total or self._n_operations > MAX_OPERATIONS:
            raise AllocationError(f"tensors of more than {self._total:,} bytes, or more operations than any frontend's")
        return func(*args, **kwargs)


def _size_of_result(func: Any, args: Any, kwargs: Any) -> int:
    """Return the bytes of the new tensors that an operation returns; 0 if only running it shows how many."""
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
    """Raise if this machine's memory does not hold what a frontend computes of one clip.

    Args:
        frontend: Frontend to try without data; one that cannot run so is not refused.
        n_samples: Length of the clip in samples.

    Raises:
        AllocationError: A tensor that it computes of one clip takes more than half of the memory.
    """
    most = machine_memory() // 2
    if 4 * n_samples > most:
        raise AllocationError(f"a waveform of {4 * n_samples:,} bytes, where at most {most:,} fit")
    try:
        with torch.inference_mode():
            copied = copy.deepcopy(frontend).to("meta")
            with at_most(most, 2**62):
                copied(torch.zeros(1, n_samples, device="meta"))
    except AllocationError:
        raise
    except Exception:  # an operation without a meta kernel may raise anything
        return
