"""Overall verdict on the frontends, over all data sets and backends of a study."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from statistics import mean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .axes import Key
from .clip_test import clip_test, seed_variance
from .families import Family, Model
from .scored import align
from .significance import Estimate
from .verdict import Pair, PairTest, Verdict, correct_family, verdict


@dataclass(frozen=True)
class Overall:
    """Comparison, over all data sets and backends, of the frontends that were scored on all of them.

    Args:
        variant: Options of `Probe` that all frontends share; empty if there is one variant.
        n_datasets: Number of data sets with different clips.
        tests: Tests of all pairs of frontends, corrected together.
        verdict: Verdict on the frontends.
        ranks: Mean rank of each frontend over data sets and backends; 1 is best.
    """

    variant: str
    n_datasets: int
    tests: Sequence[PairTest]
    verdict: Verdict
    ranks: Mapping[str, float]

    def differ(self, a: str, b: str) -> bool:
        """Return whether two frontends differ significantly."""
        return any(test.is_significant for test in self.tests if {test.a, test.b} == {a, b})


def ranked(found: Sequence[Overall]) -> Overall | None:
    """Return the comparison whose mean ranks are drawn: the first over several data sets, or None."""
    return next((overall for overall in found if overall.n_datasets > 1), None)


def groups(names: Sequence[str], differ: Callable[[str, str], bool]) -> list[list[str]]:
    """Return the maximal groups of neighbouring names in which no two differ significantly, each of two or more names.

    Args:
        names: Names, sorted by rank.
        differ: Function that returns whether two names differ significantly.

    Example:
        >>> groups(["a", "b", "c"], lambda one, other: {one, other} == {"a", "c"})
        [['a', 'b'], ['b', 'c']]
    """
    found: list[list[str]] = []
    covered = 0  # all names before this index are in a group already
    for start in range(len(names)):
        end = start + 1
        while end < len(names) and not any(differ(name, names[end]) for name in names[start:end]):
            end += 1
        if end - start > 1 and end > covered:
            found.append(list(names[start:end]))
        covered = max(covered, end)
    return found


def compare_overall(
    families: Sequence[Family], models: Mapping[Key, Model], origins: Mapping[str, Hashable]
) -> Overall | None:
    """Test frontends over several tables of one variant.

    The correctness of each clip is averaged over all tables of the same clips. The differences on several sets of clips
    are then averaged, and their variances over clips are combined as for independent samples. More clips do not reduce
    the variance over seeds, because all clips pass through the same weights.

    Args:
        families: Families of one variant; each is the table of a data set and a backend.
        models: Models by data set, frontend and backend.
        origins: Identity of the clips of each data set; two lengths of the same clips have the same origin.

    Returns:
        The comparison; None if there is only one table, if fewer than two frontends are in all tables, or if a pair
        cannot be tested.
    """
    columns = [(family.dataset, family.backend) for family in families]
    tested = [{name for test in family.tests for name in (test.a, test.b)} for family in families]
    order = dict.fromkeys(name for _, name, _ in models)
    names = [name for name in order if all(name in each for each in tested)]
    if len(columns) < 2 or len(names) < 2:
        return None
    of_origin: dict[Hashable, list[tuple[str, str]]] = {}
    for column in columns:
        of_origin.setdefault(origins[column[0]], []).append(column)
    estimates: dict[Pair, list[tuple[Estimate, float]]] = {}
    for of_clips in of_origin.values():
        found = _on_clips({name: [models[dataset, name, backend] for dataset, backend in of_clips] for name in names})
        for pair, estimate in found.items():
            estimates.setdefault(pair, []).append(estimate)
    complete = {pair: _mean(several) for pair, several in estimates.items() if len(several) == len(of_origin)}
    if len(complete) < len(names) * (len(names) - 1) / 2:
        return None
    tests = correct_family(complete)
    ranks = [_ranks([models[dataset, name, backend].accuracy for name in names]) for dataset, backend in columns]
    mean_ranks = dict(zip(names, np.mean(ranks, axis=0).tolist(), strict=True))
    return Overall(families[0].variant, len(of_origin), tests, verdict(tests), mean_ranks)


def _on_clips(of_name: Mapping[str, Sequence[Model]]) -> dict[Pair, tuple[Estimate, float]]:
    """Return two values for each pair on one set of clips: the difference, and the standard error over seeds.

    The difference is averaged over tables. The standard error of this difference covers variation over clips only; the
    error over seeds is returned separately, and is 0 if it is unknown.
    """
    scored = align([model.seeds for several in of_name.values() for model in several])
    if not scored.can_be_tested:
        return {}
    tables = iter(table * scored.weights for table in scored.correct)
    correct = {name: _over_tables(several, [next(tables) for _ in several]) for name, several in of_name.items()}
    if not all(len(table) for table in correct.values()):
        return {}  # a frontend has no seed that succeeded on every table
    is_random = {name: any(model.is_random for model in several) for name, several in of_name.items()}
    variance = seed_variance([table for name, table in correct.items() if is_random[name]], scored.groups)
    found = {}
    for a, b in combinations(of_name, 2):
        test = partial(
            clip_test,
            correct[a],
            correct[b],
            groups=scored.groups,
            deterministic=(not is_random[a], not is_random[b]),
            cross_validated=of_name[a][0].cross_validated,
        )
        whole = test(seeds=variance)
        over_clips = whole if variance is None else test(seeds=0.0)
        found[a, b] = over_clips, float(np.sqrt(max(0.0, whole.standard_error**2 - over_clips.standard_error**2)))
    return found


def _over_tables(models: Sequence[Model], tables: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the mean over tables for each seed that all random models have, `(n_seeds, n_clips)`."""
    random = [list(model.of_seed) for model in models if model.is_random]
    seeds = [seed for seed in random[0] if all(seed in each for each in random)] if random else [0]
    rows = [
        [table[list(model.of_seed).index(seed) if model.is_random else 0] for seed in seeds]
        for model, table in zip(models, tables, strict=True)
    ]
    return np.asarray(np.mean(rows, axis=0)) if seeds else np.zeros((0, 0))


def _mean(estimates: Sequence[tuple[Estimate, float]]) -> Estimate:
    over_clips = np.sqrt(sum(each.standard_error**2 for each, _ in estimates)) / len(estimates)
    error = np.hypot(over_clips, mean(of_seeds for _, of_seeds in estimates))
    alone = any(each.these_weights_alone for each, _ in estimates)
    return Estimate(mean(each.difference for each, _ in estimates), float(error), these_weights_alone=alone)


def _ranks(accuracies: Sequence[float]) -> NDArray[Any]:
    """Return ranks, with 1 for the highest accuracy; equal accuracies share their mean rank."""
    found = np.asarray(accuracies)
    return np.array([(found > each).sum() + ((found == each).sum() + 1) / 2 for each in found])
