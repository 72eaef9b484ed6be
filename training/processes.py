"""Synchronisation of processes that were started by another program, such as torchrun or SLURM."""

from typing import Any

from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning import Trainer


def wait_for_all(trainer: Trainer) -> None:
    """Wait for all processes of a trainer, if they were not started by Lightning.

    Lightning's own launcher starts the other processes later, when training begins, so there is nothing to wait for.

    Args:
        trainer: Trainer with the devices of the command.
    """
    strategy: Any = trainer.strategy
    environment = getattr(strategy, "cluster_environment", None)
    if trainer.world_size == 1 or environment is None or isinstance(environment, LightningEnvironment):
        return
    if environment.creates_processes_externally:
        strategy.setup_environment()  # makes the process group, which all trainings use
        strategy.barrier()
