"""Items of a rank study: each is one score, and what is to be done depends on the scores so far."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

RANDOM, LINEAR, TRAINED = "random", "linear", "trained"
PROXIES, NNGP = "proxies", "nngp"
LAST_HEAD = "trained-last"
"""Arm that trains the head `last` instead of `linear`."""
SENSITIVITIES = ("raw", "mean_std", "last", "columns")
"""Changes of the embeddings of frozen frontends; each is an arm `random-NAME`."""
N_WITH_LAST_HEAD = 16  # number of architectures that are also trained with the head `last`


class Item(NamedTuple):
    """Key of a result.

    Args:
        task: Name of the data set.
        architecture: Name of the architecture.
        arm: What is scored: `random`, `linear`, `trained`, one of these with a change, such as `random-raw`, `proxies`
            or `nngp`.
        learning_rate: Learning rate; None where nothing is learned by gradients.
        seed: Seed.
    """

    task: str
    architecture: str
    arm: str
    learning_rate: float | None
    seed: int

    def __str__(self) -> str:
        rate = "" if self.learning_rate is None else f" at {self.learning_rate:g}"
        return f"{self.task} {self.architecture} {self.arm}{rate} seed {self.seed}"


@dataclass(frozen=True)
class Design:
    """Which items a rank study has.

    Args:
        tasks: Names of the data sets.
        architectures: Names of the architectures in order.
        random_seeds: Seeds of the frozen frontends.
        linear_seeds: Seeds of the trained heads on frozen frontends.
        trained_seeds: Seeds of the trained networks; the first one tries all learning rates.
        learning_rates: Learning rates to try.
        has_proxies: Whether proxies other than `nngp` are computed.
        has_nngp: Whether `nngp` is computed.
        has_last_head: Whether the first architectures are also trained with the head `last`.
    """

    tasks: Sequence[str]
    architectures: Sequence[str]
    random_seeds: Sequence[int]
    linear_seeds: Sequence[int]
    trained_seeds: Sequence[int]
    learning_rates: Sequence[float]
    has_proxies: bool = True
    has_nngp: bool = True
    has_last_head: bool = True

    def frozen(self, task: str, architecture: str) -> list[Item]:
        """Return the items without training; an item of the arm `random` stands for its sensitivities too."""
        found = [Item(task, architecture, RANDOM, None, seed) for seed in self.random_seeds]
        if self.has_proxies:
            found += [Item(task, architecture, PROXIES, None, seed) for seed in self.random_seeds]
        if self.has_nngp:
            found.append(Item(task, architecture, NNGP, None, self.random_seeds[0]))
        return found

    def searched(self, task: str, architecture: str) -> list[Item]:
        """Return the items that try the learning rates."""
        seed = self.trained_seeds[0]
        return [Item(task, architecture, TRAINED, rate, seed) for rate in self.learning_rates]

    def at_rate(self, task: str, architecture: str, rate: float) -> list[Item]:
        """Return the items at the learning rate that was chosen."""
        found = [Item(task, architecture, TRAINED, rate, seed) for seed in self.trained_seeds[1:]]
        found += [Item(task, architecture, LINEAR, rate, seed) for seed in self.linear_seeds]
        if self.has_last_head and architecture in self.architectures[:N_WITH_LAST_HEAD]:
            found.append(Item(task, architecture, LAST_HEAD, rate, self.trained_seeds[0]))
        return found

    def ready(self, chosen: Callable[[str, str], float | None]) -> Iterator[Item]:
        """Yield all items that can be carried out now, in order: the frozen ones, then each architecture's training.

        Args:
            chosen: Function that returns the learning rate that was chosen for a task and an architecture; None if it
                is not known yet.
        """
        for architecture in self.architectures:
            for task in self.tasks:
                yield from self.frozen(task, architecture)
        for architecture in self.architectures:
            for task in self.tasks:
                yield from self.searched(task, architecture)
                rate = chosen(task, architecture)
                if rate is not None:
                    yield from self.at_rate(task, architecture, rate)

    def count_of(self, architectures: Sequence[str]) -> int:
        """Return the number of items of some architectures."""
        rate = self.learning_rates[0]
        pairs = [(task, architecture) for architecture in architectures for task in self.tasks]
        return sum(len(self.frozen(*p)) + len(self.searched(*p)) + len(self.at_rate(*p, rate)) for p in pairs)
