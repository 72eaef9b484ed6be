"""Files in the folder of a run: metrics, predictions and candidates."""

import csv
import io
import json
import platform
import warnings
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import CheckpointError, UsageError
from ..files import plain, read_bounded, read_json, write_atomically

FORMAT = 2
"""Version of the files of a run; raise it when older files can no longer be read."""
MAX_PREDICTIONS = 2**28
"""Maximum size in bytes of a table of predictions; a clip takes about a hundred bytes."""
REQUEST = "request.json"
"""Name of the file in a store that records the last command that used the store."""
LATEST = "latest"
"""Name of the file that names the latest run in its folder.

It is not a symbolic link, because some file systems do not support symbolic links.
"""
CANDIDATES = "candidates.csv"
"""Name of the file in the folder of a run that lists the candidates of the search."""
OPTIMISTIC = ", chosen on the scored clips"
"""Remark on scores whose candidate was chosen on the scored clips."""
ORIGIN: dict[str, Any] = {"calibrate": False, "weights": "random"}
"""Options that decide where the weights and statistics of a frontend come from, with their defaults."""
RANDOM = "random"
"""Weights that are drawn, and not trained."""
ARMS = ("linear", "trained")
"""Weights of training runs: of a head alone on a frozen frontend, or of both."""
_PACKAGES = (
    "torch",
    "torchaudio",
    "pytorch-lightning",
    "jsonargparse",
    "omegaconf",
    "scikit-learn",
    "numpy",
    "soundfile",
)
_EARLIER_COLUMNS = ["ids", "folds", "groups", "labels", "given"]  # `given` was an earlier name of `predicted`


class Predictions(NamedTuple):
    """Predicted classes of the clips behind a score.

    Args:
        ids: Ids of the clips.
        folds: Folds of the clips; empty for clips without a fold.
        groups: Groups of the clips; empty for clips without a group.
        labels: True classes of the clips.
        predicted: Predicted classes of the clips.
    """

    ids: Sequence[str]
    folds: Sequence[str]
    groups: Sequence[str]
    labels: Sequence[str]
    predicted: Sequence[str]


def units(predictions: Predictions) -> list[str]:
    """Return the group of each clip as the unit of the bootstrap; a clip without a group is its own unit."""
    clips = zip(predictions.ids, predictions.groups, strict=True)
    return [f"group {group}" if group else f"clip {clip}" for clip, group in clips]


def predictions_file(metric: str) -> str:
    """Return the name of the file with the predictions behind a score: `predictions-cv.csv` for `cv/accuracy`."""
    return f"predictions-{metric.split('/')[0]}.csv"


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write predictions as CSV, with one line for each clip."""
    lines = "".join(map(csv_line, zip(*predictions, strict=True)))
    write_atomically(path, (csv_line(Predictions._fields) + lines).encode())


def read_predictions(path: Path) -> Predictions:
    """Read predictions written by `write_predictions`.

    Raises:
        UsageError: The file does not exist, or does not hold predictions.
    """
    try:
        header, *rows = csv.reader(io.StringIO(read_bounded(path, MAX_PREDICTIONS).decode(), newline=""))
        if header not in (list(Predictions._fields), _EARLIER_COLUMNS):
            raise ValueError(f"columns {', '.join(header)}")
        return Predictions(*map(list, zip(*rows, strict=True)))
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise UsageError(f"{path} cannot be read ({error}); delete its folder and run the study again") from error


class Candidate(NamedTuple):
    """A candidate of a search.

    Args:
        arguments: Arguments of the candidate, as text.
        accuracy: Mean accuracy on the clips that candidates are chosen on, as a fraction.
        is_chosen: Whether the candidate was chosen.
    """

    arguments: str
    accuracy: float
    is_chosen: bool


def write_candidates(folder: Path, candidates: Iterable[Candidate]) -> None:
    """Write the candidates of a run as CSV, best first; among equal candidates, the chosen one is first."""
    order = sorted(candidates, key=lambda each: (-each.accuracy, not each.is_chosen))
    lines = "".join(csv_line([each.arguments, each.accuracy, int(each.is_chosen)]) for each in order)
    write_atomically(folder / CANDIDATES, (csv_line(Candidate._fields) + lines).encode())


def read_candidates(folder: Path) -> list[Candidate]:
    """Return the candidates of a run, best first; an empty list if the file is damaged or missing."""
    try:
        header, *rows = csv.reader(io.StringIO((folder / CANDIDATES).read_bytes().decode(), newline=""))
        if header != list(Candidate._fields):
            return []
        return [Candidate(arguments, float(accuracy), chosen == "1") for arguments, accuracy, chosen in rows]
    except (OSError, ValueError):
        return []


def installed_versions() -> dict[str, str]:
    """Return the versions of this package, Python, and packages that results depend on, without importing them."""
    return {
        "untrained": version("untrained"),
        "Python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }


def update_metrics(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Add metrics to the `metrics.json` of a run."""
    found = {"format": FORMAT, **read_metrics(folder), **plain(metrics)}
    write_atomically(folder / "metrics.json", json.dumps(found, indent=1).encode())


