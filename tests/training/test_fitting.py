import pytest
from untrained.errors import UsageError
from untrained.training.fitting import (
    BEST,
    LAST,
    PROGRESS,
    Ended,
    Progress,
    checks_of_validation,
    forget_checkpoints,
    refuse_odd_budget,
)


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
        ({"max_epochs": -1, "max_steps": -1}, "training would never end"),
        ({"limit_val_batches": 0}, "--trainer.limit_val_batches 0"),
        ({"limit_train_batches": 0.0}, "--trainer.limit_train_batches 0"),
        ({"enable_checkpointing": False}, "the best checkpoint is the result"),
        ({"fast_dev_run": True}, "give --trainer.max_steps 1"),
        ({"devices": 0}, "--trainer.devices 0"),
    ],
)
def test_options_with_which_nothing_is_trained_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        refuse_odd_budget(options)
    refuse_odd_budget({"max_steps": 5, "max_epochs": None, "devices": "auto"})
