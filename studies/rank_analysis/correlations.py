"""Correlations of untrained and trained accuracy, on each task and pooled over tasks."""

from collections.abc import Mapping, Sequence
from math import nan
from typing import Any

import numpy as np

from .compared import Compared, Task, permuted
from .data import LINEAR, RANDOM, TRAINED
from .pooling import Pooled, pool
from .ranks import bonett_wright, fisher, spearman, tau_b
from .scores import SWAPPED
from .statistics import Ceiling, Correlations, Partial, Reliability, Statistic

Measures = Mapping[str, Sequence[Compared]]
"""Correlations by name, one for each task in the order of the tasks; see `measure`."""


def measure(tasks: Sequence[Task]) -> Measures:
    """Return the correlations of all tasks.

    Returns:
        `rho`, `within`, `partial` and `partial_within` are ρ(u, y), plain and corrected for families, for size and for
        both; `input:` and the name of an input is ρ on architectures with this input; `linear_trained` and
        `untrained_linear` are there if all tasks have the arm `linear`.
    """
    data = tasks[0].data
    found = {
        "rho": [task.compare() for task in tasks],
        "within": [task.compare(families=True) for task in tasks],
        "partial": [task.compare(sizes=True) for task in tasks],
        "partial_within": [task.compare(families=True, sizes=True) for task in tasks],
    }
    for name in _names(data.inputs, data.apart):
        found[f"input:{name}"] = [task.compare(subset=np.array(data.inputs) == name) for task in tasks]
    if all(LINEAR in task.arms for task in tasks):
        found["linear_trained"] = [task.compare(LINEAR, TRAINED) for task in tasks]
        found["untrained_linear"] = [task.compare(RANDOM, SWAPPED) for task in tasks]
    return found


def pool_compared(found: Sequence[Compared]) -> Pooled:
    """Pool a correlation over tasks."""
    return pool(*zip(*(one.estimated for one in found), strict=True))


def correlations(
    tasks: Sequence[Task], measures: Measures, ceilings: Sequence[Ceiling]
) -> tuple[list[Correlations], Correlations]:
    """Return the correlations of each task, and those pooled over tasks.

    Args:
        tasks: All tasks.
        measures: Their correlations.
        ceilings: Their ceilings.
    """
    of_tasks = [
        _correlations([task], {name: [found[index]] for name, found in measures.items()}, ceilings[index])
        for index, task in enumerate(tasks)
    ]
    return of_tasks, _correlations(tasks, measures, pooled_ceiling(ceilings, [task.n for task in tasks]))


def _correlations(tasks: Sequence[Task], measures: Measures, ceiling: Ceiling) -> Correlations:
    data = tasks[0].data
    rho = pool_compared(measures["rho"])

    def of(name: str) -> Statistic:
        return pool_compared(measures[name]).statistic() if name in measures else Statistic(nan)

    def tested(name: str, *, within: bool = False) -> Statistic:
        return pool_compared(measures[name]).statistic(permutation_p(tasks, measures[name], within=within))

    return Correlations(
        rho=tested("rho"),
        tau=_mean([tau_b(task.values(RANDOM)[task.is_in], task.values(TRAINED)[task.is_in]) for task in tasks]),
        closed_form=bonett_wright(rho.value, int(rho.n)) if np.isfinite(rho.n) and len(tasks) == 1 else Statistic(nan),
        by_input={name.partition(":")[2]: of(name) for name in measures if name.startswith("input:")},
        without_family={
            name: _pooled_value(tasks, np.array(data.families) != name) for name in _names(data.families, data.apart)
        },
        within_family=tested("within", within=True),
        partial=Partial(
            tested("partial"),
            tested("partial_within", within=True),
            _mean([_gain(task, found) for task, found in zip(tasks, measures["partial"], strict=True)]),
        ),
        linear_trained=of("linear_trained"),
        untrained_linear=of("untrained_linear"),
        ceiling=ceiling,
    )


def permutation_p(tasks: Sequence[Task], found: Sequence[Compared], *, within: bool = False) -> float:
    """Return the one-sided p-value of a pooled correlation, (1 + #{z* >= z})/(1 + n_draws).

    All tasks have the same permutations, because they share their architectures.

    Args:
        tasks: All tasks.
        found: A correlation of each.
        within: Whether architectures are permuted within families only.
    """
    z = []
    for task, one in zip(tasks, found, strict=True):
        if np.isfinite(one.value):
            families = task.data.families if within else None
            z.append(permuted(one, task.draws.keys, one.frame.weights > 0, families))
    if not z:
        return nan
    of_study, *of_permutations = np.mean(z, axis=0)
    return float((1 + np.sum(np.array(of_permutations) >= of_study - 1e-12)) / (1 + len(of_permutations)))


def _pooled_value(tasks: Sequence[Task], subset: Any) -> float:
    return _pool_values([(task.compare_value(subset), int((task.is_in & subset).sum())) for task in tasks])


def _pool_values(values: Sequence[tuple[float, int]]) -> float:
    """Pool correlations, each with its number of architectures, by Fisher's z; those that are NaN are left out."""
    known = [(value, n) for value, n in values if np.isfinite(value)]
    if len(known) < 2:
        return known[0][0] if known else nan
    return float(np.tanh(np.mean([fisher(value, n) for value, n in known])))


def _gain(task: Task, partial: Compared) -> float:
    """Return (1 - R²) r², with R² of the sizes alone and the partial correlation r."""
    if np.isnan(partial.value):
        return nan
    frame = task.frame()
    ranks = frame.ranks(task.values(TRAINED))
    explained = sum(float((frame.weights * ranks * other).sum()) ** 2 for other in partial.frame.given)
    return (1 - explained) * partial.value**2


def _names(values: Sequence[str], apart: Any) -> list[str]:
    return list(dict.fromkeys(value for value, is_apart in zip(values, apart, strict=True) if not is_apart))


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else nan


def pooled_ceiling(ceilings: Sequence[Ceiling], sizes: Sequence[int]) -> Ceiling:
    """Return ceilings pooled over tasks by Fisher's z, to stand next to the headline.

    Args:
        ceilings: Ceiling of each task.
        sizes: Number of architectures in each task, for `fisher`, which keeps a ceiling of 1 from outweighing the rest.
    """

    def mean(kind: str, name: str) -> float:
        values = [getattr(getattr(ceiling, kind), name) for ceiling in ceilings]
        return _pool_values(list(zip(values, sizes, strict=True)))

    kinds: Mapping[str, Reliability] = {
        kind: Reliability(mean(kind, "seeds"), mean(kind, "clips"), mean(kind, "both"))
        for kind in ("predictor", "noiseless", "retest")
    }
    return Ceiling(**kinds)


def rho_apart(task: Task) -> float:
    """Return ρ(u, y) of the architectures that are reported apart."""
    return spearman(task.values(RANDOM), task.values(TRAINED), np.asarray(task.data.apart, bool))
