"""Results of a study: a line for each run, appended as it ends, and the predictions behind its score."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple, get_args

from ..errors import UsageError
from ..files import write_atomically
from ..plain import plain


@dataclass(frozen=True)
class Outcome:
    """A run that has ended, well or not.

    Args:
        dataset: Name of the data set.
        frontend: Name, and the arguments that are not the default.
        backend: Name, and the arguments that are not the default.
        seed: Of frontend and backend.
        run: Folder of the run, seen from the study's.
    """

    dataset: str
    frontend: str
    backend: str
    seed: int
    run: str


@dataclass(frozen=True)
class Result(Outcome):
    """A run that has ended well.

    Args:
        datamodule: Registered name, and the arguments that are not the default and change results.
        input: Of the frontend: `waveform`, `spectrogram`, or empty where it does not say.
        filters: Of the frontend: `minimal`, `single`, `many`, or empty where it does not say.
        protocol: By which the candidate was chosen and the score made.
        selected_on_test: Whether the score was chosen by the very clips that it is of.
        metric: `test/accuracy` or `cv/accuracy`.
        accuracy: As a fraction.
        balanced_accuracy: Mean accuracy of the classes.
        macro_f1: Mean F1 of the classes.
        accuracy_low: Lower end of the 95 % bootstrap interval over clips, or over groups of clips.
        accuracy_high: Its upper end.
        best_candidate: What the search chose.
        n_features: That the backend read.
        n_parameters: Of the frontend.
        flop: Of the frontend for one clip.
        seconds_per_clip: Of representation and network, on the device that computed them last; None if unknown.
        n_clips: That were read.
        n_classes: Of the data set.
        seconds: Of search and fit.
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

    @classmethod
    def of(cls, metrics: Mapping[str, Any], run: str) -> "Result":
        """The result that a run's `metrics.json` tells.

        Args:
            metrics: As they are in the file.
            run: Folder of the run, seen from the study's.
        """
        metric = "test/accuracy" if "test/accuracy" in metrics else "cv/accuracy"
        kind = metric.split("/")[0]
        scores = {name: metrics[f"{kind}/{name}"] for name in ("accuracy", "balanced_accuracy", "macro_f1")}
        scores |= {name: metrics[f"{kind}/{name}"] for name in ("accuracy_low", "accuracy_high")}
        told = {field.name: metrics[field.name] for field in fields(cls) if field.name in metrics}
        return cls(
            **{
                **told,
                **scores,
                "run": run,
                "metric": metric,
                "best_candidate": describe(metrics["best_candidate"]),
                "seconds_per_clip": _seconds_per_clip(metrics["extraction"]),
            }
        )


@dataclass(frozen=True)
class Failure(Outcome):
    """A run that has ended with an error.

    Args:
        error: What was raised.
    """

    error: str


_AGAIN = "run the study again, which writes the file anew and keeps what is done"
_COLUMNS = [*(field.name for field in fields(Result)), "error"]


class Predictions(NamedTuple):
    """What the clips behind a score were taken for, clip by clip.

    Args:
        ids: Of the clips.
        folds: Of the clips; empty where there are none.
        groups: Of the clips; empty where there are none.
        labels: Their true classes.
        given: The classes that they were given.
    """

    ids: Sequence[str]
    folds: Sequence[str]
    groups: Sequence[str]
    labels: Sequence[str]
    given: Sequence[str]


def start(folder: Path, results: Iterable[Result], runs: Sequence[str]) -> None:
    """Write a study's `results.csv` and `results.jsonl` anew, with the runs that are there already.

    Args:
        folder: Of the study.
        results: Of these runs.
        runs: Folders of all runs of the study, seen from its own.
    """
    write_atomically(folder / "runs.json", json.dumps(list(runs), indent=1).encode())
    lines, table = "", _csv_line(_COLUMNS)
    for result in results:
        lines += _json_line(folder, result)
        table += _table_line(result)
    for path, content in ((folder / "results.jsonl", lines.encode()), (folder / "results.csv", table.encode())):
        if not path.is_file() or path.read_bytes() != content:  # what is unchanged keeps its report
            write_atomically(path, content)


