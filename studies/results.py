"""Results of a study: a line for each run, appended as it ends."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any, get_args

from ..errors import UsageError
from ..files import write_atomically
from ..probes.record import FORMAT, csv_line, format_arguments, read_metrics


@dataclass(frozen=True)
class Outcome:
    """A run that has ended, with or without an error.

    Args:
        dataset: Name of the data set.
        frontend: Name of the frontend, with its arguments that differ from their defaults.
        backend: Name of the backend, with its arguments that differ from their defaults.
        seed: Seed of frontend and backend.
        run: Folder of the run, relative to the study's.
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
        datamodule: Name of the datamodule, with its arguments that differ from their defaults and change results.
        input: Input of the frontend: `waveform` or `spectrogram`; empty if the frontend does not state it.
        filters: Filter shapes of the frontend: `minimal`, `single` or `many`; empty if the frontend does not state it.
        protocol: Protocol by which the candidate was chosen and scored.
        selected_on_test: Whether the candidate was chosen on the very clips that are scored.
        metric: Name of the accuracy, `test/accuracy` or `cv/accuracy`.
        accuracy: Accuracy as a fraction.
        balanced_accuracy: Mean accuracy of the classes, as a fraction.
        macro_f1: Mean F1 of the classes, as a fraction.
        accuracy_low: Lower end of the 95 % bootstrap interval over clips, or over groups of clips.
        accuracy_high: Upper end of that interval.
        best_candidate: Arguments of the chosen candidate.
        n_features: Number of features that the backend read.
        n_parameters: Number of parameters of the frontend.
        flop: Floating-point operations of the frontend for one clip.
        seconds_per_clip: Time of representation and network for one clip on the device that computed them last, in s;
            None if unknown.
        n_clips: Number of clips that were read.
        n_classes: Number of classes of the data set.
        seconds: Time of search and fit, in s.
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
        """Return the result that a run's `metrics.json` holds.

        Args:
            metrics: Content of the file.
            run: Folder of the run, relative to the study's.
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


_AGAIN = "run the study again, which writes the file anew and keeps what is done"
_COLUMNS = [*(field.name for field in fields(Result)), "error"]


def start(folder: Path, results: Iterable[Result], runs: Sequence[str]) -> None:
    """Rewrite `results.csv` and `results.jsonl` of a study, with the runs that are done already.

    Args:
        folder: Folder of the study.
        results: Results of the runs that are done.
        runs: Folders of all runs of the study, relative to its own.
    """
    write_atomically(folder / "runs.json", json.dumps(list(runs), indent=1).encode())
    lines, table = "", csv_line(_COLUMNS)
    for result in results:
        lines += _json_line(folder, result)
        table += _table_line(result)
    for path, content in ((folder / "results.jsonl", lines.encode()), (folder / "results.csv", table.encode())):
        if not path.is_file() or path.read_bytes() != content:  # an unchanged file stays older than its report
            write_atomically(path, content)


def append(folder: Path, outcome: Outcome) -> None:
    """Append a run that has ended to `results.csv` and `results.jsonl` of a study."""
    for name, line in (("results.jsonl", _json_line(folder, outcome)), ("results.csv", _table_line(outcome))):
        with (folder / name).open("a", encoding="utf-8", newline="") as file:
            file.write(line)


def waiting(folder: Path, outcomes: Sequence[Outcome]) -> int:
    """Return how many runs of a study have not ended yet.

    Raises:
        UsageError: The list of its runs is damaged.
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
    """Read `results.jsonl` of a study.

    Raises:
        UsageError: The file does not exist, is damaged, or was written by another version.
    """
    path = folder / "results.jsonl"
    if not path.is_file():
        studies = sorted(str(found.parent) for found in folder.glob("*/results.jsonl"))
        hint = f"there are {', '.join(studies)}" if studies else "`untrained compare` writes one, as runs/synthetic"
        raise UsageError(f"no results.jsonl in {folder}: give the folder of a study; {hint}")
    refuse_other_versions(folder)
    results: list[Result] = []
    failures: list[Failure] = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            found = json.loads(line.decode())
            cls = Failure if found["error"] else Result
            outcome = cls(**{field.name: _typed(field, found[field.name]) for field in fields(cls)})
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{path}, line {number} cannot be read ({type(error).__name__}: {error}); {_AGAIN}"
            ) from error
        (failures if isinstance(outcome, Failure) else results).append(outcome)  # type: ignore[arg-type]
    return results, failures


def refuse_other_versions(folder: Path) -> None:
    """Raise if another version wrote the results of a study; a damaged line counts as written by this version.

    Raises:
        UsageError: The results have another format.
    """
    path = folder / "results.jsonl"
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            found = json.loads(line.decode())
        except ValueError:
            continue
        written_as = found.get("format", 1) if isinstance(found, dict) else FORMAT
        if written_as != FORMAT:
            raise UsageError(
                f"{folder} holds a study of another version (format {written_as!r}, this version reads {FORMAT}); "
                "delete that folder, or run the study under another --name"
            )


def _typed(field: Field[Any], value: Any) -> Any:
    """Return a value of a result, checked against the type of its field."""
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
