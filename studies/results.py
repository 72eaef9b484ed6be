"""Results of a study, with one line for each run, which is appended when the run ends."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import Field, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, get_args

from ..errors import UsageError
from ..files import MAX_JSON, other_format, read_bounded, read_json, write_atomically
from ..probes.record import FORMAT, RANDOM, csv_line, format_arguments, read_metrics


@dataclass(frozen=True)
class Outcome:
    """A run that has ended, with or without an error.

    Args:
        dataset: Name of the data set.
        frontend: Name of the frontend, with the arguments that differ from their defaults.
        backend: Name of the backend, with the arguments that differ from their defaults.
        seed: Seed of the frontend and the backend.
        run: Folder of the run, relative to the folder of the study.
    """

    dataset: str
    frontend: str
    backend: str
    seed: int
    run: str


@dataclass(frozen=True)
class Result(Outcome):
    """A run that has ended without an error.

    Args:
        datamodule: Name of the datamodule, with the arguments that differ from their defaults and affect results.
        input: Input of the frontend: `waveform` or `spectrogram`; empty if the frontend does not declare it.
        filters: Filter shapes of the frontend: `minimal`, `single` or `many`; empty if the frontend does not declare
            them.
        protocol: Protocol by which the candidate was chosen and scored.
        selected_on_test: Whether the candidate was chosen on the scored clips.
        metric: Name of the accuracy, `test/accuracy` or `cv/accuracy`.
        accuracy: Accuracy as a fraction.
        balanced_accuracy: Mean accuracy of the classes, as a fraction.
        macro_f1: Mean F1 of the classes, as a fraction.
        accuracy_low: Lower end of the 95 % bootstrap interval over clips, or over groups of clips.
        accuracy_high: Upper end of this interval.
        best_candidate: Arguments of the chosen candidate.
        n_features: Number of features that the backend was fitted to.
        n_parameters: Number of parameters of the frontend.
        flop: Floating-point operations of the frontend for one clip.
        seconds_per_clip: Time for the representation and the network on one clip, in s, on the device that computed
            them last; None if unknown.
        n_clips: Number of clips that were read.
        n_classes: Number of classes of the data set.
        seconds: Time for the grid search and the fit, or for training, in s.
        weights: Weights: `random`, those of a file, or for training runs `linear` or `trained`.
        clip_passes: Cost of a training run in passes of one clip through the frontend; None for other runs.
    """

    datamodule: str
    input: str
    filters: str
    protocol: str
    selected_on_test: bool
    metric: str
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    accuracy_low: float
    accuracy_high: float
    best_candidate: str
    n_features: int
    n_parameters: int
    flop: int
    seconds_per_clip: float | None
    n_clips: int
    n_classes: int
    seconds: float
    weights: str = RANDOM
    clip_passes: int | None = None

    @classmethod
    def of(cls, metrics: Mapping[str, Any], run: str) -> "Result":
        """Return the result in the `metrics.json` of a run.

        Args:
            metrics: Content of `metrics.json`.
            run: Folder of the run, relative to the folder of the study.
        """
        metric = "test/accuracy" if "test/accuracy" in metrics else "cv/accuracy"
        kind = metric.split("/")[0]
        scores = {name: metrics[f"{kind}/{name}"] for name in ("accuracy", "balanced_accuracy", "macro_f1")}
        scores |= {name: metrics[f"{kind}/{name}"] for name in ("accuracy_low", "accuracy_high")}
        others = {field.name: metrics[field.name] for field in fields(cls) if field.name in metrics}
        return cls(
            **{
                **others,
                **scores,
                "run": run,
                "metric": metric,
                "best_candidate": format_arguments(metrics["best_candidate"]),
                "seconds_per_clip": _seconds_per_clip(metrics["extraction"]),
            }
        )


@dataclass(frozen=True)
class Failure(Outcome):
    """A run that has ended with an error.

    Args:
        error: Type and message of the error.
    """

    error: str


class StudyResults(NamedTuple):
    """All results of a study so far.

    Args:
        results: Runs that have ended without an error.
        failures: Runs that have ended with an error.
        n_waiting: Number of runs that have not finished yet.
        controls: Names of the control frontends.
    """

    results: list[Result]
    failures: list[Failure]
    n_waiting: int
    controls: list[str]


_MOST = dict.fromkeys(("accuracy", "balanced_accuracy", "macro_f1", "accuracy_low", "accuracy_high"), 1)
_AGAIN = "run the study again, which keeps finished runs"
_COLUMNS = [*(field.name for field in fields(Result)), "error"]


def start(
    folder: Path, runs: Sequence[Mapping[str, Any]], waiting: Collection[str], controls: Sequence[str] = ()
) -> None:
    """Write the list of the runs of a study, and the successful runs to `results.csv` and `results.jsonl`.

    The folders of the runs are the single source of truth; the two files are derived from them for other programs.

    Args:
        folder: Folder of the study.
        runs: Arguments of `Outcome` for each run of the study.
        waiting: Folders of the runs that are about to start, relative to the folder of the study; their results are
            left out.
        controls: Names of the control frontends.
    """
    listed = {"format": FORMAT, "controls": list(controls), "runs": [dict(run) for run in runs]}
    write_atomically(folder / "runs.json", json.dumps(listed, indent=1).encode())
    done = [outcome_of(folder, run) for run in runs if run["run"] not in waiting]
    results = [outcome for outcome in done if isinstance(outcome, Result)]
    lines = "".join(_json_line(folder, result) for result in results)
    table = csv_line(_COLUMNS) + "".join(map(_table_line, results))
    for path, content in ((folder / "results.jsonl", lines.encode()), (folder / "results.csv", table.encode())):
        if not path.is_file() or path.read_bytes() != content:  # an unchanged file stays older than the report
            write_atomically(path, content)


def append(folder: Path, run: Mapping[str, Any]) -> Outcome | None:
    """Append a run to `results.csv` and `results.jsonl` if it has ended, and return its outcome."""
    outcome = outcome_of(folder, run)
    if outcome is not None:
        for name, line in (("results.jsonl", _json_line(folder, outcome)), ("results.csv", _table_line(outcome))):
            with (folder / name).open("a", encoding="utf-8", newline="") as file:
                file.write(line)
    return outcome


def read(folder: Path) -> StudyResults:
    """Read the results of a study from the folders of its runs.

    Raises:
        UsageError: The folder does not contain a study of this version, or a file in it is damaged.
    """
    runs, controls = _listed_runs(folder)
    outcomes = [outcome_of(folder, run) for run in runs]
    return StudyResults(
        [outcome for outcome in outcomes if isinstance(outcome, Result)],
        [outcome for outcome in outcomes if isinstance(outcome, Failure)],
        outcomes.count(None),
        controls,
    )


def outcome_of(folder: Path, run: Mapping[str, Any]) -> Outcome | None:
    """Return the outcome of a run of a study, given as arguments of `Outcome`; None if the run has not ended.

    Raises:
        UsageError: `metrics.json` or `error.txt` in the folder of the run is damaged.
    """
    error, path = folder / run["run"] / "error.txt", folder / run["run"] / "metrics.json"
    try:
        if error.is_file():
            return Failure(**run, error=read_bounded(error, MAX_JSON).decode().partition("\n")[0])
        metrics = read_json(path) if path.is_file() else {}
        if not {"test/accuracy", "cv/accuracy"}.intersection(metrics):
            return None  # a hold-out run that has been fitted but not tested
        return _checked(Result.of({**metrics, **run}, run["run"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
        found = f"{type(problem).__name__}: {problem}"
        raise UsageError(f"{path} cannot be read ({found}); delete it, and {_AGAIN}") from problem


def refuse_other_versions(folder: Path) -> None:
    """Raise if another version wrote the study in a folder; ignore a missing or damaged `runs.json`.

    Raises:
        UsageError: `runs.json` has another format.
    """
    path = folder / "runs.json"
    try:
        found = read_json(path) if path.is_file() else {"format": FORMAT}
    except (OSError, ValueError):
        return
    _refuse_format(folder, found)


def _listed_runs(folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the arguments of `Outcome` for each run of a study, and the names of its controls."""
    path = folder / "runs.json"
    if not path.is_file():
        studies = sorted(str(found.parent) for found in folder.glob("*/runs.json"))
        hint = f"found {', '.join(studies)}" if studies else "`untrained compare` writes one, such as runs/synthetic"
        raise UsageError(f"no runs.json in {folder}; expected the folder of a study: {hint}")
    try:
        found = read_json(path)
        _refuse_format(folder, found)
        runs = [{field.name: _typed(field, run[field.name]) for field in fields(Outcome)} for run in found["runs"]]
        outside = [run["run"] for run in runs if not _is_inside(run["run"])]
        if outside:
            raise ValueError(f"the run {outside[0]!r} is not inside the folder of the study")
        return runs, [str(name) for name in found.get("controls", [])]
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} cannot be read ({type(error).__name__}: {error}); delete it, and {_AGAIN}") from error


