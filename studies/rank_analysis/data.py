"""Results of a rank study, as its analysis reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RANDOM, LINEAR, TRAINED = "random", "linear", "trained"
"""The three main arms: u (frozen network, SVM), u_linear (frozen network, trained linear head) and y (all trained)."""
SIZES = ("n_parameters", "flop", "n_features")
"""Columns that measure the size of an architecture."""


@dataclass(frozen=True)
class TaskData:
    """Results of all architectures on one task.

    An architecture is scored by its mean accuracy over seeds and clips. Arms whose name begins with `random` are
    scored on the clips of test set 0, arms whose name begins with `trained` on those of test set 1. `linear` is scored
    on both: on set 0 where it is compared with y, on set 1 where it is compared with u. If all clips are in test set
    0, every arm is scored on all of them.

    Args:
        name: Name of the task.
        labels: Class of each test clip, `(n_clips,)`, str.
        groups: Group of each test clip, `(n_clips,)`, str. Clips of one recording share a group; where the data has no
            groups, each clip is its own.
        test_set: Test set of each clip, `(n_clips,)`, 0 or 1; all 0 if both arms share their clips.
        n_train: Number of training clips.
        n_validation: Number of validation clips.
        n_classes: Number of classes.
        right: Whether each prediction is correct, for each arm, `(n_architectures, n_seeds, n_clips)`, float64: 1 if
            it is correct, 0 if not, NaN where the run is missing or failed. The arms are `random`, `trained` and, if
            they were run, `linear` and those of the sensitivities: `random-raw`, `random-mean_std`, `random-last`,
            `random-columns`, `trained-last` and `trained-common`.
        train_accuracy: Accuracy of the trained network on its training clips, `(n_architectures,)`, as a fraction; NaN
            if missing.
        at_grid_end: Whether the chosen learning rate is the lowest or the highest of the grid, `(n_architectures,)`.
        rivals: Other predictors of the trained accuracy by name, `(n_architectures,)`, higher is better, means over
            seeds; NaN where missing or failed, -inf where it was computed and is not finite.

    Raises:
        ValueError: An array does not have the expected shape, or a main arm is missing.
    """

    name: str
    labels: NDArray[Any]
    groups: NDArray[Any]
    test_set: NDArray[Any]
    n_train: int
    n_validation: int
    n_classes: int
    right: Mapping[str, NDArray[Any]]
    train_accuracy: NDArray[Any]
    at_grid_end: NDArray[Any]
    rivals: Mapping[str, NDArray[Any]]

    def __post_init__(self) -> None:
        for arm in (RANDOM, TRAINED):
            if arm not in self.right:
                raise ValueError(f"task {self.name}: right has the arms {sorted(self.right)}; expected {arm!r} too")
        n_clips, n_architectures = len(self.labels), len(self.train_accuracy)
        for field in ("groups", "test_set"):
            _check_shape(f"task {self.name}: {field}", getattr(self, field), (n_clips,))
        for arm, right in self.right.items():
            _check_shape(f"task {self.name}: right[{arm!r}]", right, (n_architectures, *right.shape[1:2], n_clips))
        for name, values in {"at_grid_end": self.at_grid_end, **self.rivals}.items():
            _check_shape(f"task {self.name}: {name}", values, (n_architectures,))

    @property
    def shares_clips(self) -> bool:
        """Whether the untrained and the trained arm are scored on the same clips."""
        return not bool(np.any(self.test_set))

    def clips_of(self, arm: str) -> NDArray[Any]:
        """Return whether each clip is one on which the arm is scored, `(n_clips,)`, bool.

        For `linear` these are the clips of `random`, on which it is compared with y.
        """
        on_second = not self.shares_clips and arm.startswith(TRAINED)
        return np.asarray(self.test_set == int(on_second))


@dataclass(frozen=True)
class RankData:
    """Results of a rank study.

    Args:
        architectures: Name of each architecture.
        families: Family of each architecture, one of a few fixed strata.
        designs: Base design of each architecture; networks that differ in width alone share it.
        inputs: Input of each architecture, `waveform` or `spectrogram`.
        columns: Properties of the architectures by name, `(n_architectures,)` each, such as `n_parameters`, `flop`,
            `n_features`, `depth` and `receptive_field`; the first three are required.
        apart: Whether each architecture is reported apart and left out of all statistics, `(n_architectures,)`, bool.
        tasks: Results of each task.

    Raises:
        ValueError: A field does not have one value for each architecture, a size is missing, or there is no task.
    """

    architectures: Sequence[str]
    families: Sequence[str]
    designs: Sequence[str]
    inputs: Sequence[str]
    columns: Mapping[str, NDArray[Any]]
    apart: NDArray[Any]
    tasks: Sequence[TaskData]

    def __post_init__(self) -> None:
        n = len(self.architectures)
        fields = {name: getattr(self, name) for name in ("families", "designs", "inputs", "apart")}
        for name, values in {**fields, **self.columns}.items():
            if len(values) != n:
                raise ValueError(f"{name} has {len(values)} values; expected one for each of {n} architectures")
        if missing := [name for name in SIZES if name not in self.columns]:
            raise ValueError(f"columns lacks {', '.join(missing)}; expected {', '.join(SIZES)}")
        if not self.tasks:
            raise ValueError("tasks is empty; expected the results of one task or more")
        for task in self.tasks:
            _check_shape(f"task {task.name}: train_accuracy", task.train_accuracy, (n,))


def _check_shape(what: str, values: NDArray[Any], shape: tuple[int, ...]) -> None:
    if np.shape(values) != shape:
        raise ValueError(f"{what} has the shape {np.shape(values)}; expected {shape}")
