"""Analysis of a study's results: means, two measures of spread, and tests of differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from statistics import mean, stdev
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..probes.metrics import bootstrap, interval
from ..probes.record import Predictions, predictions_file, read_predictions, units
from .published import published
from .results import Result
from .significance import bootstrap_test, corrected_t_test, holm

LEVEL = 0.05
_FILTERS = ("minimal", "single", "many")
_Key = tuple[str, str, str]  # data set, frontend, backend


@dataclass(frozen=True)
class Cell:
    """Runs of a frontend with a backend on a data set, one for each seed.

    Args:
        runs: Runs, one for each seed; a single one where nothing is random.
        low: Lower end of the 95 % bootstrap interval over clips, or groups of clips, of the mean accuracy over seeds.
        high: Upper end of that interval.
    """

    runs: Sequence[Result]
    low: float
    high: float

    @property
    def first(self) -> Result:
        """First run, for the facts that all runs share."""
        return self.runs[0]

    @property
    def accuracy(self) -> float:
        """Mean accuracy over seeds, as a fraction."""
        return mean(run.accuracy for run in self.runs)

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the accuracy over seeds; None for a single one."""
        return stdev(run.accuracy for run in self.runs) if len(self.runs) > 1 else None

    @property
    def published(self) -> float | None:
        """Accuracy that Pons & Serra (2018) published, as a fraction; None if there is none."""
        found = published(self.first.datamodule, self.first.frontend, self.first.backend)
        return None if found is None else found / 100

    @property
    def seconds_per_clip(self) -> float | None:
        """Time of representation and network for one clip, in s; None if unknown."""
        known = [run.seconds_per_clip for run in self.runs if run.seconds_per_clip is not None]
        return mean(known) if known else None


@dataclass(frozen=True)
class Comparison:
    """The difference between two frontends with one backend on one data set.

    Args:
        dataset: Name of the data set.
        backend: Name of the backend.
        a: Name of a frontend.
        b: Name of another frontend.
        difference: Accuracy of `a` minus accuracy of `b`, both averaged over seeds, as a fraction.
        p: Two-sided p-value.
        p_corrected: P-value corrected for all pairs of frontends of this data set and backend, by Holm.
        test: Name of the test.
    """

    dataset: str
    backend: str
    a: str
    b: str
    difference: float
    p: float
    p_corrected: float
    test: str

    @property
    def is_more_than_chance(self) -> bool:
        """Whether the corrected p is below 0.05."""
        return self.p_corrected < LEVEL


@dataclass(frozen=True)
class Analysis:
    """Analysis of a study.

    Args:
        cells: Cells by data set, frontend and backend, in the order of the study.
        comparisons: Comparisons of all pairs of frontends whose scores were not selected on test clips.
    """

    cells: Mapping[tuple[str, str, str], Cell]
    comparisons: Sequence[Comparison]

    @property
    def datasets(self) -> list[str]:
        """Names of the data sets."""
        return list(dict.fromkeys(dataset for dataset, _, _ in self.cells))

    def backends(self, dataset: str) -> list[str]:
        """Return the names of the backends that were fitted to a data set."""
        return list(dict.fromkeys(backend for name, _, backend in self.cells if name == dataset))

    def of(self, dataset: str) -> list[Cell]:
        """Return the cells of a data set."""
        return [cell for (name, _, _), cell in self.cells.items() if name == dataset]

    def kinds(self) -> dict[str, list[str]]:
        """Return frontends by what they read, from minimal filters to many (Pons's talk); others come last."""
        seen = {cell.first.frontend: cell.first for cell in self.cells.values()}
        kinds: dict[str, list[str]] = {}
        for name, result in seen.items():
            kinds.setdefault(result.input if result.input and result.filters else "others", []).append(name)
        for names in kinds.values():
            names.sort(key=lambda name: [*_FILTERS, seen[name].filters].index(seen[name].filters))
        return {kind: kinds[kind] for kind in sorted(kinds, key="others".__eq__)}

    def frontends(self) -> list[str]:
        """Return frontends in the order of `kinds`."""
        return [name for names in self.kinds().values() for name in names]


def analyse(results: Sequence[Result], folder: Path) -> Analysis:
    """Average over seeds, compute intervals, and test all differences.

    Args:
        results: Results of one study.
        folder: Folder of the study, which holds the runs and their predictions.

    Raises:
        UsageError: Predictions are missing.
    """
    runs_of: dict[_Key, list[Result]] = {}
    for result in results:
        runs_of.setdefault((result.dataset, result.frontend, result.backend), []).append(result)
    cells: dict[_Key, Cell] = {}
    comparisons: list[Comparison] = []
    for dataset in dict.fromkeys(dataset for dataset, _, _ in runs_of):
        keys = [key for key in runs_of if key[0] == dataset]
        predictions = {key: [_predictions(folder, run) for run in runs_of[key]] for key in keys}
        scored = _scored_alike(predictions)
        for key in keys:
            low, high = interval(scored[key].draws[:, [scored[key].keys.index(key)]])
            cells[key] = Cell(runs_of[key], float(low[0]), float(high[0]))
        for backend in dict.fromkeys(backend for _, _, backend in keys):
            honest = [key for key in keys if key[2] == backend and not runs_of[key][0].selected_on_test]
            protocols = {key: runs_of[key][0].protocol for key in honest}
            comparisons += _comparisons(protocols, scored, predictions)
    return Analysis(cells, comparisons)


