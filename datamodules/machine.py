"""Automatic choice of the batch size and the number of worker processes."""

import multiprocessing
import os
from collections.abc import Callable
from typing import Literal

import torch
from joblib import cpu_count
from torch import Tensor

Auto = Literal["auto"]

CLIPS = 8
"""Batch size on devices whose free memory is unknown."""
MOST_CLIPS = 32
"""Maximum batch size that is chosen automatically."""
# Fraction of free device memory to use. The rest is a margin, because memory use is not exactly proportional to the
# batch size.
SHARE_OF_MEMORY = 0.6
BATCHES_PER_WORKER = 4  # minimum number of batches per worker, so that all workers end at about the same time
BATCHES_AHEAD = 3  # number of batches per worker in shared memory: two that are ready and one in use


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
    """Return the batch size and the number of workers.

    Args:
        batch_size: Number of clips per batch, or `auto`.
        num_workers: Number of worker processes, or `auto`.
        n_clips: Number of clips that this process reads.
        n_samples: Length of every waveform, in samples.
        device: Device that computes the embeddings.
        forward: Function that computes embeddings of waveforms `(batch, n_samples)` on the device.
        n_processes: Number of processes on this machine that load clips.
    """
    workers = workers_for(device.type, n_processes) if num_workers == "auto" else num_workers
    clips = batch_size if batch_size != "auto" else CLIPS if n_clips < 2 else clips_that_fit(forward, n_samples, device)
    if batch_size == "auto" and workers > 0:
        clips = min(clips, max(CLIPS, n_clips // (BATCHES_PER_WORKER * workers)))
    if num_workers == "auto":
        n_batches = -(-n_clips // max(1, clips))  # an invalid batch size is reported by the loader
        workers = min(
            workers, n_batches, _batches_in_shared_memory(max(1, clips) * n_samples) // BATCHES_AHEAD // n_processes
        )
    return clips, workers


def workers_for(device_type: str, n_processes: int = 1) -> int:
    """Return the number of workers that keep a device busy.

    On a CPU, no workers are used, because all cores compute embeddings. Another device has one worker per core that
    this process may use (by affinity and quota), divided by the number of processes, minus one core for each process
    itself. There are no workers if processes cannot be forked, because spawned workers would import the user's script
    again.

    Args:
        device_type: Type of the device, as in `torch.device.type`.
        n_processes: Number of processes on this machine that need workers.
    """
    # `get_start_method()` would fix the default method, although a script may set another one later.
    method = multiprocessing.get_start_method(allow_none=True) or multiprocessing.get_all_start_methods()[0]
    if device_type == "cpu" or method != "fork" or multiprocessing.current_process().daemon:
        return 0
    n_cores: int = cpu_count()
    return max(1, n_cores // n_processes - 1)


def clips_that_fit(forward: Callable[[Tensor], Tensor], n_samples: int, device: torch.device) -> int:
    """Return the batch size for a device; on an NVIDIA or AMD GPU, measure the memory that one clip needs.

    Args:
        forward: Function that computes embeddings of waveforms `(batch, n_samples)` on the device.
        n_samples: Length of every waveform, in samples.
        device: Device that computes the embeddings.
    """
    if device.type != "cuda":
        return CLIPS
    try:
        with torch.inference_mode(), torch.cuda.device(device):
            waveform = torch.zeros(1, n_samples, device=device)
            forward(waveform)  # warm up: libraries allocate their workspaces
            torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated()
            forward(waveform)
            each = torch.cuda.max_memory_allocated() - before
            unused = torch.cuda.memory_reserved() - before
            return clips_in(torch.cuda.mem_get_info()[0] + unused, each)
    except torch.OutOfMemoryError:  # reported by the predict loop
        return 1


def clips_in(free: int, each: int) -> int:
    """Return the batch size that fits in the memory of a device.

    Args:
        free: Free memory of the device, in bytes.
        each: Memory that one clip needs, in bytes.

    Example:
        >>> clips_in(80 * 2**30, 2**30), clips_in(12 * 2**30, 2**30), clips_in(2**30, 2**30)
        (32, 7, 1)
    """
    return max(1, min(MOST_CLIPS, int(SHARE_OF_MEMORY * free) // max(1, each)))


def _batches_in_shared_memory(n_values: int) -> int:
    """Return the number of batches of float32 values that fit in half of the shared memory.

    Containers often limit shared memory.

    Args:
        n_values: Number of values per batch.
    """
    try:
        status = os.statvfs("/dev/shm")  # PyTorch's workers pass batches through this file system
    except (AttributeError, OSError):
        return 2**31
    return status.f_bavail * status.f_frsize // 2 // (4 * n_values)
