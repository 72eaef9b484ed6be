"""Processes that train together and were started outside of this package, for example by torchrun or SLURM."""

from typing import Any

from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning import Trainer


def wait_for_all(trainer: Trainer) -> None:
    """Wait until all processes of a trainer have come here, if they were not started by Lightning.

    Lightning starts the other processes later, when the first one begins to train, so that there is none to wait for.

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
