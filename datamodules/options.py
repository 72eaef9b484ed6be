"""Arguments that all datamodules have, and their checks."""

from typing import Literal, TypedDict

from .. import audio
from ..errors import UsageError
from .machine import Auto

OnError = Literal["raise", "skip"]
CacheMode = Literal["auto", "float32", "int16", "off"] | bool
"""Kind of cache of decoded waveforms; YAML reads `off` as false."""
_KNOWN = {
    "fit_length": ("repeat", "zero"),
    "on_error": ("raise", "skip"),
    "cache": ("auto", "float32", "int16", "off"),
}


class LoaderOptions(TypedDict, total=False):
    """Arguments of all datamodules, to annotate an `__init__` that passes them on; see `AudioDataModule`."""

    n_samples: int | None
    seconds: float | None
    fit_length: audio.FitLength
    seed: int
    on_error: OnError
    batch_size: int | Auto
    num_workers: int | Auto
    sample_rate: int | None
    cache: CacheMode


def require_at_least(least: int, **values: int) -> None:
    """Check that arguments are not below a minimum.

    Args:
        least: Minimum of all values.
        values: Value of each argument by name.

    Raises:
        UsageError: A value is below the minimum.
    """
    for name, value in values.items():
        if value < least:
            raise UsageError(f"{name}={value}; expected an integer of {least} or more")


def require_known(**values: object) -> None:
    """Check arguments of a datamodule that accept a few values.

    Args:
        values: Value of each argument by name.

    Raises:
        UsageError: A value is not one of those that the argument accepts.
    """
    for name, value in values.items():
        if value not in _KNOWN[name]:
            *others, last = map(repr, _KNOWN[name])
            raise UsageError(f"{name}={value!r}; expected {', '.join(others)} or {last}")


def require_length(n_samples: int | None, seconds: float | None, sample_rate: int) -> None:
    """Check the arguments that set the length of waveforms.

    Args:
        n_samples: Length in samples; None if it is not given.
        seconds: Length in s; None if it is not given.
        sample_rate: Sample rate in Hz.

    Raises:
        UsageError: Both are given, or one is out of range.
    """
    require_at_least(1, n_samples=1 if n_samples is None else n_samples)
    if n_samples is not None and seconds is not None:
        raise UsageError(
            f"n_samples={n_samples} and seconds={seconds} both set the length of clips; leave out one of them"
        )
    if n_samples is not None and n_samples >= 2**31:  # 8 GiB per waveform, most likely a typing error
        raise UsageError(f"n_samples={n_samples}; expected an integer below 2**31")
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if seconds is not None and not (is_number and 1 <= seconds * sample_rate < 2**31):
        most = 2**31 // sample_rate
        raise UsageError(f"seconds={seconds}; expected more than 0, and less than {most} at {sample_rate} Hz")


def require_integers(batch_size: int | Auto, num_workers: int | Auto, seed: int, sample_rate: int) -> None:
    """Check the arguments that are integers.

    Raises:
        UsageError: A number is out of range, or the batch size or number of workers is another text than `auto`.
    """
    require_at_least(1, sample_rate=sample_rate)
    require_at_least(0, seed=seed)
    if seed >= 2**32:
        raise UsageError(f"seed={seed}; expected an integer below 2**32")
    for name, value, least in (("batch_size", batch_size, 1), ("num_workers", num_workers, 0)):
        if isinstance(value, int):
            require_at_least(least, **{name: value})
        elif value != "auto":
            raise UsageError(f"{name}={value!r}; expected an integer of {least} or more, or 'auto'")
