"""Description of the machine that computes a rank study, and its number of processes."""

import os
import platform
from collections.abc import Sequence
from typing import Any

import torch

from ...files import machine_memory

MEMORY_OF_A_PROCESS = 2 * 2**30  # bytes that a process with small networks needs at most
JOBS_OF_A_GPU = 4  # small networks leave most of a GPU idle
THREADS = 1
"""Number of threads of each process on a CPU, so that results do not depend on the number of cores."""


def describe_machine(device: torch.device) -> dict[str, Any]:
    """Return what may explain differences of results between machines.

    Args:
        device: Device that computes.
    """
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {"torch": torch.__version__, "device": name, "system": f"{platform.system()} {platform.machine()}"}


def n_processes(jobs: int | str, devices: Sequence[torch.device]) -> int:
    """Return the number of processes for several devices.

    Args:
        jobs: Number for each device, or `auto`.
        devices: Devices.
    """
    if isinstance(jobs, int):
        return jobs * len(devices)
    if devices[0].type != "cpu":
        return JOBS_OF_A_GPU * len(devices)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, machine_memory() // MEMORY_OF_A_PROCESS))
