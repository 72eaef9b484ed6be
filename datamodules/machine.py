"""Batches and worker processes that fit the machine, where the user does not choose them."""

import multiprocessing
import os
from collections.abc import Callable
from typing import Literal

import torch
from joblib import cpu_count
from torch import Tensor

Auto = Literal["auto"]

CLIPS = 8
"""Clips per batch where memory is not known."""
MOST_CLIPS = 32
"""Most clips per batch that are chosen automatically."""
SHARE_OF_MEMORY = 0.6  # of what is free on the device; the rest is for what grows faster than the batch
BATCHES_PER_WORKER = 4  # or more, so that workers end at about the same time
BATCHES_AHEAD = 3  # of each worker, in shared memory: two that it has read, and one in use


def plan_loading(
    batch_size: int | Auto,
    num_workers: int | Auto,
    *,
    n_clips: int,
    n_samples: int,
    device: torch.device,
    forward: Callable[[Tensor], Tensor],
    n_processes: int = 1,
) -> tuple[int, int]:
    """Return how many clips a batch has and how many workers read them.

    Args:
        batch_size: Number of clips per batch, or `auto`.
        num_workers: Number of worker processes, or `auto`.
        n_clips: Number of clips that this process reads.
        n_samples: Length of every waveform, in samples.
        device: Device that the embeddings are computed on.
        forward: Function that computes embeddings of waveforms `(batch, n_samples)` on the device.
        n_processes: Number of such processes on this machine.
    """
    workers = workers_for(device.type, n_processes) if num_workers == "auto" else num_workers
    clips = batch_size if batch_size != "auto" else CLIPS if n_clips < 2 else clips_that_fit(forward, n_samples, device)
    if batch_size == "auto" and workers > 0:
        clips = min(clips, max(CLIPS, n_clips // (BATCHES_PER_WORKER * workers)))
    if num_workers == "auto":
        n_batches = -(-n_clips // max(1, clips))  # the loader refuses an odd number
        workers = min(
            workers, n_batches, _batches_in_shared_memory(max(1, clips) * n_samples) // BATCHES_AHEAD // n_processes
        )
    return clips, workers


def workers_for(device_type: str, n_processes: int = 1) -> int:
    """Return how many workers keep a device busy: none on a processor, which computes meanwhile.

    Elsewhere they are the cores that this process may use, by its affinity and quota, shared by the processes of the
    machine, less one for each process itself. There are none where workers cannot be forked, since they would import
    the user's script again.

    Args:
        device_type: PyTorch's name of the kind of device.
        n_processes: Number of processes on this machine that need workers.
    """
    # Asking for the default method would choose it for good, and a script may want another one later.
    method = multiprocessing.get_start_method(allow_none=True) or multiprocessing.get_all_start_methods()[0]
    if device_type == "cpu" or method != "fork" or multiprocessing.current_process().daemon:
        return 0
    n_cores: int = cpu_count()
    return max(1, n_cores // n_processes - 1)


def clips_that_fit(forward: Callable[[Tensor], Tensor], n_samples: int, device: torch.device) -> int:
    """Return how many clips a batch may have, by the memory that one clip takes on an NVIDIA or AMD card.

    Args:
        forward: Function that computes embeddings of waveforms `(batch, n_samples)` on the device.
        n_samples: Length of every waveform, in samples.
        device: Device that the embeddings are computed on.
    """
    if device.type != "cuda":
        return CLIPS
    try:
        with torch.inference_mode(), torch.cuda.device(device):
            waveform = torch.zeros(1, n_samples, device=device)
            forward(waveform)  # libraries allocate what they keep
            torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated()
            forward(waveform)
            each = torch.cuda.max_memory_allocated() - before
            unused = torch.cuda.memory_reserved() - before
            return clips_in(torch.cuda.mem_get_info()[0] + unused, each)
    except torch.OutOfMemoryError:  # the loop reports it
        return 1


def clips_in(free: int, each: int) -> int:
    """Return how many clips a batch may have.

    Args:
        free: Free memory of the device, in bytes.
        each: Memory that one clip takes, in bytes.

    Example:
        >>> clips_in(80 * 2**30, 2**30), clips_in(12 * 2**30, 2**30), clips_in(2**30, 2**30)
        (32, 7, 1)
    """
    return max(1, min(MOST_CLIPS, int(SHARE_OF_MEMORY * free) // max(1, each)))


def _batches_in_shared_memory(n_values: int) -> int:
    """Return how many batches of float32 numbers fit in half of the shared memory, which containers often limit."""
    try:
        status = os.statvfs("/dev/shm")  # where PyTorch's workers put what they have read
    except (AttributeError, OSError):
        return 2**31
    return status.f_bavail * status.f_frsize // 2 // (4 * n_values)
