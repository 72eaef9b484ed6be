"""Analysis of a study's results: means, two measures of spread, and tests of differences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev

import numpy as np

from ..errors import UsageError
from ..probes.metrics import bootstrap, interval
from ..probes.record import RANDOM, Predictions, predictions_file, read_metrics, read_predictions
from .axes import AxisTest, Key, Settings, compare_axes, is_random, is_training, settings_of, variants
from .families import Family, Method, Model, compare_frontends, seeds_of
from .overall import Overall, compare_overall
from .published import published
from .results import Result
from .scored import align

_FILTERS = ("minimal", "single", "many")


@dataclass(frozen=True)
class Cell:
    """Runs of a frontend with a backend on a data set, one for each seed.

    Args:
        runs: Runs, one for each seed; a single run if neither frontend nor backend is random.
        low: Lower end of the 95 % bootstrap interval over clips, or groups of clips, of the mean accuracy over seeds.
        high: Upper end of this interval.
    """

    runs: Sequence[Result]
    low: float
    high: float

    @property
    def first(self) -> Result:
        """First run, for values that are the same in all runs."""
        return self.runs[0]

    @property
    def accuracy(self) -> float:
        """Mean accuracy over seeds, as a fraction."""
        return mean(run.accuracy for run in self.runs)

    @property
    def deviation(self) -> float | None:
        """Standard deviation of the accuracy over seeds, as a fraction; None if there is a single seed."""
        return stdev(run.accuracy for run in self.runs) if len(self.runs) > 1 else None

    @property
    def balanced_accuracy(self) -> float:
        """Mean balanced accuracy over seeds, as a fraction."""
        return mean(run.balanced_accuracy for run in self.runs)

    @property
    def macro_f1(self) -> float:
        """Mean macro F1 over seeds, as a fraction."""
        return mean(run.macro_f1 for run in self.runs)

    @property
    def published(self) -> float | None:
        """Accuracy published by Pons & Serra (2018), as a fraction; None if none was published."""
        found = published(self.first.datamodule, self.first.frontend, self.first.backend)
        return None if found is None else found / 100

    @property
    def seconds_per_clip(self) -> float | None:
        """Time for the representation and the network on one clip, in s; None if unknown."""
        known = [run.seconds_per_clip for run in self.runs if run.seconds_per_clip is not None]
        return mean(known) if known else None


@dataclass(frozen=True)
class Analysis:
    """Analysis of a study.

    Args:
        cells: Cells by data set, frontend and backend, in the order of the study.
        families: Tests of the frontends of each table; tables whose candidates were chosen on the scored clips have
            none.
        overall: Comparisons over all data sets and backends, one for each variant.
        axes: Tests of all pairs of values of each setting that the study varies, by name of the setting.
    """

    cells: Mapping[Key, Cell]
    families: Sequence[Family]
    overall: Sequence[Overall]
    axes: Mapping[str, Sequence[AxisTest]]

    @property
    def datasets(self) -> list[str]:
        """Names of the data sets."""
        return list(dict.fromkeys(dataset for dataset, _, _ in self.cells))

    def backends(self, dataset: str) -> list[str]:
        """Return the names of the backends that were fitted to a data set."""
        return list(dict.fromkeys(backend for name, _, backend in self.cells if name == dataset))

    def place_of(self, backend: str) -> int:
        """Return the index of a backend among all backends of the study, which sets its colour in every figure."""
        return list(dict.fromkeys(name for _, _, name in self.cells)).index(backend)

    def of(self, dataset: str) -> list[Cell]:
        """Return the cells of a data set."""
        return [cell for (name, _, _), cell in self.cells.items() if name == dataset]

    def kinds(self) -> dict[str, list[str]]:
        """Return the frontends by kind, which is their input, sorted from minimal to many filters.

        Frontends that do not declare their input or filters are of the kind `others`, which comes last.
        """
        seen = {cell.first.frontend: cell.first for cell in self.cells.values()}
        kinds: dict[str, list[str]] = {}
        for name, result in seen.items():
            kinds.setdefault(result.input if result.input and result.filters else "others", []).append(name)
        for names in kinds.values():
            names.sort(key=lambda name: [*_FILTERS, seen[name].filters].index(seen[name].filters))
        return {kind: kinds[kind] for kind in sorted(kinds, key="others".__eq__)}

    def frontends(self) -> list[str]:
        """Return the names of all frontends in the order of `kinds`."""
        return [name for names in self.kinds().values() for name in names]


def analyse(
    results: Sequence[Result], folder: Path, controls: Sequence[str] = (), method: Method = "clips"
) -> Analysis:
    """Average over seeds, compute intervals, and test differences.

    Args:
        results: Results of one study.
        folder: Folder of the study, which holds the runs and their predictions.
        controls: Names of the control frontends.
        method: Test of the differences between frontends in a cross-validation, `clips` or `folds`.

    Raises:
        UsageError: Predictions are missing.
    """
    runs_of: dict[Key, list[Result]] = {}
    for result in results:
        runs_of.setdefault((result.dataset, result.frontend, result.backend), []).append(result)
    datasets = list(dict.fromkeys(dataset for dataset, _, _ in runs_of))
    runs_of = dict(sorted(runs_of.items(), key=lambda item: datasets.index(item[0][0])))
    predictions = {key: [_predictions(folder, run) for run in runs] for key, runs in runs_of.items()}
    intervals: dict[Key, tuple[float, float]] = {}
    for dataset in datasets:
        intervals |= _intervals({key: found for key, found in predictions.items() if key[0] == dataset})
    cells = {key: Cell(runs, *intervals[key]) for key, runs in runs_of.items()}
    honest = {key: cell for key, cell in cells.items() if not cell.first.selected_on_test}
    settings = {key: _settings(folder, cell.first) for key, cell in honest.items()}
    models = {
        key: Model(
            {run.seed: found for run, found in zip(cell.runs, predictions[key], strict=True)},
            cell.accuracy,
            is_random(settings[key]),
            cell.first.protocol != "holdout",
        )
        for key, cell in honest.items()
    }
    families = _families(models, settings, controls, method)
    by_weights = _apart(families, settings)
    names = dict.fromkeys(family.variant for family in by_weights)
    origins = {key[0]: (str(found["data"]), found["clips"]) for key, found in settings.items()}
    found = [
        compare_overall([family for family in by_weights if family.variant == name], models, origins) for name in names
    ]
    overall = [each for each in found if each is not None]
    return Analysis(cells, families, overall, compare_axes(models, settings))


def _families(
    models: Mapping[Key, Model], settings: Mapping[Key, Settings], controls: Sequence[str], method: Method
) -> list[Family]:
    """Test the frontends of each data set and backend, with a family for each combination of options of `Probe`."""
    found = []
    for dataset, backend in dict.fromkeys((dataset, backend) for dataset, _, backend in models):
        table = {key: each for key, each in settings.items() if (key[0], key[2]) == (dataset, backend)}
        seeds = seeds_of([models[key] for key in table])
        for variant, keys in variants(table).items():
            of_name = {key[1]: models[key] for key in keys}
            found.append(compare_frontends((dataset, backend, variant), of_name, controls, method, seeds))
    return found


def _apart(families: Sequence[Family], settings: Mapping[Key, Settings]) -> list[Family]:
    """Return families whose variants name the weights of training runs, so that no verdict mixes them with others."""
    weights = {(key[0], key[2]): found["weights"] for key, found in settings.items() if is_training(found)}
    if not weights:
        return list(families)
    found = []
    for family in families:
        named = weights.get((family.dataset, family.backend), RANDOM)
        parts = [family.variant] if "weights=" in family.variant else [f"weights={named}", family.variant]
        found.append(replace(family, variant=", ".join(filter(None, parts))))
    return found


def _intervals(predictions: Mapping[Key, Sequence[Predictions]]) -> dict[Key, tuple[float, float]]:
    """Return the interval of each model of a data set; models that were scored on the same clips share resamples."""
    alike: dict[tuple[str, ...], list[Key]] = {}
    for key, seeds in predictions.items():
        alike.setdefault(tuple(align([seeds]).clips.ids), []).append(key)
    found: dict[Key, tuple[float, float]] = {}
    for ids, keys in alike.items():
        scored = align([predictions[key] for key in keys])
        correct = np.stack([table.mean(axis=0) for table in scored.correct], axis=1)
        draws = bootstrap(correct, scored.clips.folds, scored.groups) if ids else np.zeros((1, len(keys)))
        low, high = interval(draws)
        found |= dict(zip(keys, zip(low.tolist(), high.tolist(), strict=True), strict=True))
    return found


def _settings(folder: Path, result: Result) -> Settings:
    try:
        return settings_of(read_metrics(folder / result.run))
    except (KeyError, TypeError, AttributeError) as error:
        path = folder / result.run / "metrics.json"
        found = f"{type(error).__name__}: {error}"
        raise UsageError(f"{path} cannot be read ({found}); delete its folder and run the study again") from error


def _predictions(folder: Path, result: Result) -> Predictions:
    return read_predictions(folder / result.run / predictions_file(result.metric))
