"""Time and memory of listing many files: python benchmarks/listing.py [--files N] [--headers N].

Creates N empty files in ten class folders of a temporary folder, and measures, each in a process of its own:

- `folder`: listing the folder, and reading the size and modification time of every file.
- `csv` and `parquet`: listing a manifest with as many rows.
- `headers`: reading the headers of wav files of 10 ms, as `predict` and `fit` do before they compute anything.

Memory is the peak beyond that of the imports, which is printed first. Run it in an older clone to compare: parts that
the clone lacks are reported as missing.
"""

import argparse
import importlib
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

N_FILES = 100_000
N_CLASSES = 10


def main() -> None:
    """Make the files, and measure each part in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=N_FILES, metavar="N", help=f"files (default: {N_FILES:,})")
    parser.add_argument("--headers", type=int, default=N_FILES, metavar="N", help="wav files with a header")
    parser.add_argument("--part", nargs=2, metavar=("PART", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        print(json.dumps(PARTS[arguments.part[0]](Path(arguments.part[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        names = make(root / "sounds", arguments.files, b"")
        write_manifests(root, names)
        make(root / "wav", arguments.headers, wav())
        print(
            f"{arguments.files:,} files; {arguments.headers:,} headers; imports: {measured('imports', root)['MiB']} MiB"
        )
        print("part | s | microseconds per file | MiB beyond the imports | bytes per file")
        for part in PARTS:
            if part != "imports":
                report(part, measured(part, root), arguments.headers if part == "headers" else arguments.files)


def make(root: Path, n: int, content: bytes) -> list[str]:
    """Write files with one content into class folders, and return their names relative to the root."""
    names = [f"class{number % N_CLASSES}/{number:08d}.wav" for number in range(n)]
    for number in range(N_CLASSES):
        (root / f"class{number}").mkdir(parents=True)
    for name in names:
        with open(f"{root}/{name}", "wb") as file:
            file.write(content)
    return names


def wav() -> bytes:
    """Return a wav file of 10 ms."""
    file = io.BytesIO()
    soundfile.write(file, np.zeros(120, np.float32), 12_000, format="WAV")
    return file.getvalue()


def write_manifests(root: Path, names: list[str]) -> None:
    """Write a CSV and a Parquet file with the path and the label of every file."""
    import pyarrow as pa
    from pyarrow import parquet

    labels = [name.partition("/")[0] for name in names]
    lines = (f"{name},{label}\n" for name, label in zip(names, labels, strict=True))
    (root / "clips.csv").write_text("".join(["path,label\n", *lines]))
    parquet.write_table(pa.table({"path": names, "label": labels}), root / "clips.parquet")


def measured(part: str, root: Path) -> dict[str, Any]:
    """Return what a part measures in a process of its own."""
    command = [sys.executable, __file__, "--part", part, str(root)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1][:100]}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def report(part: str, found: dict[str, Any], n: int) -> None:
    """Print one line for each step of a part."""
    if "error" in found:
        print(f"{part} | missing: {found['error']}")
        return
    for step, seconds in found["seconds"].items():
        print(f"{part}: {step} | {seconds:.2f} | {1e6 * seconds / n:.1f} | | ")
    print(f"{part}: peak | | | {found['MiB']} | {found['MiB'] * 2**20 / n:.0f}", flush=True)


def peak() -> int:
    """Return the peak memory of this process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024**2 if sys.platform == "darwin" else 1024)


def run(steps: dict[str, Callable[[], object]]) -> dict[str, Any]:
    """Carry out steps, and return the seconds of each and the growth of the peak memory."""
    before, seconds = peak(), {}
    for name, step in steps.items():
        start = time.perf_counter()
        step()
        seconds[name] = time.perf_counter() - start
    return {"seconds": seconds, "MiB": peak() - before}


def imports(root: Path) -> dict[str, Any]:
    """Return the memory of what all parts import."""
    importlib.import_module("untrained.datamodules.folder")
    return {"MiB": peak()}


def folder(root: Path) -> dict[str, Any]:
    """List a folder."""
    from untrained.datamodules.folder import AudioFolder

    data = AudioFolder(str(root / "sounds"))
    return run({"list": lambda: data.listed, "stamps": data.stamps})


def manifest(root: Path, name: str) -> dict[str, Any]:
    """List a manifest."""
    from untrained.datamodules.manifest import Manifest

    data = Manifest(str(root / name), root=str(root / "sounds"))
    return run({"list": lambda: data.listed})


def headers(root: Path) -> dict[str, Any]:
    """Read the headers of all files."""
    from untrained.datamodules.folder import AudioFolder
    from untrained.embeddings.extract import refuse_broken

    data = AudioFolder(str(root / "wav"))
    ids = [clip.id for clip in data.listed]
    return run({"read": lambda: refuse_broken(data, ids)})


PARTS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "imports": imports,
    "folder": folder,
    "csv": lambda root: manifest(root, "clips.csv"),
    "parquet": lambda root: manifest(root, "clips.parquet"),
    "headers": headers,
}


if __name__ == "__main__":
    main()
