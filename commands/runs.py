"""`untrained list runs`: show the runs in a folder with their scores, without importing torch or NumPy."""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..embeddings.changes import settings_of
from ..errors import UsageError
from ..escaping import for_terminal
from ..files import other_format
from ..probes.record import FORMAT, read_metrics

COLUMNS = ("data set", "frontend", "backend", "protocol", "scores in %", "fitted", "differs in", "run")
_STORES = "embeddings"  # folder next to the runs, which holds embedding stores and no runs
_SHOWN = ("dataset", "frontend", "backend", "protocol")  # settings that have their own column
_UNREADABLE = {"clips": "clips or labels", "files": "audio files"}  # settings whose values are digests


class ListedRun(NamedTuple):
    """Run in the table of runs.

    Args:
        folder: Folder of the run.
        metrics: Content of its `metrics.json`; empty if the run has failed or is not finished.
        problem: Reason why the run has no scores; empty if it has scores.
    """

    folder: Path
    metrics: Mapping[str, Any]
    problem: str = ""

    @property
    def fitted(self) -> float:
        """Time at which the run was written, in s since the epoch."""
        files = (self.folder / name for name in ("probe.ckpt", "metrics.json", "config.yaml"))
        return next((path.stat().st_mtime for path in files if path.is_file()), 0.0)

    @property
    def names(self) -> list[str]:
        """Data set, frontend, backend and protocol."""
        return [str(self.metrics.get(name, "")) for name in _SHOWN]


def print_runs(root: Path) -> None:
    """Print a table of all runs below a folder, sorted by data set, frontend and backend, and then by time.

    Args:
        root: Folder of runs, of a study, or of one run.

    Raises:
        UsageError: The folder does not exist, or holds no run.
    """
    if not root.is_dir():
        raise UsageError(f"no folder at {root}; give the folder of your runs: untrained list runs FOLDER")
    runs = find_runs(root)
    if not runs:
        raise UsageError(f"no run in {root}; untrained fit creates a run and prints its folder")
    similar: dict[tuple[str, ...], list[ListedRun]] = {}
    for run in runs:
        similar.setdefault(tuple(run.names[:3]), []).append(run)
    lines: list[tuple[str, ...]] = [COLUMNS]
    for name in sorted(similar):
        several = sorted(similar[name], key=lambda run: (run.fitted, run.folder))
        lines += [_line(run, differing) for run, differing in zip(several, differences(several), strict=True)]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(map(str.ljust, line, widths)).rstrip())


def find_runs(root: Path) -> list[ListedRun]:
    """Return the runs below a folder, finished or not."""
    found = []
    for folder, inner, names in os.walk(root):
        if _STORES in inner and any(path.is_file() for path in Path(folder, _STORES).glob("*/manifest.json")):
            inner.remove(_STORES)
        if "config.yaml" in names:
            found.append(_read(Path(folder)))
            inner.clear()
    return found


def differences(runs: Sequence[ListedRun]) -> list[str]:
    """Return for each run its values of the settings in which the runs differ.

    Args:
        runs: Runs of one data set, frontend and backend.

    Returns:
        Text for each run, such as `folds=3, seed=1`; empty for a single run, or if all settings are equal.
    """
    settings = [_settings(run.metrics) for run in runs]
    known = [found for found in settings if found]
    names = sorted({name for found in known for name in found})
    differing = [name for name in names if len({str(found.get(name)) for found in known}) > 1]
    readable = [name for name in differing if name not in _UNREADABLE]
    digests = [_UNREADABLE[name] for name in differing if name not in readable]
    return [", ".join(_values(found, readable) or digests) if found else "" for found in settings]


def _settings(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a run by their short names, and the digests of its clips and files."""
    key = metrics.get("key")
    if not isinstance(key, Mapping):
        return {}
    # The last value of a name wins; settings of the run itself have the fewest dots and come last.
    settings = sorted(settings_of(key).items(), key=lambda item: -item[0].count("."))
    found = {name.rpartition(".")[2]: value for name, value in settings}
    _, _, given = str(metrics.get("datamodule", "")).partition("-")
    found |= {"data": given or "default data", "files": key.get("files")}
    return {name: value for name, value in found.items() if name not in _SHOWN}


def _values(settings: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    return [settings[name] if name == "data" else f"{name}={settings[name]}" for name in names if name in settings]


def _read(folder: Path) -> ListedRun:
    """Read a run, even if it has failed, is not finished or has another format."""
    metrics = read_metrics(folder)
    if metrics and metrics.get("format") != FORMAT:
        return ListedRun(folder, {}, f"{other_format(metrics.get('format', 1), FORMAT)} run `untrained fit` again")
    if not metrics:
        failed = (folder / "error.txt").is_file()
        return ListedRun(folder, {}, "failed, see error.txt" if failed else "not finished")
    return ListedRun(folder, metrics)


def _scores(metrics: Mapping[str, Any]) -> str:
    """Return the accuracies of a run in per cent, by split, such as `val 71.2, test 68.0`."""
    names = ("cv", "val", "test")
    found = [(name, metrics.get(f"{name}/accuracy")) for name in names]
    scores = ", ".join(f"{name} {100 * value:.1f}" for name, value in found if isinstance(value, int | float))
    return f"{scores} (chosen on the scored clips)" if metrics.get("selected_on_test") is True else scores


def _line(run: ListedRun, differing: str) -> tuple[str, ...]:
    fitted = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(run.fitted))
    cells = (*run.names, run.problem or _scores(run.metrics), fitted, differing, str(run.folder))
    return tuple(map(for_terminal, cells))