def _refuse_format(folder: Path, runs: Any) -> None:
    written_as = runs.get("format", 1) if isinstance(runs, dict) else 1
    if written_as != FORMAT:
        remedy = "delete that folder, or run the study under another --name"
        raise UsageError(f"{folder} {other_format(written_as, FORMAT)} {remedy}")


def _checked(result: Result) -> Result:
    """Return a result after checking the types and ranges of its values.

    Raises:
        TypeError: A value does not have the type of its field.
        ValueError: A value is out of range.
    """
    for field in fields(Result):
        value = _typed(field, getattr(result, field.name))
        most = _MOST.get(field.name, 2**63)
        if isinstance(value, int | float) and not 0 <= value <= most:
            raise ValueError(f"{field.name} is out of range; expected 0 to {most:,}")
    if result.n_classes < 1:
        raise ValueError(f"n_classes={result.n_classes}; expected 1 or more")
    if result.protocol not in ("holdout", "nested", "study"):
        raise ValueError(f"protocol={result.protocol!r}; expected holdout, nested or study")
    return result


def _is_inside(run: str) -> bool:
    """Return whether the path of a run, from a possibly malicious `runs.json`, stays inside the folder of its study."""
    parts = PurePosixPath(run).parts
    return len(parts) > 1 and not PurePosixPath(run).is_absolute() and not {"..", "\0"}.intersection(parts)


def _typed(field: Field[Any], value: Any) -> Any:
    """Return a value after checking it against the type of its field."""
    types: tuple[Any, ...] = get_args(field.type) or (field.type,)
    allowed = (*types, int) if float in types else types
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in types):
        raise TypeError(f"{field.name}={value!r}; expected {' or '.join(each.__name__ for each in types)}")
    return value


def _seconds_per_clip(profile: Mapping[str, float]) -> float | None:
    if not profile.get("n_clips"):
        return None
    return round((profile["seconds_representation"] + profile["seconds_network"]) / profile["n_clips"], 6)


def _json_line(folder: Path, outcome: Outcome) -> str:
    more = {"metrics": read_metrics(folder / outcome.run)} if isinstance(outcome, Result) else {}
    return json.dumps({"format": FORMAT, "error": "", **vars(outcome), **more}) + "\n"


def _table_line(outcome: Outcome) -> str:
    return csv_line([vars(outcome).get(name, "") for name in _COLUMNS])
