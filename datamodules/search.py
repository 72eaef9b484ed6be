"""Search of folders for audio files."""

import os
from pathlib import Path

from .. import audio


def audio_files(root: Path) -> tuple[list[Path], int]:
    """Return the audio files below a folder, relative to it, and the number of other files.

    Links are followed, but each real folder is visited only once, so that a loop of links ends. Names that start with a
    dot are ignored.

    Args:
        root: Folder to search.

    Returns:
        Sorted paths relative to `root`, and the number of files that are not audio.
    """
    found: list[Path] = []
    n_other, seen = 0, set()
    for folder, subfolders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            subfolders.clear()
            continue
        seen.add(real)
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in files:
            if name.startswith("."):
                continue
            if Path(name).suffix.lower() in audio.EXTENSIONS:
                found.append(Path(folder, name).relative_to(root))
            else:
                n_other += 1
    return sorted(found), n_other
