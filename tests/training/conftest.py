"""Small trainings, shared by the tests of this room."""

import pytest
from untrained.cli import main
from untrained.datamodules.synthetic import Synthetic
from untrained.frontends.vgg import VGG
from untrained.training.data import TrainingData
from untrained.training.parts import parts_of
from untrained.training.sounds import Sounds

CLIPS = ["--data", "synthetic", "--data.task", "events", "--data.n_samples", "4000"]
TEMPORAL = ["--model.frontend", "temporal", "--model.frontend.n_filters", "4"]


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


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Folder of a run of several epochs, trained by the command line; tests change copies of it."""
    root = tmp_path_factory.mktemp("trained")
    words = [*CLIPS, "--data.clips_per_class", "6", *TEMPORAL, "--data.batch_size", "16", "--trainer.max_steps", "8"]
    options = ["--model.learning_rate", "0.01", "--trainer.log_every_n_steps", "1"]
    assert main(["train", *words, *options, "--trainer.default_root_dir", str(root)]) == 0
    (metrics,) = root.rglob("metrics.json")
    return metrics.parent


@pytest.fixture
def vgg():
    return VGG(n_filters=2)
