"""Results of a rank study: a file to which a line is appended for each score."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import UsageError
from ...files import read_bounded
from .items import Item
from .protocol import RESULTS as FILE

MAX_BYTES = 2**30
DIVERGED = "TrainingError: "
"""Beginning of the error of a training that diverges, and would do so again."""
_VARY = ("times", "seconds", "machine")  # fields in which equal results of two machines differ


@dataclass(frozen=True)
class Record:
    """One line of the results.

    Args:
        item: Key of the result.
        predicted: Index of the predicted class of each test clip, in the order of the frozen protocol; -1 for a clip
            that could not be read. Empty for proxies.
        validation: Accuracy on the validation clips, as a fraction; None for proxies.
        train: Accuracy on the training clips; None if it was not computed.
        first_epoch: Validation accuracy after the first epoch; None if it was not computed.
        values: Values of proxies by name; a value is None if it is not finite.
        reasons: Reason why the value of a proxy is not finite, by name.
        times: Time to compute each proxy in s, by name.
        seconds: Time for the whole item, in s.
        machine: Version of torch, device, and number of threads.
        error: Type and message of the error; empty if the item succeeded.
    """

    item: Item
    predicted: Sequence[int] = ()
    validation: float | None = None
    train: float | None = None
    first_epoch: float | None = None
    values: Mapping[str, float | None] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    times: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    machine: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    def line(self) -> str:
        """Return the record as a line of JSON."""
        others = {
            name: value for name, value in vars(self).items() if name != "item" and value not in (None, "", (), {})
        }
        return json.dumps({**self.item._asdict(), **others}, separators=(",", ":")) + "\n"

    @classmethod
    def read(cls, line: str) -> "Record":
        """Return the record of a line.

        Raises:
            ValueError: The line is cut off or does not hold a record.
        """
        found = json.loads(line)
        try:
            rate = found.pop("learning_rate")
            task, architecture, arm = (found.pop(name) for name in ("task", "architecture", "arm"))
            item = Item(task, architecture, arm, None if rate is None else float(rate), int(found.pop("seed")))
            record = cls(item, **found)
            if not all(isinstance(text, str) for text in item[:3]) or not _has_types(record):
                raise TypeError("a field has another type")
        except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error
        return record

    def agrees_with(self, other: "Record") -> bool:
        """Return whether two records of one item hold the same result."""
        return all(
            _same(getattr(self, name), getattr(other, name)) for name in vars(self) if name not in ("times", *_VARY)
        )


@dataclass
class Results:
    """Records of a rank study, the last one of each item; a success counts more than a failure.

    Args:
        records: Records by item.
        differing: Pairs of successful records of one item that do not agree.
        unreadable: Numbers of the lines that cannot be read, from 1.
    """

    records: dict[Item, Record] = field(default_factory=dict)
    differing: list[tuple[Record, Record]] = field(default_factory=list)
    unreadable: list[int] = field(default_factory=list)

    def add(self, record: Record) -> None:
        """Add a record."""
        known = self.records.get(record.item)
        if known is None or known.error or not record.error:
            if known is not None and not known.error and not record.error:
                others = [other for first, other in self.differing if first.item == record.item]
                if not any(each.agrees_with(record) for each in (known, *others)):
                    self.differing.append((known, record))
                return
            self.records[record.item] = record

    def done(self, item: Item) -> Record | None:
        """Return the record of an item that has succeeded; None if there is none."""
        found = self.records.get(item)
        return None if found is None or found.error else found

    def has_ended(self, item: Item) -> bool:
        """Return whether an item has succeeded, or failed in a way that trying again cannot change."""
        found = self.records.get(item)
        return found is not None and (not found.error or found.error.startswith(DIVERGED))

    @property
    def failures(self) -> list[Record]:
        """Records of items that have only failed."""
        return [record for record in self.records.values() if record.error]

    def machines(self) -> list[Mapping[str, Any]]:
        """Return the machines that computed the results, each once."""
        found: dict[str, Mapping[str, Any]] = {}
        for record in self.records.values():
            found.setdefault(json.dumps(record.machine, sort_keys=True), record.machine)
        return list(found.values())

    def chosen(self, searched: Sequence[Item]) -> float | None:
        """Return the learning rate with the best validation accuracy, and among equals the smallest.

        Args:
            searched: Items that try the learning rates.

        Returns:
            The rate; None if an item has not ended, or all have diverged.
        """
        if not all(map(self.has_ended, searched)):
            return None
        scores = [
            (record.validation, -(item.learning_rate or 0))
            for item in searched
            if (record := self.done(item)) and record.validation is not None
        ]
        return -max(scores)[1] if scores else None

    def of_arm(self, arm: str) -> Iterator[Record]:
        """Yield the successful records of an arm."""
        return (record for item, record in self.records.items() if item.arm == arm and not record.error)


def read(folder: Path, say: Callable[[str], None]) -> Results:
    """Read the results in a folder; lines that cannot be read are reported and left out.

    Args:
        folder: Folder of a rank study.
        say: Function that shows a line of text to the user.

    Raises:
        UsageError: The file cannot be read at all.
    """
    found, path = Results(), folder / FILE
    if not path.is_file():
        return found
    try:
        lines = read_bounded(path, MAX_BYTES).decode(errors="replace").split("\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error}); make it readable, or use another --name") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.add(Record.read(line))
            except ValueError:
                found.unreadable.append(number)
    if found.unreadable:
        numbers = ", ".join(map(str, found.unreadable[:5])) + (" and more" if len(found.unreadable) > 5 else "")
        lines_are = "line" if len(found.unreadable) == 1 else "lines"
        say(
            f"{path}: {lines_are} {numbers} cannot be read, perhaps because a process was killed while it wrote; all "
            f"other {len(found.records)} results are kept, and what is missing is computed again"
        )
    return found


def append(folder: Path, records: Iterable[Record]) -> None:
    """Append records to the results in a folder."""
    path = folder / FILE
    text = "".join(record.line() for record in records)
    with path.open("ab+") as file:
        if file.tell():
            file.seek(-1, 2)
            if file.read(1) != b"\n":  # a process was killed while it wrote
                text = f"\n{text}"
        file.write(text.encode())


def number(value: float) -> float | None:
    """Return a value, or None if it is not finite, which JSON has no number for."""
    return float(value) if math.isfinite(value) else None


def _has_types(record: Record) -> bool:
    fractions = (record.validation, record.train, record.first_epoch)
    return (
        isinstance(record.predicted, list | tuple)
        and all(isinstance(index, int) for index in record.predicted)
        and all(value is None or (isinstance(value, int | float) and 0 <= value <= 1) for value in fractions)
        and all(isinstance(each, Mapping) for each in (record.values, record.reasons, record.times, record.machine))
        and isinstance(record.seconds, int | float)
        and isinstance(record.error, str)
    )


def _same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=1e-6)
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        return ours.keys() == theirs.keys() and all(_same(ours[name], theirs[name]) for name in ours)
    return list(ours) == list(theirs) if isinstance(ours, list | tuple) else bool(ours == theirs)
