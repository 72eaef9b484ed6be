"""Clips per second from a web server that takes a while to answer, by the number of workers.

python benchmarks/remote.py                       # 160 clips of 1 s, 50 ms per request
python benchmarks/remote.py --delay 0.2 --clips 80
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

sys.path.append(str(Path(__file__).parents[1] / "tests/helpers"))

from served import Served
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.loader import ClipLoader


def main() -> None:
    """Print a line for each number of workers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--delay", type=float, default=0.05, help="time before each answer, in s")
    parser.add_argument("--clips", type=int, default=160)
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2, 8])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for label in ("high", "low"):
            (Path(folder) / label).mkdir()
            for number in range(arguments.clips // 2):
                noise = np.random.default_rng(number).uniform(-0.5, 0.5, 12_000)
                soundfile.write(Path(folder) / label / f"{number}.wav", noise, 12_000)
        server = Served(folder)
        server.delay = arguments.delay
        start = time.perf_counter()
        data = AudioFolder(server.url, seconds=1)
        print(f"{len(data.listed)} clips listed in {time.perf_counter() - start:.2f} s")
        for n_workers in arguments.workers:
            loader = ClipLoader(data.read, n_workers).load(data.listed, 12_000, 8)
            start = time.perf_counter()
            n_clips = sum(len(batch.ids) for batch in loader)
            loader.close()
            print(f"{n_workers} workers: {n_clips / (time.perf_counter() - start):6.1f} clips/s")
        server.close()


if __name__ == "__main__":
    main()
