"""Time profile of an extraction: decoding, representation, network and writing."""

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch


@dataclass
class Profile:
    """Time that all processes of an extraction spent on its parts, in s.

    Args:
        n_clips: Number of computed clips.
        audio: Duration of the decoded audio of these clips, in s.
        wall: Time from the first to the last batch in the slowest process, in s.
        decoding: Time spent decoding in all workers, in s.
        representation: Time spent on representations of waveforms, in s.
        network: Time spent on feature maps and their pooling, in s.
        writing: Time spent writing shards, in s.
    """

    n_clips: int = 0
    audio: float = 0.0
    wall: float = 0.0
    decoding: float = 0.0
    representation: float = 0.0
    network: float = 0.0
    writing: float = 0.0

    @classmethod
    def combined(cls, profiles: Sequence["Profile"]) -> "Profile":
        """Return the profile of several processes that ran in parallel."""
        total = cls(**{name: sum(getattr(each, name) for each in profiles) for name in asdict(cls())})
        total.wall = max(each.wall for each in profiles)
        return total

    def as_numbers(self) -> dict[str, float]:
        """Return the times in s, the clips per second and the hours of audio per hour, by name."""
        seconds = {f"seconds_{name}": round(value, 3) for name, value in asdict(self).items() if name != "n_clips"}
        wall = max(self.wall, 1e-9)
        return {
            "n_clips": self.n_clips,
            "clips_per_second": round(self.n_clips / wall, 3),
            "audio_hours_per_hour": round(self.audio / wall, 1),
            **seconds,
        }


def profile_line(numbers: Mapping[str, float]) -> str:
    """Return a profile as one line of text.

    Args:
        numbers: Profile as numbers, see `Profile.as_numbers`.
    """
    work = ("decoding", "representation", "network", "writing")
    parts = ", ".join(f"{name} {numbers[f'seconds_{name}']:.1f}" for name in work)
    return (
        f"{numbers['clips_per_second']:.1f} clips per second, {numbers['audio_hours_per_hour']:.0f} hours of audio per "
        f"hour (time summed over processes, in s: {parts})"
    )


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
