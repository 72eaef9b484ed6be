"""Requirements of the contract of a backend, one function for each, in the order in which they are checked."""

import warnings
from typing import Any, NoReturn
from unittest import SkipTest

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import SkipTestWarning
from sklearn.utils.estimator_checks import estimator_checks_generator

from ..backends import Backend
from ..backends.base import Array, Splits
from ..errors import ContractError, UsageError

Plugin = type[Backend] | Backend
_OF_ONE_CLASS = "check_classifiers_one_label"  # name of a check of scikit-learn


def has_a_docstring(plugin: Plugin) -> None:
    """Has a docstring whose first line describes it."""
    cls = plugin if isinstance(plugin, type) else type(plugin)
    if not (vars(cls).get("__doc__") or "").strip():
        raise ContractError(f"{cls.__name__} has no docstring; add one, whose first line `untrained list` shows")


def has_candidates(plugin: Plugin) -> None:
    """Has candidates to search, which set no unknown arguments."""
    made = _make(plugin)
    candidates = made.candidates()
    if not candidates:
        raise ContractError("candidates() is empty; return [{}] if there are no arguments to search")
    for candidate in candidates:
        unknown = sorted(set(candidate) - set(made.get_params()))
        if unknown:
            raise ContractError(f"a candidate sets {unknown[0]!r}, which is not an argument; correct param_grid")
        made.with_candidate(candidate)


def pins_what_is_given(plugin: Plugin) -> None:
    """Does not search arguments that are given a value."""
    made = _make(plugin)
    searched = {(name, repr(value)): value for candidate in made.candidates() for name, value in candidate.items()}
    for (name, _), value in searched.items():
        try:
            with warnings.catch_warnings(action="ignore", category=UserWarning):  # the problem is reported below
                candidates = clone(made).set_params(**{name: value}).candidates()
        except ValueError:
            continue  # refusing a value is fine
        if any(candidate.get(name, value) != value for candidate in candidates):
            raise ContractError(
                f"given {name}={value!r}, the search also tries other values of {name}; set the default of {name} "
                "in __init__ to 'search', which means all values of param_grid"
            )


def learns(plugin: Plugin) -> None:
    """Classifies linearly separable clips, with the labels of the training data."""
    X, y, splits = _problem()
    train, test = splits[0]
    for labels in (y, y + 5):
        fitted = _best(plugin).fit(X[train], labels[train])
        found = np.asarray(fitted.predict(X[test]))
        if found.shape != test.shape or not set(found.tolist()) <= set(labels.tolist()):
            raise ContractError(
                f"predict returned {found.shape} labels {sorted(set(found.tolist()))}; expected {test.shape} from y"
            )
        if (right := float(np.mean(found == labels[test]))) < 0.8:
            raise ContractError(
                f"the accuracy on linearly separable clips is {100 * right:.0f} %; expected 80 % or more"
            )


def repeats_itself(plugin: Plugin) -> None:
    """Predicts the same when fitted again, and does not change its input."""
    X, y, splits = _problem()
    train, test = splits[0]
    before = X.copy()
    noise = np.random.default_rng(1).normal(0, 4, (200, X.shape[1])).astype(np.float32)  # hard to classify
    state, found = np.random.get_state(), []  # noqa: NPY002
    for seed in range(2):
        np.random.seed(seed)  # noqa: NPY002  # a backend must not use this global generator
        found.append(_one(plugin).fit(X[train], y[train]).predict(np.concatenate([X[test], noise])))
    np.random.set_state(state)  # noqa: NPY002
    if not np.array_equal(*found):
        raise ContractError(
            "two fits to the same clips give different predictions; draw random numbers only "
            "from np.random.RandomState(self.seed)"
        )
    if not np.array_equal(before, X):
        raise ContractError("fit or predict changes X; work on a copy")


def searches_as_it_fits(plugin: Plugin) -> None:
    """Predicts the same in a search as after a separate fit of each candidate."""
    X, y, splits = _problem()
    made = _make(plugin)
    result = made.search(X, y, splits)
    if result.candidates != made.candidates():
        raise ContractError("search() returns different candidates than candidates(), or in a different order")
    for candidate, row in zip(result.candidates, result.predictions, strict=True):
        for (train, test), found in zip(splits, row, strict=True):
            plainly = made.with_candidate(candidate).fit(X[train], y[train]).predict(X[test])
            if np.mean(np.asarray(found) != plainly) > 0.02:  # the limit allows for ties and rounding
                raise ContractError(f"search() and a fit of {candidate} predict different labels; make them agree")