class _Scored(NamedTuple):
    """Models that were scored on the same clips.

    Args:
        keys: Keys of the models, in the order of the columns.
        clips: Clips that all of them were scored on.
        correct: Share of the seeds for which each clip was right, `(n_clips, n_keys)`.
        draws: Draws of their accuracies, `(n_draws, n_keys)`.
    """

    keys: Sequence[_Key]
    clips: Predictions
    correct: NDArray[Any]
    draws: NDArray[Any]


def _scored_alike(predictions: Mapping[_Key, Sequence[Predictions]]) -> dict[_Key, _Scored]:
    """Return the scores of each model, together with all models that were scored on the same clips.

    A frontend may have failed on a clip that others have read, so that not all models of a data set share their clips.
    """
    alike: dict[tuple[str, ...], list[_Key]] = {}
    for key, seeds in predictions.items():
        alike.setdefault(tuple(_common(seeds).ids), []).append(key)
    found: dict[_Key, _Scored] = {}
    for keys in alike.values():
        found |= dict.fromkeys(keys, _score(keys, predictions))
    return found


def _score(keys: Sequence[_Key], predictions: Mapping[_Key, Sequence[Predictions]]) -> _Scored:
    clips = _common([each for key in keys for each in predictions[key]])
    correct = np.stack([_correctness(clips, predictions[key]) for key in keys], axis=1)
    draws = bootstrap(correct, clips.folds, units(clips)) if clips.ids else np.zeros((1, len(keys)))
    return _Scored(keys, clips, correct, draws)


def _comparisons(
    protocols: Mapping[_Key, str], scored: Mapping[_Key, _Scored], predictions: Mapping[_Key, Sequence[Predictions]]
) -> list[Comparison]:
    """Compare all pairs of models with one backend on one data set, corrected for multiple comparisons."""
    found = []
    for a, b in combinations(protocols, 2):
        together = scored[a] if scored[a] is scored[b] else _score([a, b], predictions)
        if together.clips.ids:
            found.append(_compare(a, b, together, protocols[a]))
    corrected = holm([comparison.p for comparison in found])
    return [replace(comparison, p_corrected=p) for comparison, p in zip(found, corrected, strict=True)]


def _compare(a: _Key, b: _Key, scored: _Scored, protocol: str) -> Comparison:
    """Compare two frontends with one backend on the clips that both have read; p is not corrected yet."""
    columns = [scored.keys.index(a), scored.keys.index(b)]
    names = sorted(set(scored.clips.folds))
    inside = [np.array([fold == name for fold in scored.clips.folds]) for name in names]
    differences = np.array([np.subtract(*scored.correct[rows].mean(axis=0)[columns]) for rows in inside])
    difference = float(differences.mean())
    if protocol == "holdout":
        p, test = bootstrap_test(difference, np.subtract(*scored.draws[:, columns].T)), "paired bootstrap over clips"
    else:
        p = corrected_t_test(differences, [int(rows.sum()) for rows in inside]).p
        test = "corrected t-test over folds"
    return Comparison(a[0], a[2], a[1], b[1], difference, p, p, test)


def _predictions(folder: Path, result: Result) -> Predictions:
    return read_predictions(folder / result.run / predictions_file(result.metric))


def _common(several: Sequence[Predictions]) -> Predictions:
    """Return the first of several predictions, restricted to the clips that all of them hold."""
    ids = set(several[0].ids).intersection(*(predictions.ids for predictions in several))
    rows = [row for row in zip(*several[0], strict=True) if row[0] in ids]
    return Predictions(*map(list, zip(*rows, strict=True))) if rows else Predictions([], [], [], [], [])


def _correctness(clips: Predictions, seeds: Sequence[Predictions]) -> NDArray[Any]:
    """Return the share of the seeds for which each clip is right, `(n_clips,)`, in the order of `clips`."""
    found = []
    for predictions in seeds:
        right = {
            clip: label == predicted
            for clip, label, predicted in zip(predictions.ids, predictions.labels, predictions.predicted, strict=True)
        }
        found.append([right[clip] for clip in clips.ids])
    return np.asarray(np.mean(found, axis=0))
