"""Speed of every frontend on this processor, relative to its own rate of multiplying matrices.

A clip has 350,000 samples (29.2 s at 12 kHz). Every frontend that has sizes runs at both, each in a process of its own,
in turns with a product of float32 matrices (4096 x 4096), so that the shares of one run can be compared with those of
another machine. Operations are those of direct convolution. The fastest of some turns counts.

    python benchmarks/processor.py                           # all frontends
    python benchmarks/processor.py vertical_7x86 timbral     # some
    python benchmarks/processor.py --against ../older-clone  # turns alternate with those of another version
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
HEADER = ("frontend", "size", "GFLOP", "s per clip", "of the matrix rate", "peak GiB")
BEFORE = ("s per clip before", "peak GiB before", "now : before")


def main() -> None:
    """Measure and print the table, line by line."""
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
    """Names of the frontends of the study."""
    from untrained import FRONTENDS

    return [plugin.name for plugin in FRONTENDS.plugins if plugin.is_ours and "sizes" in plugin.constants()]


def in_turns(paths: list[str | None], name: str, size: str, batch: int, turns: int) -> list[list[list[float]]]:
    """What the process of each version answers at each turn: FLOP, s per clip, matrix rate and peak memory in bytes."""
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
    """Numbers of one line of the table."""
    seconds = [min(turn[1] for turn in turns) for turns in measured]
    peaks = [turns[0][3] / 2**30 for turns in measured]  # before there were matrices
    flop, rate = measured[0][0][0], max(turn[2] for turns in measured for turn in turns)
    found = [f"{flop / 1e9:.2f}", f"{seconds[0]:.4f}", f"{flop / seconds[0] / rate:.2f}", f"{peaks[0]:.2f}"]
    if len(measured) > 1:
        found += [f"{seconds[1]:.4f}", f"{peaks[1]:.2f}", f"{seconds[0] / seconds[1]:.2f}"]
    return found


def work(name: str, size: str, batch: int) -> None:
    """Answer every line of the input by one turn of a frontend and of a matrix product."""
    import resource  # not on every system

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
    """Floating-point operations a second of a matrix product."""
    import torch

    a, b = torch.randn(2, 4096, 4096).unbind()
    start = time.perf_counter()
    a @ b
    return 2 * 4096**3 / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
