"""What a difference between untrained architectures has been worth in a rank study, for the report of `compare`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from ...errors import UsageError
from ...files import digest, read_json
from ..analysis import Analysis, Cell
from .pair_counts import DEGENERATE, Pair, in_pairs, pairs_of
from .words import listed, number, several

NUMBERS = "analysis.json"
"""File, in the folder of a rank study, with all numbers of its report."""
FORMAT = 1
CAVEAT = "Other data, other architectures and another way of training may behave differently."
_MAX_BYTES = 2**26
_SELECTED = "These two are no randomly chosen pair, but the best of this table."
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
        pairs: Pairs of its architectures.
        items: Numbers of its items that are done, of all items, and of items that failed.
        shared: Tasks in which untrained and trained accuracy share their clips.
    """

    digest: str
    tasks: Sequence[str]
    n: Sequence[int]
    difference: Sequence[float]
    probability: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    too_small: str
    pairs: Sequence[Pair]
    items: tuple[int, int, int]
    shared: Sequence[str]

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

    def has_band(self, points: float) -> bool:
        """Return whether the band at a difference says anything: it is not empty, and the study has such pairs."""
        _, low, high = self.at(points)
        return points <= self.largest and high - low >= DEGENERATE

    def counted(self, points: float) -> str:
        """Return in how many pairs the order was the same, from the smallest difference with this probability on."""
        p = self.at(points)[0]
        start = next(x for x, q in zip(self.difference, self.probability, strict=True) if q >= p - 1e-9)
        return in_pairs(self.pairs, min(start, self.largest))

    @property
    def largest(self) -> float:
        """Largest difference of a pair that the band covers, in points."""
        return min(self.difference[-1], max((pair.points for pair in self.pairs), default=0.0))


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
    scores = [(task["scores"]["untrained"], task["scores"]["trained"]) for task in analysis["tasks"]]
    return Worth(
        digest=str(found["protocol"]),
        tasks=tasks,
        n=sizes,
        difference=difference,
        probability=probability,
        low=low,
        high=high,
        too_small=str(analysis["verdict"]["too_small"]),
        pairs=pairs_of(scores, analysis["apart"]),
        items=(int(found["items"]["done"]), int(found["items"]["total"]), int(found["items"]["failed"])),
        shared=[str(name) for name in found["shared_clips"]],
    )


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
    return [*lines, *_limits(worth), CAVEAT]


def _limits(worth: Worth) -> Iterator[str]:
    """Yield what limits the numbers of a rank study."""
    done, total, failed = worth.items
    if done < total or failed:
        which = f"{done:,} of {total:,} items are done"
        which += f", and {several(failed, 'item')} failed" if failed else ""
        yield f"That study is incomplete: {which}, so its numbers may still change."
    if worth.shared:
        yield (
            f"In that study, untrained and trained accuracy share the clips of {listed(list(worth.shared))}. The "
            "probabilities take them from opposite halves of the clips; numbers of pairs do not, and may be too high."
        )


def general(worth: Worth) -> str:
    """Return what differences are worth, as a part of a sentence."""
    known = [points for points in _EXAMPLES if points <= worth.largest] or [worth.largest]
    said = [f"{number(100 * worth.at(each)[0], 0)} % at {each:.3g} points" for each in known if worth.has_band(each)]
    better = "was also the better one after training"
    parts = [f"with a probability of {', '.join(said)}"] if said else []
    parts += [worth.counted(each) for each in known if not worth.has_band(each)][:1]
    return f"the better of two untrained networks {better} {', and '.join(parts)}"


def _of_pair(worth: Worth, first: Cell, second: Cell) -> str:
    points = 100 * (first.accuracy - second.accuracy)
    lead = f"{first.first.frontend} leads {second.first.frontend} by {points:.1f} points untrained"
    if worth.has_band(points):
        p, low, high = (100 * value for value in worth.at(points))
        return (
            f"{lead}; of randomly chosen pairs with this difference, the better one was still the better one after "
            f"training with a probability of {p:.0f} % [{low:.0f}, {high:.0f}]. {_SELECTED}"
        )
    beyond = "" if points <= worth.largest else f", more than any of the rank study ({worth.largest:.1f} points)"
    return (
        f"{lead}{beyond}; there, the better one was still the better one after training {worth.counted(points)}, "
        f"too few for an interval. {_SELECTED}"
    )


def _is_untrained(cell: Cell) -> bool:
    """Return whether the accuracy is that of a network with random weights, which a rank study is about."""
    return cell.first.n_parameters > 0 and cell.first.weights in ("", "random")
