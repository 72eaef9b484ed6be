"""Several small training runs at once on one device, beside the same runs one at a time.

python benchmarks/shared_device.py [--runs 16] [--steps 300] [--seconds 8] [--at_once 1 2 4 8 16] [--precision 32-true]

Networks are small versions of four frontends, with a new seed for each run. For each number of runs at once, the script
prints the seconds of all runs, with and without the start of the processes, and by how much the trained weights differ
from those of the runs one at a time. On a GPU it then compares two other ways in one process:

- `loader`: waveforms are copied to the GPU batch by batch, instead of living there;
- `streams`: a plain loop steps all networks in turn, each on a CUDA stream of its own, beside the default stream.
"""

import argparse
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from untrained.datamodules.synthetic import Synthetic
from untrained.frontends import Frontend
from untrained.probes.observers import Observers
from untrained.registry import FRONTENDS
from untrained.training import data as data_module
from untrained.training.jobs import TrainingJob, one_per_data_set
from untrained.training.module import EndToEnd
from untrained.training.pool import one_by_one, run_jobs
from untrained.training.run import training_key

NETWORKS = (("temporal", 8), ("vertical_7x86", 16), ("frame_level", 8), ("sample_level", 8))


def frontends(n: int) -> Iterator[Frontend]:
    """Yield small networks, each with its own seed."""
    for number in range(n):
        name, n_filters = NETWORKS[number % len(NETWORKS)]
        yield FRONTENDS.create(name, n_filters=n_filters, seed=number)


def jobs(folder: Path, given: argparse.Namespace, n: int) -> list[TrainingJob]:
    """Return training runs, with their results below a folder."""
    data = Synthetic("events", clips_per_class=given.clips_per_class, seconds=given.seconds, batch_size=32)
    options = {"max_steps": given.steps, "gradient_clip_val": 1.0, "precision": given.precision}
    found = []
    for number, frontend in enumerate(frontends(n)):
        module = EndToEnd(frontend, learning_rate=1e-3)
        key = training_key(module, data, options, given.precision)
        place = folder / str(number)
        found.append(TrainingJob(module, data, key, place, "", options, stores=folder.parent / "stores"))
    return found


def seconds_of(runs: list[TrainingJob], device: torch.device, at_once: int) -> tuple[float, float]:
    """Carry out training runs, and return the time of all of them, and of all after the first results, in s.

    The first results are those of one run in each process, which include the start of the processes.
    """
    start = time.perf_counter()
    ends = []
    first = one_per_data_set(runs)
    for job, ended in run_jobs(one_by_one(runs), [device], min(at_once, len(runs)), Observers, print, first=first):
        ends.append(time.perf_counter() - start)
        if ended.error:
            raise SystemExit(f"{job.folder} failed: {ended.error}")
    return ends[-1], ends[-1] - ends[min(at_once, len(ends)) - 1]


def difference(folder: Path, other: Path, n: int) -> float:
    """Return the largest difference of two trained weights, relative to the largest weight of its tensor."""
    found = 0.0
    for number in range(n):
        ours, theirs = (load_file(each / str(number) / "frontend.safetensors") for each in (folder, other))
        for name, tensor in ours.items():
            if tensor.is_floating_point() and tensor.numel():
                most = float(tensor.abs().max()) or 1.0
                found = max(found, float((tensor - theirs[name]).abs().max()) / most)
    return found


def seconds_on_streams(n: int, device: torch.device, steps: int, n_samples: int, *, several: bool) -> float:
    """Return the time of a plain loop over networks, on one stream or on a stream for each of them."""
    networks = [EndToEnd(frontend).build(8).to(device).train() for frontend in frontends(n)]
    optimizers = [torch.optim.AdamW(network.parameters(), lr=1e-3) for network in networks]
    batch = torch.randn(32, n_samples, device=device)
    labels = torch.arange(32, device=device) % 8
    streams = [torch.cuda.Stream(device) if several else torch.cuda.current_stream(device) for _ in networks]

    def step(network: nn.Module, optimizer: torch.optim.Optimizer) -> Tensor:
        optimizer.zero_grad()
        loss = cross_entropy(network(batch), labels)
        loss.backward()
        optimizer.step()
        return loss

    for number in range(steps + 5):
        if number == 5:  # the first ones choose algorithms
            torch.cuda.synchronize(device)
            start = time.perf_counter()
        for network, optimizer, stream in zip(networks, optimizers, streams, strict=True):
            with torch.cuda.stream(stream):
                step(network, optimizer)
    torch.cuda.synchronize(device)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=16)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--clips_per_class", type=int, default=40)
    parser.add_argument("--at_once", type=int, nargs="+", default=[1, 2, 4, 8, 16])
    parser.add_argument("--precision", default="32-true")
    given = parser.parse_args()
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    is_gpu = torch.cuda.is_available()
    device = torch.device("cuda", 0) if is_gpu else torch.device("cpu")
    print(torch.cuda.get_device_name() if is_gpu else f"CPU, {torch.get_num_threads()} threads", flush=True)
    with TemporaryDirectory() as temporary:
        root = Path(temporary)
        seconds_of(jobs(root / "first", given, 1), device, 1)  # makes the sounds, and starts CUDA
        known: dict[int, tuple[float, float]] = {}
        for n in given.at_once:
            known[n] = seconds_of(jobs(root / str(n), given, given.runs), device, n)
            first = given.at_once[0]
            whole, later = known[n]
            faster = f"{known[first][0] / whole:.2f} times as fast"
            if given.runs > n:
                rate = (given.runs - n) / later
                faster += f"; once started, {rate / ((given.runs - first) / known[first][1]):.2f} times as fast"
            text = f"{n:>2} at once: {whole:6.1f} s, {faster}"
            differs = difference(root / str(n), root / str(first), given.runs)
            print(f"{text}; largest relative difference of weights {differs:.1e}", flush=True)
        if is_gpu:
            few = len(NETWORKS)
            living, _ = seconds_of(jobs(root / "living", given, few), device, 1)
            with mock.patch.object(data_module, "is_resident", return_value=False):
                copied, _ = seconds_of(jobs(root / "copied", given, few), device, 1)
            print(f"waveforms on the device {living:.1f} s, loader {copied:.1f} s ({few} runs, one at a time)")
            n_samples = round(12_000 * given.seconds)
            one, several = (
                seconds_on_streams(given.runs, device, 30, n_samples, several=several) for several in (False, True)
            )
            print(f"plain loop over {given.runs} networks: one stream {one:.2f} s, a stream for each {several:.2f} s")


if __name__ == "__main__":
    main()
