"""What can be said of a study's results: means, two spreads, and which differences are more than chance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import mean, stdev

import numpy as np

from .backends.base import Array
from .metrics import bootstrap, interval
from .published import published
from .results import Predictions, Result, predictions_file, read_predictions, units
from .significance import bootstrap_test, corrected_t_test, holm

LEVEL = 0.05
_FILTERS = ("minimal", "single", "many")


@dataclass(frozen=True)
class Cell:
    """All seeds of a front-end with a back-end on a data set.

    Args:
        runs: One for each seed; a single one where nothing is random.
        low: Lower end of the 95 % bootstrap interval over clips, or groups of clips, of seed-averaged correctness.
        high: Its upper end.
    """

    runs: Sequence[Result]
    low: float
    high: float

    @property
    def first(self) -> Result:
        """One of the runs, for what all have in common."""
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
        """What Pons & Serra (2018) have published for it, as a fraction; None if nothing."""
        found = published(self.first.dataset, self.first.front_end, self.first.back_end)
        return None if found is None else found / 100

    @property
    def seconds_per_clip(self) -> float | None:
        """Of representation and network; None if it is not known."""
        known = [run.seconds_per_clip for run in self.runs if run.seconds_per_clip is not None]
        return mean(known) if known else None


@dataclass(frozen=True)
class Comparison:
    """The difference of two front-ends with one back-end on one data set.

    Args:
        dataset: Name of the data set.
        back_end: Name of the back-end.
        a: A front-end.
        b: Another.
        difference: Accuracy of `a` less that of `b`, both means over seeds, as a fraction.
        p: Two-sided.
        p_corrected: For all pairs of front-ends of this data set and back-end, by Holm.
        test: By which p was found.
    """

    dataset: str
    back_end: str
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
    """What can be said of a study.

    Args:
        cells: By data set, front-end and back-end, in the order of the study.
        comparisons: Of all pairs of front-ends that are compared by an honest protocol.
    """

    cells: Mapping[tuple[str, str, str], Cell]
    comparisons: Sequence[Comparison]

    @property
    def datasets(self) -> list[str]:
        """Names of the data sets."""
        return list(dict.fromkeys(dataset for dataset, _, _ in self.cells))

    def back_ends(self, dataset: str) -> list[str]:
        """Names of the back-ends that were fitted to a data set."""
        return list(dict.fromkeys(back_end for name, _, back_end in self.cells if name == dataset))

    def of(self, dataset: str) -> list[Cell]:
        """The cells of a data set."""
        return [cell for (name, _, _), cell in self.cells.items() if name == dataset]

    def kinds(self) -> dict[str, list[str]]:
        """Front-ends by what they read, from minimal filters to many (Pons's talk); those that do not say come last."""
        seen = {cell.first.front_end: cell.first for cell in self.cells.values()}
        kinds: dict[str, list[str]] = {}
        for name, result in seen.items():
            kinds.setdefault(result.input if result.input and result.filters else "others", []).append(name)
        for names in kinds.values():
            names.sort(key=lambda name: [*_FILTERS, seen[name].filters].index(seen[name].filters))
        return {kind: kinds[kind] for kind in sorted(kinds, key="others".__eq__)}

    def front_ends(self) -> list[str]:
        """Front-ends in the order of `kinds`."""
        return [name for names in self.kinds().values() for name in names]


def analyse(results: Sequence[Result], folder: Path) -> Analysis:
    """Average over seeds, draw intervals, and test all differences.

    Args:
        results: Of one study.
        folder: Of the study, in which the runs and their predictions are.

    Raises:
        UsageError: Predictions are missing.
    """
    runs_of: dict[tuple[str, str, str], list[Result]] = {}
    for result in results:
        runs_of.setdefault((result.dataset, result.front_end, result.back_end), []).append(result)
    cells: dict[tuple[str, str, str], Cell] = {}
    comparisons: list[Comparison] = []
    for dataset in dict.fromkeys(dataset for dataset, _, _ in runs_of):
        keys = [key for key in runs_of if key[0] == dataset]
        predictions = {key: [_predictions(folder, run) for run in runs_of[key]] for key in keys}
        clips = _common([each for several in predictions.values() for each in several])
        correct = np.stack([_correctness(clips, predictions[key]) for key in keys], axis=1)
        draws = bootstrap(correct, clips.folds, units(clips))
        low, high = interval(draws)
        for column, key in enumerate(keys):
            cells[key] = Cell(runs_of[key], float(low[column]), float(high[column]))
        for back_end in dict.fromkeys(back_end for _, _, back_end in keys):
            columns = [column for column, key in enumerate(keys) if key[2] == back_end]
            honest = [column for column in columns if not runs_of[keys[column]][0].selected_on_test]
            comparisons += _compare([keys[column] for column in honest], clips, correct[:, honest], draws[:, honest])
    return Analysis(cells, comparisons)


def _compare(
    keys: Sequence[tuple[str, str, str]], clips: Predictions, correct: Array, draws: Array
) -> list[Comparison]:
    """All pairs of front-ends of one data set and back-end."""
    names = sorted(set(clips.folds))
    inside = [np.array([fold == name for fold in clips.folds]) for name in names]
    by_fold = np.array([correct[rows].mean(axis=0) for rows in inside])
    pairs = list(combinations(range(len(keys)), 2))
    found = []
    for a, b in pairs:
        if len(names) > 1:
            p = corrected_t_test(by_fold[:, a] - by_fold[:, b], [int(rows.sum()) for rows in inside])
        else:
            p = bootstrap_test(by_fold[0, a] - by_fold[0, b], draws[:, a] - draws[:, b])
        found.append(p)
    test = "corrected t-test over folds" if len(names) > 1 else "paired bootstrap over clips"
    means = by_fold.mean(axis=0)
    return [
        Comparison(keys[a][0], keys[a][2], keys[a][1], keys[b][1], float(means[a] - means[b]), p, corrected, test)
        for (a, b), p, corrected in zip(pairs, found, holm(found), strict=True)
    ]


def _predictions(folder: Path, result: Result) -> Predictions:
    return read_predictions(folder / result.run / predictions_file(result.metric))


def _common(several: Sequence[Predictions]) -> Predictions:
    """Clips that are in all, without what they were taken for; one may be lost to a front-end that gave no number."""
    ids = set(several[0].ids).intersection(*(predictions.ids for predictions in several))
    return Predictions(*map(list, zip(*(row for row in zip(*several[0], strict=True) if row[0] in ids), strict=True)))


def _correctness(clips: Predictions, seeds: Sequence[Predictions]) -> Array:
    """How often each clip is right, over seeds, `(n_clips,)`, in the order of `clips`."""
    found = []
    for predictions in seeds:
        right = {
            clip: label == given
            for clip, label, given in zip(predictions.ids, predictions.labels, predictions.given, strict=True)
        }
        found.append([right[clip] for clip in clips.ids])
    return np.asarray(np.mean(found, axis=0))
