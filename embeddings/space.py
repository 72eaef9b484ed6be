"""Space on the disk for the cache of waveforms."""

import shutil
from pathlib import Path

MAX_AUTOMATIC = 2_000_000_000
"""Maximum number of bytes that a command adds to a cache unless the user asks for more."""
SHARE_AUTOMATIC = 0.1
"""Maximum fraction of the free disk that a command adds to a cache unless the user asks for more."""
SHARE = 0.9
"""Maximum fraction of the free disk that a command adds to a cache."""


def refusal(folder: Path, n_bytes: int, *, automatic: bool) -> str:
    """Return why waveforms are not written to a folder, as the end of a sentence; empty if they are.

    Args:
        folder: Folder of the cache, which need not exist.
        n_bytes: Number of bytes to write.
        automatic: Whether the user has not asked for a cache.
    """
    free = free_space(folder)
    if n_bytes > SHARE * free:
        half = "" if automatic else ", pass --data.cache int16 for half the size"
        return f"but only {size_text(free)} are free in {folder.parent}; free space{half}, or pass --data.cache off"
    if automatic and n_bytes > min(MAX_AUTOMATIC, SHARE_AUTOMATIC * free):
        limit = f"the smaller of {size_text(MAX_AUTOMATIC)} and 10 % of the free disk"
        return (
            f"more than --data.cache auto allows ({limit}); pass --data.cache float32, int16 for half the size, or off"
        )
    return ""


def free_space(folder: Path) -> int:
    """Return the free space in bytes on the disk of a folder, which need not exist."""
    existing = next((path for path in (folder, *folder.absolute().parents) if path.exists()), Path())
    return shutil.disk_usage(existing).free


def described(n_clips: int, n_samples: int, dtype: str, n_bytes: int) -> str:
    """Return the size of waveforms as text.

    Args:
        n_clips: Number of clips.
        n_samples: Length of every waveform, in samples.
        dtype: Type of the samples.
        n_bytes: Size of the waveforms, in bytes.

    Example:
        >>> described(2000, 96_000, "float32", 768_000_000)
        '2,000 clips x 96,000 samples float32 = 768 MB'
    """
    return f"{n_clips:,} {'clip' if n_clips == 1 else 'clips'} x {n_samples:,} samples {dtype} = {size_text(n_bytes)}"


def size_text(n_bytes: int) -> str:
    """Return a number of bytes as text.

    Example:
        >>> size_text(250_000), size_text(768_000_000), size_text(5_400_000_000)
        ('0.2 MB', '768 MB', '5.4 GB')
    """
    if n_bytes >= 1e9:
        return f"{n_bytes / 1e9:,.1f} GB"
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes < 1e7 else f"{n_bytes / 1e6:.0f} MB"
