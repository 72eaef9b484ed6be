import pytest
from untrained.frontends.musical import Temporal
from untrained.training.module import EndToEnd


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate=0.0; expected a number above 0"),
        ({"learning_rate": -1e-3}, "learning_rate=-0.001"),
        ({"learning_rate": float("nan")}, "learning_rate=nan"),
        ({"learning_rate": float("inf")}, "learning_rate=inf"),
        ({"learning_rate": []}, "learning_rate=\\[\\]"),
        ({"learning_rate": [1e-3, 0]}, "learning_rate=\\[0.001, 0\\]"),
        ({"learning_rate": [1e-3, 1e-3]}, "contains a value twice"),
        ({"warmup": 1.0}, "warmup=1.0; expected a share"),
        ({"weight_decay": -1.0}, "weight_decay=-1.0"),
        ({"betas": (0.9, 1.0)}, "betas="),
        ({"seed": -1}, "seed=-1"),
        ({"head": "deep"}, "head='deep'; expected one of linear, last, musicnn"),
    ],
)
def test_odd_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        EndToEnd(Temporal(n_filters=4), **arguments)
