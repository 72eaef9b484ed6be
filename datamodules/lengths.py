"""Notices about clips that are longer or shorter than the input of a frontend."""

import math
from collections.abc import Collection

import numpy as np

from ..audio import FitLength

TOLERANCE = 0.01  # relative difference in length that is ignored; encoders round by about this much


def length_notice(lengths: Collection[float], given: float, fit_length: FitLength, what: str = "clips") -> str:
    """Return a notice about clips that are longer or shorter than the frontend's input; empty if there are none.

    Args:
        lengths: Duration of each clip, in s.
        given: Duration of the frontend's input, in s.
        fit_length: Method of extending shorter clips, see `audio.fit`.
        what: Noun for the clips, in the plural.

    Example:
        >>> length_notice([5.0, 9.0, 9.0], 4.0, "repeat")
        '3 of 3 clips are longer than 4.0 s: only the first 4.0 s are used'
        >>> length_notice([1.0, 2.0, 4.0], 4.0, "repeat")
        '2 of 3 clips are shorter than 4.0 s and are repeated up to 3 times'
    """
    seconds = np.fromiter(lengths, float, len(lengths))
    n_longer = int((seconds > given * (1 + TOLERANCE)).sum())
    shorter = seconds[(seconds > 0) & (seconds < given * (1 - TOLERANCE))]
    all_of_them = f"of {len(lengths):,} {what}"
    found = []
    if n_longer:
        start = as_seconds(given)
        found.append(f"{n_longer:,} {all_of_them} are longer than {start}: only the first {start} are used")
    if len(shorter):
        than = f"of {len(lengths):,} are shorter" if found else f"{all_of_them} are shorter than {as_seconds(given)}"
        padded = (
            "padded with zeros"
            if fit_length == "zero"
            else f"repeated {_up_to(_repetitions(float(shorter.min()), given))}"
        )
        found.append(f"{len(shorter):,} {than} and are {padded}")
    return "; ".join(found)


def repetition_notice(frontend: str, needed: float, given: float) -> str:
    """Return a notice about a frontend that repeats its input because it needs a longer one; empty if it does not.

    Args:
        frontend: Name of the frontend.
        needed: Shortest duration that the frontend accepts, in s.
        given: Duration of the frontend's input, in s.

    Example:
        >>> repetition_notice("vgg", 27.3, 4.0)
        'frontend vgg needs at least 27.3 s: it repeats the 4.0 s that it reads of each clip 6 times'
    """
    if needed <= given:
        return ""
    n = _repetitions(given, needed)
    times = "once" if n == 1 else f"{n:,} times"
    return (
        f"frontend {frontend} needs at least {as_seconds(needed)}: it repeats the {as_seconds(given)} that it reads of "
        f"each clip {times}"
    )


def as_seconds(seconds: float) -> str:
    """Format a duration for messages.

    Example:
        >>> as_seconds(29.17), as_seconds(4), as_seconds(0.0213)
        ('29.2 s', '4.0 s', '0.021 s')
    """
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2g} s"


def _repetitions(short: float, long: float) -> int:
    """Return the number of repetitions after the first playback that fill a length, including an incomplete one."""
    return math.ceil(long / short - TOLERANCE) - 1


def _up_to(n: int) -> str:
    return "once" if n <= 1 else f"up to {n:,} times"
