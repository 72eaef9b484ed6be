"""Time profile of an extraction: decoding, representation, network, writing."""

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch


@dataclass
class Profile:
    """Time spent on an extraction by all processes together, in s.

    Args:
        n_clips: Number of clips that were computed.
        audio: Duration of the audio that was decoded for them, in s.
        wall: Time from the first batch to the last in the slowest process, in s.
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
        """Return the profile of several processes that worked side by side."""
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
    """Return a profile as one line of text, from the numbers of `Profile.as_numbers`."""
    work = ("decoding", "representation", "network", "writing")
    parts = ", ".join(f"{name} {numbers[f'seconds_{name}']:.1f}" for name in work)
    return (
        f"{numbers['clips_per_second']:.1f} clips a second, {numbers['audio_hours_per_hour']:.0f} hours of audio an "
        f"hour (seconds of work: {parts})"
    )


class Stopwatch:
    """Stopwatch for a frontend's representation and network; its hooks do not make a GPU wait.

    Args:
        frontend: Frontend to time, as a torch module.

    Attributes:
        representation: Time spent on the representation so far, in s.
        network: Time spent on everything else so far, in s.
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
        """Add the time since the last call; call it when the device has finished, such as after copying its results."""
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
        self._marks = []  # a call whose time nobody reads is not counted
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
