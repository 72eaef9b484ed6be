"""Batches of training clips that depend only on a seed and the epoch."""

from collections.abc import Iterator

import numpy as np

from ..errors import UsageError

LEAST = 2
"""Minimum number of clips per batch in each process, because BatchNorm needs a variance."""


class BatchOrder:
    """Batch sampler of one of several processes, with a new order in each epoch.

    All clips are used in each epoch, and batch sizes differ by at most one, so that no batch is too small for
    BatchNorm and all processes have the same number of batches.

    Args:
        n_clips: Number of clips.
        batch_size: Maximum number of clips per batch in each process; exceeded only if the last batch would be too
            small.
        seed: Seed of the order.
        rank: Number of this process.
        world_size: Number of processes that share the clips.

    Raises:
        UsageError: Batches would be too small.

    Example:
        >>> order = BatchOrder(5, batch_size=2, seed=0)
        >>> [len(batch) for batch in order]
        [3, 2]
    """

    def __init__(self, n_clips: int, batch_size: int, seed: int, rank: int = 0, world_size: int = 1) -> None:
        if batch_size < LEAST:
            raise UsageError(
                f"--data.batch_size {batch_size}: BatchNorm needs {LEAST} clips or more in a batch; use a larger one"
            )
        if n_clips < LEAST * world_size:
            on = f" on {world_size} devices" if world_size > 1 else ""
            remedy = f"use --trainer.devices {max(1, n_clips // LEAST)} or fewer, or add clips"
            raise UsageError(
                f"{n_clips} training clips{on}: BatchNorm needs {LEAST} or more in each batch of each device; "
                f"{remedy if world_size > 1 else 'add clips'}"
            )
        wanted = -(-n_clips // (batch_size * world_size))
        self._n_batches = max(1, min(wanted, n_clips // (LEAST * world_size)))
        self._n_clips, self._seed, self._rank, self._world_size = n_clips, seed, rank, world_size
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, counted from 0, of the next batches."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._n_batches

    def __iter__(self) -> Iterator[list[int]]:
        order = np.random.default_rng([self._seed, self._epoch]).permutation(self._n_clips)
        for batch in np.array_split(order, self._n_batches):
            yield np.array_split(batch, self._world_size)[self._rank].tolist()
