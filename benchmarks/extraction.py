"""Speed and memory of extraction, as ratios measured in one run: python benchmarks/extraction.py [PART ...].

- `frontends`: FLOP per second of every large frontend of the study, counted as direct convolutions, divided by the
  FLOP per second of a matrix product (float32, 4096 x 4096 x 4096, best of 5, same number of threads).
- `share`: share of decoding and log-mel in the time of `untrained predict` on wav files, with small frontends.
- `processes`: clips per second of two processes with one thread each, divided by those of one such process.
- `memory`: peak memory of `untrained predict` on 50 and on 500 clips.

Clips are 29.2 s of noise. `predict` runs as a command, as users run it.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
import torch
from untrained import FRONTENDS

N_SAMPLES = 350_000  # 29.2 s at 12 kHz
LARGE = {
    **dict.fromkeys(("vgg", "sample_level", "frame_level", "frame_level_many"), 0.8),
    **dict.fromkeys(("vertical_7x86", "timbral_temporal"), 0.7),
    **dict.fromkeys(("vertical_7x96", "timbral", "temporal"), None),
}
SMALL = tuple(LARGE)


def main() -> None:
    """Run the parts that are named, or all."""
    parts: dict[str, Callable[[], None]] = {
        "frontends": frontends,
        "share": share,
        "processes": processes,
        "memory": memory,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "parts",
        nargs="*",
        metavar="PART",
        choices=[*parts, []],
        help=f"{', '.join(parts)} (default: all)",
    )
    for name in parser.parse_args().parts or parts:
        parts[name]()


@torch.inference_mode()
def frontends() -> None:
    """Print the speed of large frontends relative to matrix products, which are timed before and after each."""
    print("large frontend | s per clip | GFLOP | share of the matrix rate | expected at least")
    for name, at_least in LARGE.items():
        frontend = FRONTENDS.create(name, size="large")
        flop = frontend.describe(N_SAMPLES).flop
        waveforms = 0.1 * torch.randn(4, N_SAMPLES, generator=torch.Generator().manual_seed(0))
        rate = matrix_rate()
        seconds = best(lambda frontend=frontend, waveforms=waveforms: frontend(waveforms), 3) / len(waveforms)
        rate = max(rate, matrix_rate())
        print(
            f"{name} | {seconds:.3f} | {flop / 1e9:.1f} | {flop / seconds / rate:.2f} | {at_least or '-'}", flush=True
        )
    print(f"matrix rate: {rate / 1e9:.0f} GFLOP per second in {torch.get_num_threads()} threads")


def matrix_rate() -> float:
    """Return the FLOP per second of a matrix product; a multiply-add counts as two."""
    a, b = torch.randn(2, 4096, 4096).unbind()
    return 2 * 4096**3 / best(lambda: a @ b, 5)


def best(action: Callable[[], object], times: int) -> float:
    """Repeat an action, and return its shortest time in s."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def share() -> None:
    """Print the share of decoding and log-mel in the time of small frontends, with and without program start."""
    print("small frontend | clips per second | decoding + log-mel: share of the loop | share of the whole command")
    with tempfile.TemporaryDirectory() as folder:
        make_clips(Path(folder), 100, rate=22_050)
        for name in SMALL:
            start = time.perf_counter()
            profile = predict(folder, name)
            whole = time.perf_counter() - start
            work = profile["seconds_decoding"] + profile["seconds_representation"]
            of_loop, of_all = work / profile["seconds_wall"], work / whole
            print(f"{name} | {profile['clips_per_second']:.1f} | {of_loop:.0%} | {of_all:.0%}", flush=True)


def processes() -> None:
    """Print the clips per second of one and of two processes, from the first batch to the last."""
    print("frontend, one thread per process | 1 process | 2 processes | ratio")
    one_thread = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    two = ("--trainer.accelerator", "cpu", "--trainer.devices", "2", "--trainer.strategy", "ddp")
    for name, size, n_clips in (("vgg", "small", 600), ("sample_level", "small", 200), ("vertical_7x86", "large", 50)):
        with tempfile.TemporaryDirectory() as folder:
            make_clips(Path(folder), n_clips)
            sized = ("--model.frontend.size", size)
            one, both = (
                predict(folder, name, *sized, *more, environment=one_thread)["clips_per_second"] for more in ((), two)
            )
            print(f"{name}, {size} | {one:.2f} | {both:.2f} | {both / one:.2f}", flush=True)


def memory() -> None:
    """Print the peak memory for few and for many clips, each in its own process."""
    print("frontend | clips | peak GiB")
    for name, size in (("vgg", "small"), ("vertical_7x86", "large")):
        for n_clips in (50, 500):
            with tempfile.TemporaryDirectory() as folder:
                make_clips(Path(folder), n_clips)
                program = (
                    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=2)\n"
                    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
                )
                command = [sys.executable, "-c", program, *command_of(folder, name, "--model.frontend.size", size)]
                printed = subprocess.run(command, check=True, cwd=folder, capture_output=True, text=True).stdout
                unit = 1 if sys.platform == "darwin" else 1024
                print(f"{name}, {size} | {n_clips} | {int(printed) * unit / 2**30:.2f}", flush=True)


def make_clips(folder: Path, n_clips: int, rate: int = 12_000) -> None:
    """Write wav files of noise in two classes."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(int(29.2 * rate)).astype(np.float32)
    for number in range(n_clips):
        place = folder / "sounds" / f"class {number % 2}"
        place.mkdir(parents=True, exist_ok=True)
        soundfile.write(place / f"{number}.wav", np.roll(noise, 100 * number), rate)


def command_of(folder: str, frontend: str, *more: str) -> list[str]:
    """Return the command line of an extraction."""
    data = ("--data", "folder", "--data.root", os.path.join(folder, "sounds"))
    return [sys.executable, "-m", "untrained", "predict", *data, "--model.frontend", frontend, "--force", *more]


def predict(folder: str, frontend: str, *more: str, environment: dict[str, str] | None = None) -> dict[str, float]:
    """Run an extraction in its own process, and return its time profile."""
    with tempfile.TemporaryDirectory(dir=folder) as runs:
        subprocess.run(
            command_of(folder, frontend, "--trainer.default_root_dir", runs, *more),
            check=True,
            cwd=folder,
            capture_output=True,
            env={**os.environ, **(environment or {})},
        )
        (profile,) = Path(runs).glob("embeddings/*/profile.json")
        found: dict[str, float] = json.loads(profile.read_text())
        return found


if __name__ == "__main__":
    main()
