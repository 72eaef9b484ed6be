"""Speed of every frontend on this CPU, relative to the speed of a matrix product.

A clip has 350,000 samples (29.2 s at 12 kHz). Every frontend that has sizes runs at both of them, each in its own
process. It takes turns with a product of float32 matrices (4096 x 4096), so that their ratio can be compared between
machines. FLOP are counted as direct convolutions. The fastest of several turns counts.

    python benchmarks/processor.py                           # all frontends
    python benchmarks/processor.py vertical_7x86 timbral     # some
    python benchmarks/processor.py --against ../older-clone  # takes turns with another version
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

N_SAMPLES = 350_000
SIZES = ("small", "large")
HEADER = ("frontend", "size", "GFLOP", "s per clip", "share of the matrix rate", "peak GiB")
BEFORE = ("s per clip before", "peak GiB before", "now : before")


def main() -> None:
    """Print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "names", nargs="*", metavar="FRONTEND", help="frontends to measure; default: all that have sizes"
    )
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="clone of another version to compare with")
    parser.add_argument("--batch", type=int, default=4, help="clips in a batch (default: 4)")
    parser.add_argument("--turns", type=int, default=4, help="turns of each frontend (default: 4)")
    parser.add_argument("--worker", nargs=2, metavar=("FRONTEND", "SIZE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(*options.worker, options.batch)
        return
    columns = HEADER + (BEFORE if options.against else ())
    print(f"| {' | '.join(columns)} |\n|---|---|{'---:|' * (len(columns) - 2)}")
    with tempfile.TemporaryDirectory() as folder:
        paths: list[str | None] = [None]
        if options.against:
            Path(folder, "untrained").symlink_to(options.against.resolve(), target_is_directory=True)
            paths.append(folder)
        for name in options.names or with_sizes():
            for size in SIZES:
                measured = in_turns(paths, name, size, options.batch, options.turns)
                print(f"| {name} | {size} | {' | '.join(cells(measured))} |", flush=True)


def with_sizes() -> list[str]:
    """Return the names of the bundled frontends that have sizes."""
    from untrained import FRONTENDS

    return [plugin.name for plugin in FRONTENDS.plugins if plugin.is_ours and "sizes" in plugin.constants()]


def in_turns(paths: list[str | None], name: str, size: str, batch: int, turns: int) -> list[list[list[float]]]:
    """Return FLOP, s per clip, matrix rate in FLOP/s and peak memory in bytes, for each version and turn."""
    command = [sys.executable, __file__, "--batch", str(batch), "--worker", name, size]
    processes = []
    for path in paths:
        environment = {**os.environ, **({"PYTHONPATH": path} if path else {})}
        processes.append(subprocess.Popen(command, stdin=-1, stdout=-1, text=True, env=environment))
    answers: list[list[list[float]]] = [[] for _ in processes]
    for _ in range(turns):
        for process, found in zip(processes, answers, strict=True):
            assert process.stdin
            assert process.stdout
            print("next", file=process.stdin, flush=True)
            found.append([float(value) for value in process.stdout.readline().split()])
    for process in processes:
        process.communicate()
    return answers


def cells(measured: list[list[list[float]]]) -> list[str]:
    """Return the numbers of one row of the table."""
    seconds = [min(turn[1] for turn in turns) for turns in measured]
    peaks = [turns[0][3] / 2**30 for turns in measured]  # of the first turn, before its matrix product
    flop, rate = measured[0][0][0], max(turn[2] for turns in measured for turn in turns)
    found = [f"{flop / 1e9:.2f}", f"{seconds[0]:.4f}", f"{flop / seconds[0] / rate:.2f}", f"{peaks[0]:.2f}"]
    if len(measured) > 1:
        found += [f"{seconds[1]:.4f}", f"{peaks[1]:.2f}", f"{seconds[0] / seconds[1]:.2f}"]
    return found


def work(name: str, size: str, batch: int) -> None:
    """Run a turn of a frontend and of a matrix product for every line of input, and print the measurements."""
    import resource  # not available on every system

    import torch
    from untrained import FRONTENDS

    frontend = FRONTENDS.create(name, size=size)
    flop = frontend.describe(N_SAMPLES).flop
    waveforms = 0.1 * torch.randn(batch, N_SAMPLES, generator=torch.Generator().manual_seed(0))
    unit = 1 if sys.platform == "darwin" else 1024
    with torch.inference_mode():
        frontend(waveforms)
        for _ in sys.stdin:
            seconds: list[float] = []
            while sum(seconds) < 0.5:
                start = time.perf_counter()
                frontend(waveforms)
                seconds.append(time.perf_counter() - start)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
            print(flop, min(seconds) / batch, matrix_rate(), peak, flush=True)


def matrix_rate() -> float:
    """Return the FLOP per second of a matrix product; a multiply-add counts as two."""
    import torch

    a, b = torch.randn(2, 4096, 4096).unbind()
    start = time.perf_counter()
    a @ b
    return 2 * 4096**3 / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
