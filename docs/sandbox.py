"""Folders in which the commands of the how-to pages run while the documentation is built.

Outputs are cached between builds, but these folders are made anew: after a change of a page's commands, build with
`sphinx -E`, which runs all of them in their order.

python docs/sandbox.py COMMAND...   # runs a command, and stops it by Ctrl-C as soon as a store has rows
"""

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PAGES = Path(__file__).parent / "howto"
SAVED = re.compile(r"```\w+\n((?:(?!```).)*)```\s+Saved as `([\w.]+)`", re.DOTALL)
ENTRY = "[untrained.{kinds}]\n{name} = untrained_{name}:{cls}\n"


def prepare(sandbox: Path) -> None:
    """Make an empty folder for each how-to page, with the sounds and files that its commands read.

    Args:
        sandbox: Folder to write to; its earlier content is removed. Each page gets `sandbox/NAME` with `sounds`, a
            folder of 8 classes of generated sound events, 12 clips of 2 s each, and the blocks of code that the page
            saves: those before "Saved as `FILE`". `sandbox/installed` makes the packages that pages write by
            `untrained new` known without installing them: it lies on the path of Python, beside the package itself.
    """
    from untrained import DATAMODULES  # not needed to run a command

    shutil.rmtree(sandbox, ignore_errors=True)
    sounds = sandbox / "sounds"
    DATAMODULES.create("synthetic", task="events", clips_per_class=12, n_samples=24_000).export(sounds)
    for page in PAGES.glob("*.md"):
        folder = sandbox / page.stem
        folder.mkdir()
        shutil.copytree(sounds, folder / "sounds")
        for text, name in SAVED.findall(page.read_text("utf-8")):
            (folder / name).write_text(text, encoding="utf-8")
    _takes(sounds, sandbox / "data-set" / "takes")
    for kinds, name, cls in (
        ("frontends", "my_idea", "MyIdea"),
        ("backends", "my_rule", "MyRule"),
        ("datamodules", "my_data", "MyData"),
        ("proxies", "my_guess", "MyGuess"),
    ):
        entry = sandbox / "installed" / f"untrained_{name}-0.1.0.dist-info"
        entry.mkdir(parents=True)
        (entry / "METADATA").write_text(f"Metadata-Version: 2.1\nName: untrained-{name}\nVersion: 0.1.0\n")
        (entry / "entry_points.txt").write_text(ENTRY.format(kinds=kinds, name=name, cls=cls))


def _takes(sounds: Path, folder: Path) -> None:
    """Copy four clips of three classes to files such as `bark_0.wav`, as the template of a datamodule expects them."""
    folder.mkdir(parents=True)
    for label in ("bark", "horn", "siren"):
        for take, path in enumerate(sorted((sounds / label).iterdir())[:4]):
            shutil.copy(path, folder / f"{label}_{take}.wav")


def interrupt(command: list[str]) -> None:
    """Run a command in the current folder, and send it Ctrl-C as soon as one of its stores has rows."""
    process = subprocess.Popen(command)
    while process.poll() is None and not any(Path("runs/embeddings").glob("*/shards/*")):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    process.wait()


if __name__ == "__main__":
    interrupt(sys.argv[1:])
