import pytest
from untrained.datamodules.synthetic import Synthetic
from untrained.frontends.musical import Temporal
from untrained.training.module import EndToEnd
from untrained.training.run import is_done, training_key

DATA = Synthetic("events", clips_per_class=5, n_samples=4000)


def key(options=(), precision="32-true", data=DATA, frontend=None, **arguments):
    module = EndToEnd(frontend or Temporal(n_filters=4), **arguments)
    return training_key(module, data, {"max_steps": 1000, "gradient_clip_val": 1.0, **dict(options)}, precision)


def test_names_of_a_run():
    found = key(learning_rate=[1e-3, 1e-2], head="musicnn", seed=3)
    assert found.folder.parts[:2] == ("synthetic-events", "temporal-n_filters=4")
    assert found.folder.parts[2] == "trained-musicnn-learning_rate=0.001+0.01"
    assert found.folder.name.startswith("seed3-")
    assert found.params["weights"] == "trained"
    assert key().folder.parts[2] == "trained-linear"


@pytest.mark.parametrize(
    "change",
    [
        {"options": {"max_steps": 2000}},
        {"options": {"callbacks": [{"class_path": "EarlyStopping"}]}},
        {"precision": "bf16-mixed"},
        {"data": Synthetic("events", clips_per_class=6, n_samples=4000)},
        {"frontend": Temporal(n_filters=8)},
        {"frontend": Temporal(n_filters=4, seed=1)},
        {"head": "last"},
        {"learning_rate": 2e-3},
        {"weight_decay": 0.0},
        {"seed": 1},
    ],
)
def test_what_changes_the_result_changes_the_run(change):
    assert key(**change).identity != key().identity


def test_what_changes_only_what_is_shown_does_not():
    assert key({"log_every_n_steps": 1, "logger": False}).identity == key().identity


def test_a_run_is_done_if_it_is_the_very_same(trained, tmp_path):
    assert not is_done(trained, key(), DATA)
    assert not is_done(tmp_path, key(), DATA)
