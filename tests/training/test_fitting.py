import pytest
import torch
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from untrained.errors import UsageError
from untrained.frontends.musical import Temporal
from untrained.training.checkpoints import BEST, LAST
from untrained.training.fitting import (
    PROGRESS,
    Ended,
    Progress,
    checks_of_validation,
    forget_checkpoints,
    refuse_odd_budget,
    train_once,
)
from untrained.training.module import EndToEnd

from .conftest import Kill, KilledError


def test_trainings_that_have_ended_are_kept_for_the_very_same_run(tmp_path):
    progress = Progress(tmp_path, "this run")
    assert not progress.is_of_this_run
    progress.start()
    progress.add("fold0", Ended(3, 10, 0.5))
    progress.add("fold1", Ended(failed="it has diverged"))
    assert Progress(tmp_path, "this run").ended() == {
        "fold0": Ended(3, 10, 0.5),
        "fold1": Ended(failed="it has diverged"),
    }
    assert Progress(tmp_path, "another run").ended() == {}
    (tmp_path / PROGRESS).write_text("damaged")
    assert progress.ended() == {}
    progress.end()
    assert not (tmp_path / PROGRESS).exists()


@pytest.mark.parametrize(
    "budget",
    [
        {"max_steps": 14, "val_check_interval": 4, "check_val_every_n_epoch": None},
        {"max_epochs": 5},
    ],
)
def test_a_killed_training_ends_with_the_same_weights(data, tmp_path, budget):
    data.batch_size = 8  # three batches an epoch

    def make_trainer(**given):
        shown = {"enable_progress_bar": False, "enable_model_summary": False, "num_sanity_val_steps": 0}
        return Trainer(accelerator="cpu", **budget, **shown, **given)

    def train(folder, *kill_at):
        module = EndToEnd(Temporal(n_filters=4), "musicnn", learning_rate=0.01)
        return train_once(module, data, make_trainer, folder, [Kill(step) for step in kill_at], [])

    whole = train(tmp_path / "whole")
    for step in (7, 11):
        with pytest.raises(KilledError):
            train(tmp_path / "killed", step)
    assert train(tmp_path / "killed") == whole
    for name in (BEST, LAST):
        states = [torch.load(tmp_path / each / name, weights_only=True) for each in ("whole", "killed")]
        assert states[0]["global_step"] == states[1]["global_step"]
        assert all(map(torch.equal, *(state["state_dict"].values() for state in states)))
    assert train(tmp_path / "killed") == whole  # nothing is left to train


@pytest.mark.parametrize(
    "callback",
    [EarlyStopping("val/f1", check_on_train_epoch_end=False), ModelCheckpoint(monitor="val/f1")],
    ids=["EarlyStopping", "ModelCheckpoint"],
)
def test_a_callback_with_an_unknown_metric_is_a_mistake_of_the_user(data, tmp_path, callback):
    def make_trainer(**given):
        shown = {"enable_progress_bar": False, "enable_model_summary": False, "num_sanity_val_steps": 0}
        return Trainer(accelerator="cpu", max_steps=1, **shown, **given)

    with pytest.raises(UsageError, match="val/f1"):
        train_once(EndToEnd(Temporal(n_filters=4)), data, make_trainer, tmp_path, [callback], [])


def test_validation_is_checked_20_times():
    assert checks_of_validation(1000, 1) == {"val_check_interval": 50, "check_val_every_n_epoch": None}
    assert checks_of_validation(10, 1)["val_check_interval"] == 1
    assert checks_of_validation(100, 2)["val_check_interval"] == 10  # batches
    assert checks_of_validation(-1, 1) == {}


def test_checkpoints_of_an_earlier_run_are_removed(tmp_path):
    for name in (BEST, LAST, f"trainings/fold0/{LAST}", "probe.ckpt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    forget_checkpoints(tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["probe.ckpt"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_steps": 0}, "--trainer.max_steps 0: nothing would be trained; give 1 or more"),
        ({"max_epochs": 0}, "--trainer.max_epochs 0"),
        ({"max_epochs": -1, "max_steps": -1}, "training would never stop"),
        ({"limit_val_batches": 0}, "--trainer.limit_val_batches 0"),
        ({"limit_train_batches": 0.0}, "--trainer.limit_train_batches 0"),
        ({"enable_checkpointing": False}, "the best one is the result"),
        ({"fast_dev_run": True}, "use --trainer.max_steps 1"),
        ({"devices": 0}, "--trainer.devices 0"),
    ],
)
def test_options_with_which_nothing_is_trained_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        refuse_odd_budget(options)
    refuse_odd_budget({"max_steps": 5, "max_epochs": None, "devices": "auto"})
