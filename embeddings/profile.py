"""Time profile of an extraction: decoding, representation, network and writing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..files import read_json


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


def read_profile(path: Path) -> dict[str, float]:
    """Return the profile in a file, see `Profile.as_numbers`; empty if it is missing or damaged.

    Args:
        path: JSON file.
    """
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    whole = isinstance(found, dict) and found.keys() == Profile().as_numbers().keys()
    numbers = found.values() if whole else ()
    return found if whole and all(type(n) in (int, float) and 0 <= n < math.inf for n in numbers) else {}


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
