"""Seconds a step of `untrained train`, beside a plain loop of PyTorch that trains the same network in the same run.

python benchmarks/training.py [--frontend NAME] [--seconds 8] [--batch 8] [--steps 6] [--rounds 3]

Both read the same clips from memory and take the same steps: forward, loss, backward, clipping, AdamW. They take turns,
and the shortest step of each turn counts, without the first one. Validation is switched off.
"""

import argparse
import logging
import statistics
import time

import torch
from pytorch_lightning import Callback, Trainer
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_
from untrained.datamodules.synthetic import Synthetic
from untrained.frontends.precision import float32_products
from untrained.registry import FRONTENDS
from untrained.training.data import TrainingData
from untrained.training.fitting import quiet
from untrained.training.module import EndToEnd, calibrated


class Clock(Callback):
    """Notes when each batch begins."""

    def __init__(self) -> None:
        self.readings: list[float] = []

    def on_train_batch_start(self, *_: object) -> None:
        """Note the time."""
        self.readings.append(time.perf_counter())

    def on_train_end(self, *_: object) -> None:
        """Note the time."""
        self.readings.append(time.perf_counter())


def seconds_by_lightning(module: EndToEnd, data: TrainingData, steps: int) -> list[float]:
    """Return the seconds of each step of Lightning's trainer, as `untrained train` sets it."""
    clock = Clock()
    quiet_ones = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = Trainer(
        accelerator="cpu",
        max_steps=steps,
        gradient_clip_val=1.0,
        limit_val_batches=0,
        log_every_n_steps=10,
        enable_checkpointing=False,
        callbacks=[clock],
        **quiet_ones,
    )
    with quiet(), float32_products():
        trainer.fit(module, datamodule=data)
    return [after - before for before, after in zip(clock.readings, clock.readings[1:], strict=False)]


def seconds_by_hand(module: EndToEnd, data: TrainingData, steps: int) -> list[float]:
    """Return the seconds of each step of a plain loop."""
    network = module.build(len(data.class_names)).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=1e-4)
    found: list[float] = []
    with float32_products():
        while len(found) < steps:
            start = time.perf_counter()
            for waveforms, labels in data.train_dataloader():
                optimizer.zero_grad()
                cross_entropy(network(waveforms), labels).backward()
                clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
                found.append(time.perf_counter() - start)
                start = time.perf_counter()
    return found[:steps]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frontend", default="vgg")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)

    clips_per_class = -(-given.batch * given.steps // 8) * 5 // 3 + 5  # three fifths of them are to train on
    datamodule = Synthetic("events", clips_per_class=clips_per_class, seconds=given.seconds, batch_size=given.batch)
    frontend = FRONTENDS.create(given.frontend)
    data = TrainingData.of(datamodule, frontend.sample_rate)
    ready = calibrated(frontend, data)
    turns: dict[str, list[float]] = {"lightning": [], "plain": []}
    for _ in range(given.rounds):
        turns["lightning"].append(min(seconds_by_lightning(EndToEnd(ready), data, given.steps)[1:]))
        turns["plain"].append(min(seconds_by_hand(EndToEnd(ready), data, given.steps)[1:]))
    for name, seconds in turns.items():
        print(f"{name:<10} {min(seconds):.3f} s a step (turns: {', '.join(f'{each:.3f}' for each in seconds)})")
    ratio = min(turns["lightning"]) / min(turns["plain"])
    paired = statistics.median(a / b for a, b in zip(turns["lightning"], turns["plain"], strict=True))
    threads = f"{torch.get_num_threads()} threads"
    print(f"ratio      {ratio:.3f} of the least times, {paired:.3f} of the median turn; {threads}")


if __name__ == "__main__":
    main()