def scores_classes(plugin: Plugin) -> None:
    """Scores each class, the predicted one highest, or does not score classes."""
    X, y, _ = _problem()
    made = _one(plugin).fit(X, y)
    scored = made.class_scores(X)
    if scored is None:
        raise SkipTest("it predicts labels only")
    scores, kind = scored
    if scores.shape != (len(X), len(made.classes_)) or not isinstance(kind, str):
        raise ContractError(
            f"class_scores returned {scores.shape}, {kind!r}; expected ({len(X)}, {len(made.classes_)}) and a kind"
        )
    if np.mean(made.classes_[scores.argmax(axis=1)] == made.predict(X)) < 0.95:
        raise ContractError(
            "the class with the highest score is not the predicted one; give likelier classes higher scores"
        )


def is_saved_without_pickle(plugin: Plugin) -> None:
    """Can be saved and loaded without pickle, which does not change its predictions."""
    from skops.io import dumps, get_untrusted_types, loads  # importing it takes a second

    X, y, _ = _problem()
    made = _one(plugin).fit(X, y)
    stored = dumps(made)
    again = loads(stored, trusted=get_untrusted_types(data=stored))
    if not np.array_equal(made.predict(X), again.predict(X)):
        raise ContractError(
            "after saving and loading it predicts different labels; keep everything learned in attributes"
        )


def follows_scikit_learn(plugin: Plugin) -> str:
    """Follows scikit-learn's conventions for classifiers."""
    problems, skipped = [], []
    made = _best(plugin)
    if hasattr(type(made), "transform"):
        made = _without_transform(type(made))(**made.get_params(deep=False))
        skipped.append("checks of transform, which no run calls")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SkipTestWarning)
        for estimator, check in estimator_checks_generator(made):
            name = getattr(check, "func", check).__name__
            try:
                check(estimator)
            except SkipTest:
                continue
            except Exception as error:  # checks raise errors of any type
                if name.startswith(_OF_ONE_CLASS):
                    skipped.append(f"{name}, because data sets have at least two classes")
                    continue
                problems.append(
                    f"{name}: {type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
                )
    if problems:
        raise ContractError("; ".join(problems))
    return "; ".join(skipped)


class _NoTransform:
    """Mixin that hides `transform` of a classifier, which scikit-learn would check as well."""

    @property
    def transform(self) -> NoReturn:
        raise AttributeError("transform")

    fit_transform = transform

    def __reduce__(self) -> tuple[Any, ...]:
        """Return how to unpickle an instance, because its class is not an attribute of a module."""
        return _new_without_transform, (type(self).__mro__[2],), self.__getstate__()


def _without_transform(cls: type[Backend]) -> type[Backend]:
    """Return a subclass without `transform`."""
    return type(cls.__name__, (_NoTransform, cls), {})


def _new_without_transform(cls: type[Backend]) -> Backend:
    """Return an instance without attributes, for unpickling."""
    hidden = _without_transform(cls)
    return hidden.__new__(hidden)


def _make(plugin: Plugin) -> Backend:
    """Return a new backend that is not fitted."""
    try:
        return plugin() if isinstance(plugin, type) else clone(plugin)
    except TypeError as error:
        raise ContractError(f"{plugin} cannot be created: {error}; pass an instance instead of the class") from error


def _one(plugin: Plugin) -> Backend:
    """Return an unfitted backend with its first candidate."""
    made = _make(plugin)
    return made.with_candidate(made.candidates()[0])


def _best(plugin: Plugin) -> Backend:
    """Return an unfitted backend with the candidate that separates the classes best."""
    made = _make(plugin)
    try:
        found = made.search(*_problem())
    except UsageError:  # the check of a single candidate then shows the reason
        return _one(plugin)
    return made.with_candidate(found.candidates[found.best])


def _problem() -> tuple[Array, Array, Splits]:
    """Return three linearly separable classes of 40 clips each, and two splits of them."""
    rng = np.random.default_rng(0)
    y = np.tile(np.arange(3), 40)
    X = (rng.normal(0, 4, (3, 10))[y] + rng.normal(0, 1, (len(y), 10))).astype(np.float32)
    half = np.arange(len(y)) < len(y) // 2
    return X, y, [(np.flatnonzero(half), np.flatnonzero(~half)), (np.flatnonzero(~half), np.flatnonzero(half))]
