"""Small trainings, shared by the tests of this room."""

import pytest
from pytorch_lightning import Callback
from untrained.datamodules.synthetic import Synthetic
from untrained.frontends.vgg import VGG
from untrained.training.data import TrainingData
from untrained.training.parts import parts_of
from untrained.training.sounds import Sounds

CLIPS = ["--data", "synthetic", "--data.task", "events", "--data.n_samples", "4000"]
TEMPORAL = ["--model.frontend", "temporal", "--model.frontend.n_filters", "4"]


class KilledError(Exception):
    """Error that interrupts a training run."""


class Kill(Callback):
    """Callback that interrupts a training run, as a kill does for Lightning, before the batch of a step.

    Args:
        step: Number of steps before the interruption.
    """

    def __init__(self, step):
        self.step = step

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if trainer.global_step == self.step:
            raise KilledError


@pytest.fixture(scope="session")
def events():
    """A data set with splits; its sounds, read once."""
    datamodule = Synthetic("events", clips_per_class=5, n_samples=4000)
    return datamodule, Sounds(datamodule, 12_000)


@pytest.fixture
def data(events):
    """Clips to train and to validate on."""
    datamodule, sounds = events
    (part,) = parts_of(sounds.clips, datamodule.seed)
    return TrainingData(sounds, part, datamodule.class_names)


@pytest.fixture
def vgg():
    return VGG(n_filters=2)