def read_metrics(folder: Path) -> dict[str, Any]:
    """Return the content of the `metrics.json` of a run; empty if the file is missing or damaged."""
    try:
        found = read_json(folder / "metrics.json")
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def keep_damaged_metrics(folder: Path) -> None:
    """Rename a `metrics.json` that cannot be read, so that it is not overwritten, and warn about it."""
    path = folder / "metrics.json"
    if path.is_file() and not read_metrics(folder):
        kept = path.with_name("metrics.json.damaged")
        path.rename(kept)
        warnings.warn(f"{path} cannot be read; it is kept as {kept.name}, and the run is repeated", stacklevel=2)


def write_request(store: Path, config: Mapping[str, Any]) -> None:
    """Record in a store the last command that used it, from which `load_embeddings` restores the labels.

    Args:
        store: Folder of the store.
        config: Configuration of the command, as `untrained predict --config` reads it.
    """
    content = {"working_folder": str(Path.cwd()), "config": plain(config)}
    write_atomically(store / REQUEST, json.dumps(content, indent=1).encode())


def mark_latest(folder: Path) -> None:
    """Write the name of a run, whose `fit` has just ended, to the file `latest` in its parent folder."""
    write_atomically(folder.parent / LATEST, f"{folder.name}\n".encode())


def find_checkpoint(path: Path) -> Path:
    """Return the path of the checkpoint that a path refers to.

    Args:
        path: Checkpoint, folder of a run, or file `latest` in the folder of runs.

    Returns:
        Path of the checkpoint, which need not exist.

    Raises:
        CheckpointError: The run that the file `latest` names does not exist.
    """
    if path.name == LATEST and path.is_file():
        with path.open("rb") as file:
            found = file.read(4096).decode(errors="replace").strip()
        if found != Path(found).name or not (path.parent / found).is_dir():
            raise CheckpointError(
                f"{path} names the run {found!r}, which does not exist in the same folder; give the probe.ckpt of "
                "another run, which `untrained list runs` shows"
            )
        path = path.parent / found
    return path / "probe.ckpt" if path.is_dir() else path


def as_text(value: Any) -> str:
    """Return a value as text for tables and folder names.

    Example:
        >>> as_text([3, 1]), as_text({"a": "b/c"})
        ('3,1', 'a:b_c')
    """
    if isinstance(value, dict):
        return ",".join(f"{key}:{as_text(item)}" for key, item in value.items())
    return ",".join(map(as_text, value)) if isinstance(value, list | tuple) else str(value).replace("/", "_")


def format_arguments(arguments: Mapping[str, Any]) -> str:
    """Return arguments as one line of readable text.

    Example:
        >>> format_arguments({"kernel": "linear", "C": 2.0})
        'C=2, kernel=linear'
    """
    return ", ".join(
        f"{name}={format(value, '.4g') if isinstance(value, float) else value}"
        for name, value in sorted(arguments.items())
    )


def csv_line(cells: Iterable[Any]) -> str:
    """Return cells as a line of CSV."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
