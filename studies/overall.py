"""The verdict over all data sets and backends of a study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..probes.record import Predictions
from .clip_test import clip_test, seed_variance
from .families import Family, Model
from .scored import align
from .significance import Estimate
from .verdict import Pair, PairTest, Verdict, correct_family, verdict


@dataclass(frozen=True)
class Overall:
    """Frontends over all data sets and backends that have scored all of them.

    Args:
        variant: Options of `Probe` that all frontends share; empty if there is one variant.
        datasets: Names of the data sets.
        tests: Tests of all pairs of frontends, corrected together.
        verdict: The best frontend, and those that are worse.
        ranks: Mean rank of each frontend over data sets and backends; 1 is best.
    """

    variant: str
    datasets: Sequence[str]
    tests: Sequence[PairTest]
    verdict: Verdict
    ranks: Mapping[str, float]

    def differ(self, a: str, b: str) -> bool:
        """Return whether two frontends differ significantly."""
        return any(test.is_significant for test in self.tests if {test.a, test.b} == {a, b})


def ranked(found: Sequence[Overall]) -> Overall | None:
    """Return the outcome whose mean ranks are drawn: the first one over several data sets; None if there is none."""
    return next((overall for overall in found if len(overall.datasets) > 1), None)


def compare_overall(families: Sequence[Family], models: Mapping[tuple[str, str, str], Model]) -> Overall | None:
    """Test frontends over several tables of one variant.

    On each data set whether a clip is right is averaged over backends; the differences of the data sets are averaged,
    and so are their variances, as the data sets have no clips in common.

    Args:
        families: Families of one variant, of which each is the table of a data set and a backend.
        models: Models by data set, frontend and backend.

    Returns:
        The outcome; None if there is one table only, or fewer than two frontends that are in all of them.
    """
    columns = [(family.dataset, family.backend) for family in families]
    tested = [{name for test in family.tests for name in (test.a, test.b)} for family in families]
    order = dict.fromkeys(name for _, name, _ in models)
    names = [name for name in order if all(name in each for each in tested)]
    if len(columns) < 2 or len(names) < 2:
        return None
    datasets = list(dict.fromkeys(dataset for dataset, _ in columns))
    estimates: dict[Pair, list[Estimate]] = {}
    for dataset in datasets:
        backends = [backend for name, backend in columns if name == dataset]
        found = _on_dataset({name: [models[dataset, name, backend] for backend in backends] for name in names})
        for pair, estimate in found.items():
            estimates.setdefault(pair, []).append(estimate)
    complete = {pair: _mean(several) for pair, several in estimates.items() if len(several) == len(datasets)}
    if len(complete) < len(names) * (len(names) - 1) / 2:
        return None
    tests = correct_family(complete)
    of_columns = [[models[dataset, name, backend].accuracy for name in names] for dataset, backend in columns]
    accuracies = dict(zip(names, np.mean(of_columns, axis=0).tolist(), strict=True))
    ranks = dict(zip(names, np.mean([_ranks(column) for column in of_columns], axis=0).tolist(), strict=True))
    return Overall(families[0].variant, datasets, tests, verdict(accuracies, tests), ranks)


def _on_dataset(of_name: Mapping[str, Sequence[Model]]) -> dict[Pair, Estimate]:
    """Return the differences of all pairs on one data set, averaged over backends."""
    seeds: list[Sequence[Predictions]] = [model.seeds for several in of_name.values() for model in several]
    scored = align(seeds)
    if not scored.can_be_tested:
        return {}
    tables = iter(table * scored.weights for table in scored.correct)
    correct = {name: _over_backends([next(tables) for _ in several]) for name, several in of_name.items()}
    is_random = {name: all(model.is_random for model in several) for name, several in of_name.items()}
    variance = seed_variance([table for name, table in correct.items() if is_random[name]], scored.groups)
    return {
        (a, b): clip_test(
            correct[a],
            correct[b],
            groups=scored.groups,
            seeds=variance,
            deterministic=(not is_random[a], not is_random[b]),
            cross_validated=next(iter(of_name.values()))[0].cross_validated,
        )
        for a, b in combinations(of_name, 2)
    }


def _over_backends(tables: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the mean over backends for each seed that all have, `(n_seeds, n_clips)`."""
    n = min(map(len, tables))
    return np.asarray(np.mean([table[:n] if n > 1 else table.mean(axis=0)[None] for table in tables], axis=0))


def _mean(estimates: Sequence[Estimate]) -> Estimate:
    error = np.sqrt(sum(each.standard_error**2 for each in estimates)) / len(estimates)
    alone = any(each.these_weights_alone for each in estimates)
    return Estimate(mean(each.difference for each in estimates), float(error), these_weights_alone=alone)


def _ranks(accuracies: Sequence[float]) -> NDArray[Any]:
    """Return ranks, 1 for the highest accuracy; equal ones share the mean of theirs."""
    found = np.asarray(accuracies)
    return np.array([(found > each).sum() + ((found == each).sum() + 1) / 2 for each in found])
