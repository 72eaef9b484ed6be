"""Folders in which the commands of the how-to pages run while the documentation is built."""

import shutil
from pathlib import Path

from untrained import DATAMODULES

PAGES = Path(__file__).parent / "howto"


def prepare(sandbox: Path) -> None:
    """Make an empty folder for each how-to page, with the sounds that its commands read.

    Args:
        sandbox: Folder to write to; its earlier content is removed. Each page gets `sandbox/NAME` with `sounds`, a
            folder of 8 classes of generated sound events, 12 clips of 2 s each.
    """
    shutil.rmtree(sandbox, ignore_errors=True)
    sounds = sandbox / "sounds"
    DATAMODULES.create("synthetic", task="events", clips_per_class=12, n_samples=24_000).export(sounds)
    for page in PAGES.glob("*.md"):
        folder = sandbox / page.stem
        folder.mkdir()
        shutil.copytree(sounds, folder / "sounds")
