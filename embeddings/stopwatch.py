"""Time that a frontend spends on its parts during an extraction."""

import itertools
import time
from typing import Any

import torch


class Stopwatch:
    """Stopwatch for the representation and the network of a frontend, with hooks that do not synchronise a GPU.

    Args:
        frontend: Frontend to time.

    Attributes:
        representation: Time spent on the representation so far, in s.
        network: Time spent on the other parts of the frontend so far, in s.
    """

    def __init__(self, frontend: torch.nn.Module) -> None:
        self.representation = self.network = 0.0
        self._frontend = frontend
        self._marks: list[Any] = []
        self._hooks = [frontend.register_forward_pre_hook(self._begin), frontend.register_forward_hook(self._mark)]
        first = getattr(frontend, "representation", None)
        if isinstance(first, torch.nn.Module):
            self._hooks.append(first.register_forward_hook(self._mark))

    def read(self) -> None:
        """Add the times of the last forward pass. Call it only after the device has finished the pass."""
        if len(self._marks) > 1:
            *before, last = self._marks
            for earlier, later in itertools.pairwise(before):
                self.representation += _seconds(earlier, later)
            self.network += _seconds(before[-1], last)
        self._marks = []

    def remove(self) -> None:
        """Remove the hooks."""
        for hook in self._hooks:
            hook.remove()

    def _begin(self, *_: object) -> None:
        self._marks = []  # a forward pass that was not read is not counted
        self._mark()

    def _mark(self, *_: object) -> None:
        tensors = itertools.chain(self._frontend.parameters(), self._frontend.buffers())
        if next(tensors, torch.empty(0)).is_cuda:
            event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            event.record()
            self._marks.append(event)
        else:
            self._marks.append(time.perf_counter())


def _seconds(earlier: Any, later: Any) -> float:
    return float(later - earlier if isinstance(earlier, float) else earlier.elapsed_time(later) / 1000)