def append(folder: Path, outcome: Outcome) -> None:
    """Append a run that has ended to both files of a study."""
    for name, line in (("results.jsonl", _json_line(folder, outcome)), ("results.csv", _table_line(outcome))):
        with (folder / name).open("a", encoding="utf-8", newline="") as file:
            file.write(line)


def waiting(folder: Path, outcomes: Sequence[Outcome]) -> int:
    """How many runs of a study have not ended yet.

    Raises:
        UsageError: The list of them is damaged.
    """
    path = folder / "runs.json"
    try:
        planned = json.loads(path.read_bytes().decode()) if path.is_file() else []
        if not isinstance(planned, list) or not all(isinstance(run, str) for run in planned):
            raise ValueError("expected a list of folders")
    except ValueError as error:
        raise UsageError(f"{path} cannot be read ({type(error).__name__}: {error}); {_AGAIN}") from error
    return len(set(planned) - {outcome.run for outcome in outcomes})


def read(folder: Path) -> tuple[list[Result], list[Failure]]:
    """What `results.jsonl` of a study holds.

    Raises:
        UsageError: There is no such file, or it is not of this version.
    """
    path = folder / "results.jsonl"
    if not path.is_file():
        studies = sorted(str(found.parent) for found in folder.glob("*/results.jsonl"))
        hint = f"there are {', '.join(studies)}" if studies else "`untrained compare` writes one, as runs/synthetic"
        raise UsageError(f"no results.jsonl in {folder}: give the folder of a study; {hint}")
    results: list[Result] = []
    failures: list[Failure] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            told = json.loads(line.decode())
            cls = Failure if told["error"] else Result
            outcome = cls(**{field.name: _typed(field, told[field.name]) for field in fields(cls)})
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{path}, line {number} cannot be read ({type(error).__name__}: {error}); {_AGAIN}"
            ) from error
        (failures if isinstance(outcome, Failure) else results).append(outcome)  # type: ignore[arg-type]
    return results, failures


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write predictions as CSV, a clip a line."""
    lines = "".join(map(_csv_line, zip(*predictions, strict=True)))
    write_atomically(path, (_csv_line(Predictions._fields) + lines).encode())


def read_predictions(path: Path) -> Predictions:
    """Read what `write_predictions` has written.

    Raises:
        UsageError: There is no such file, or it is another.
    """
    try:
        header, *rows = csv.reader(io.StringIO(path.read_bytes().decode(), newline=""))
        if header != list(Predictions._fields):
            raise ValueError(f"columns {', '.join(header)}")
        return Predictions(*map(list, zip(*rows, strict=True)))
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{path} cannot be read ({error}); delete its folder and run the study again") from error


def units(predictions: Predictions) -> list[str]:
    """What is right or wrong together: the group of each clip; one without is a group of its own."""
    clips = zip(predictions.ids, predictions.groups, strict=True)
    return [f"group {group}" if group else f"clip {clip}" for clip, group in clips]


def predictions_file(metric: str) -> str:
    """Name of the file with the predictions behind a score, as `predictions-cv.csv` for `cv/accuracy`."""
    return f"predictions-{metric.split('/')[0]}.csv"


def describe(arguments: Mapping[str, Any]) -> str:
    """Arguments on one line, as `C=2, kernel=linear`."""
    return ", ".join(
        f"{name}={format(value, '.4g') if isinstance(value, float) else value}"
        for name, value in sorted(arguments.items())
    )


def update_metrics(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Add to a run's `metrics.json`, which is for programs as TensorBoard is for people."""
    write_atomically(folder / "metrics.json", json.dumps({**read_metrics(folder), **plain(metrics)}, indent=1).encode())


def read_metrics(folder: Path) -> dict[str, Any]:
    """A run's `metrics.json`; empty if there is none, or what is there is none."""
    try:
        found = json.loads((folder / "metrics.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _typed(field: Field[Any], value: Any) -> Any:
    """A value of a result, of the type that it has there."""
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
    return json.dumps({"error": "", **vars(outcome), **more}) + "\n"


def _table_line(outcome: Outcome) -> str:
    return _csv_line([vars(outcome).get(name, "") for name in _COLUMNS])


def _csv_line(cells: Iterable[Any]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
