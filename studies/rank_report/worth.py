"""What a difference between untrained architectures has been worth in a rank study, for the report of `compare`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from ...errors import UsageError
from ...files import digest, read_json
from ..analysis import Analysis, Cell
from .words import listed, number, several

NUMBERS = "analysis.json"
"""File, in the folder of a rank study, with all numbers of its report."""
FORMAT = 1
CAVEAT = "Other data, other architectures and another way of training may behave differently."
_MAX_BYTES = 2**26
_EXAMPLES = (2.0, 5.0, 10.0, 20.0)  # differences for the general sentence, in points


@dataclass(frozen=True)
class Worth:
    """Probability that the better of two untrained architectures is the better one after training.

    Args:
        digest: Digest of the frozen protocol of the rank study.
        tasks: Its tasks.
        n: Number of architectures on each task.
        difference: Difference of the untrained accuracies, in points, ascending.
        probability: Probability of the same order with training, for each difference.
        low: Lower end of its 95 % band.
        high: Upper end.
        too_small: Why the rank study is too small to say; empty if it is not.
    """

    digest: str
    tasks: Sequence[str]
    n: Sequence[int]
    difference: Sequence[float]
    probability: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    too_small: str

    @property
    def mark(self) -> str:
        """Text that differs between rank studies with other numbers."""
        return f"rank study {self.digest} {digest(vars(self))[:8]}"

    def at(self, points: float) -> tuple[float, float, float]:
        """Return probability, lower and upper end at a difference, interpolated and flat beyond the largest one."""
        last = len(self.difference) - 1
        index = next((i for i in range(1, last + 1) if self.difference[i] >= points), last)
        start, end = self.difference[max(index - 1, 0)], self.difference[index]
        share = min(max((points - start) / (end - start), 0.0), 1.0) if end > start else 1.0

        def between(values: Sequence[float]) -> float:
            return values[max(index - 1, 0)] * (1 - share) + values[index] * share

        return between(self.probability), between(self.low), between(self.high)


def read_worth(folder: Path) -> Worth:
    """Read what differences have been worth in a rank study.

    Args:
        folder: Folder of the study, with `analysis.json`, or with `protocol.json` and `results.jsonl`, which are then
            analysed.

    Raises:
        UsageError: The folder holds no rank study, a file is damaged, or the study says nothing about differences.
    """
    path = folder / NUMBERS
    found = _read(path) if path.is_file() else _computed(folder)
    try:
        return _worth(found, folder)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"--rank {folder}: {path} is damaged ({type(error).__name__}: {error}); delete it, and it is computed again"
        ) from error


def _read(path: Path) -> Any:
    try:
        found = read_json(path, _MAX_BYTES)
        version = found["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"--rank {path.parent}: {path} cannot be read ({type(error).__name__}: {error}); delete it, and it is "
            "computed again"
        ) from error
    if version != FORMAT:
        raise UsageError(
            f"--rank {path.parent}: {path} has format {version}, this version reads {FORMAT}; delete it, and it is "
            "computed again"
        )
    return found


def _computed(folder: Path) -> Any:
    """Return the numbers of a rank study that has no report yet."""
    # Imported here, because a study with a report does not need torch.
    from ..rank import protocol, results
    from .numbers import numbers
    from .study import examine

    try:
        frozen = protocol.read(folder)
    except UsageError as error:
        raise UsageError(f"--rank {folder}: {error}") from error
    return numbers(examine(folder, frozen, results.read(folder, lambda text: None)))


def _worth(found: Mapping[str, Any], folder: Path) -> Worth:
    analysis = found["analysis"]
    agreement = analysis["agreement"] if analysis else {"probability": []}
    rows = [
        row
        for row in zip(*(agreement.get(name, ()) for name in ("difference", "probability", "low", "high")), strict=True)
        if None not in row
    ]
    if not rows:
        raise UsageError(
            f"--rank {folder}: too few architectures have been scored without and with training to say what a "
            "difference is worth; run `untrained rank` to the end"
        )
    columns = [[float(value) for value in column] for column in zip(*rows, strict=True)]
    if any(a > b for a, b in pairwise(columns[0])):
        raise ValueError("the differences are not ascending")
    sizes = [int(task["n"]) for task in analysis["tasks"]]
    tasks = [str(name) for name in found["tasks"]]
    difference, probability, low, high = columns
    too_small = str(analysis["verdict"]["too_small"])
    return Worth(str(found["protocol"]), tasks, sizes, difference, probability, low, high, too_small)


def worth_lines(worth: Worth, analysis: Analysis) -> list[str]:
    """Return what the lead of the best untrained network of each table is worth, and differences in general.

    Args:
        worth: What differences have been worth in a rank study.
        analysis: Analysis of a study of `compare`.
    """
    lines = []
    for dataset in analysis.datasets:
        for backend in analysis.backends(dataset):
            cells = [cell for cell in analysis.of(dataset) if cell.first.backend == backend and _is_untrained(cell)]
            cells.sort(key=lambda cell: -cell.accuracy)
            if len(cells) > 1:
                lines.append(f"{dataset}, {backend}: {_of_pair(worth, cells[0], cells[1])}")
    if not lines:
        lines.append("No table has two untrained networks to compare.")
    sizes = sorted(set(worth.n))
    n = several(sizes[0], "architecture") if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]} architectures"
    lines.append(f"In general, {general(worth)} (rank study {worth.digest}: {listed(list(worth.tasks))}; {n}).")
    if worth.too_small:
        lines.append(f"That study is too small to say whether untrained ranks predict trained ones: {worth.too_small}.")
    return [*lines, CAVEAT]


def general(worth: Worth) -> str:
    """Return what differences are worth, as a part of a sentence."""
    known = [points for points in _EXAMPLES if points <= worth.difference[-1]] or list(worth.difference[-1:])
    said = ", ".join(f"{number(100 * worth.at(points)[0], 0)} % at {points:g} points" for points in known)
    return f"the better of two untrained networks was also the better one after training with a probability of {said}"


def _of_pair(worth: Worth, first: Cell, second: Cell) -> str:
    points = 100 * (first.accuracy - second.accuracy)
    p, low, high = (100 * value for value in worth.at(points))
    beyond = "" if points <= worth.difference[-1] else f", the largest there being {worth.difference[-1]:.1f}"
    return (
        f"{first.first.frontend} leads {second.first.frontend} by {points:.1f} points untrained; after training, the "
        f"better one of such a pair was still the better one with a probability of {p:.0f} % [{low:.0f}, {high:.0f}]"
        f"{beyond}."
    )


def _is_untrained(cell: Cell) -> bool:
    """Return whether the accuracy is that of a network with random weights, which a rank study is about."""
    return cell.first.n_parameters > 0 and cell.first.weights in ("", "random")
