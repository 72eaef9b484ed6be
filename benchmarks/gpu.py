"""Accuracy and speed on a GPU, in under four minutes: python benchmarks/gpu.py [--only PART].

- `agreement`: largest difference between embeddings of the GPU and of the CPU, divided by the largest value, with
  products in float32, in TF32, and under autocast to bfloat16. Small frontends, 2 clips.
- `speed`: for every large frontend at batch size 8, clips per second, FLOP per second divided by those of a matrix
  product (8192 x 8192 x 8192, measured in the same run and precision), and peak memory; and clips per second at batch
  size 32, which is the largest that is chosen automatically.
- `commands`: time of whole `untrained predict` commands on wav files, with the defaults and without workers.

Clips are 29.2 s of noise. Without a GPU, the script prints a note and exits.
"""

import argparse
import contextlib
import gc
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from extraction import LARGE, N_SAMPLES, make_clips, predict
from untrained import FRONTENDS
from untrained.datamodules.machine import MOST_CLIPS, clips_that_fit
from untrained.frontends import Frontend
from untrained.frontends.precision import float32_products

PRECISIONS = ("float32", "TF32", "bfloat16")
BATCH = 8
SIDE = 8192  # number of rows and columns of the matrices
SECONDS = 0.4  # minimum duration of each timing
N_FILES = 1000
COMMANDS = (("vgg",), ("vgg", "--data.num_workers", "0"), ("vgg", "--model.tf32", "true"), ("temporal",))


def main() -> None:
    """Run the part that is named, or all."""
    parts: dict[str, Callable[[], None]] = {"agreement": agreement, "speed": speed, "commands": commands}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=parts, help="part to run; all by default")
    only = parser.parse_args().only
    if not torch.cuda.is_available():
        print("no GPU: PyTorch finds no CUDA device here, so there is nothing to measure")
        return
    print(f"{torch.cuda.get_device_name()}, PyTorch {torch.__version__}")
    for name in [only] if only else parts:
        start = time.perf_counter()
        parts[name]()
        print(f"({name}: {time.perf_counter() - start:.0f} s)\n", flush=True)


def agreement() -> None:
    """Print the differences between GPU and CPU for every small frontend."""
    print(f"frontend | {' | '.join(PRECISIONS)}: largest difference from the CPU / largest value")
    waveforms = noise(2)
    for plugin in FRONTENDS.plugins:
        if not plugin.is_ours or "imports" in plugin.constants():
            continue
        frontend = FRONTENDS.create(plugin.name)
        with torch.inference_mode():
            expected = frontend(waveforms)
        frontend = frontend.cuda()
        found = [embeddings(frontend, waveforms.cuda(), precision).cpu() for precision in PRECISIONS]
        differences = [float((each - expected).abs().max() / expected.abs().max()) for each in found]
        print(f"{plugin.name} | {' | '.join(f'{difference:.1e}' for difference in differences)}", flush=True)


def speed() -> None:
    """Print clips per second, share of the matrix rate and peak memory of every large frontend."""
    rates = {precision: matrix_rate(precision) for precision in PRECISIONS}
    print("matrix rate, TFLOP/s |", " | ".join(f"{precision} {rate / 1e12:.0f}" for precision, rate in rates.items()))
    print(f"large frontend | GFLOP per clip | {' | '.join(PRECISIONS)} | peak GiB | clips that fit")
    print(f"(precisions: clips/s and share of the matrix rate at batch {BATCH}, clips/s at batch {MOST_CLIPS})")
    for name in LARGE:
        frontend = FRONTENDS.create(name, size="large")
        flop = frontend.describe(N_SAMPLES).flop
        frontend = frontend.cuda()
        torch.cuda.reset_peak_memory_stats()
        few = {precision: clips_per_second(frontend, BATCH, precision) for precision in PRECISIONS}
        peak = torch.cuda.max_memory_allocated() / 2**30
        columns = []
        for precision in PRECISIONS:
            share, many = few[precision] * flop / rates[precision], clips_per_second(frontend, MOST_CLIPS, precision)
            columns.append(f"{few[precision]:.0f} {share:.2f} {many:.0f}")
        fit = clips_that_fit(frontend, N_SAMPLES, torch.device("cuda", torch.cuda.current_device()))
        print(f"{name} | {flop / 1e9:.0f} | {' | '.join(columns)} | {peak:.1f} | {fit}", flush=True)
        del frontend
        gc.collect()
        torch.cuda.empty_cache()


def commands() -> None:
    """Print the time of whole commands, each in its own process."""
    print(f"predict of {N_FILES} wav files, small frontend | s | clips/s from the first batch to the last")
    with TemporaryDirectory() as folder:
        make_clips(Path(folder), N_FILES, rate=22_050)
        for name, *options in COMMANDS:
            start = time.perf_counter()
            profile = predict(folder, name, *options)
            seconds = time.perf_counter() - start
            print(f"{' '.join((name, *options))} | {seconds:.1f} | {profile['clips_per_second']:.0f}", flush=True)


@contextlib.contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Compute products of float32 numbers in one of `PRECISIONS`."""
    autocast = torch.autocast("cuda", torch.bfloat16, enabled=precision == "bfloat16")
    with torch.inference_mode(), autocast, float32_products(tf32=precision == "TF32"):
        yield


def embeddings(frontend: Frontend, waveforms: torch.Tensor, precision: str) -> torch.Tensor:
    """Return float32 embeddings of waveforms, computed in a precision."""
    with computing_in(precision):
        found: torch.Tensor = frontend(waveforms)
    return found.float()


def clips_per_second(frontend: Frontend, n_clips: int, precision: str) -> float:
    """Return the clips per second of a frontend at a batch size; NaN if the batch does not fit into memory."""
    try:
        waveforms = noise(n_clips).cuda()
        with computing_in(precision):
            return n_clips / seconds_of(lambda: frontend(waveforms))
    except torch.OutOfMemoryError:
        return float("nan")


def matrix_rate(precision: str) -> float:
    """Return the FLOP per second of a matrix product; a multiply-add counts as two."""
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    a, b = torch.randn(2, SIDE, SIDE, device="cuda", dtype=dtype).unbind()
    with computing_in(precision):
        return 2 * SIDE**3 / seconds_of(lambda: a @ b)


def seconds_of(action: Callable[[], object]) -> float:
    """Repeat an action without waiting for the device, and return its mean time in s, after a warm-up."""
    action()
    torch.cuda.synchronize()
    n, start = 0, time.perf_counter()
    while n < 3 or time.perf_counter() - start < SECONDS:
        action()
        n += 1
        if n % 4 == 0:
            torch.cuda.synchronize()  # so that few actions are queued when the time is up
    torch.cuda.synchronize()
    return (time.perf_counter() - start) / n


def noise(n_clips: int) -> torch.Tensor:
    """Return noise, `(n_clips, n_samples)`."""
    return 0.1 * torch.randn(n_clips, N_SAMPLES, generator=torch.Generator().manual_seed(0))


if __name__ == "__main__":
    main()
