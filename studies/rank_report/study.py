"""Rank study as its report reads it: protocol, results and analysis, of any completeness."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..rank.items import NNGP, Design, Item
from ..rank.load import load
from ..rank.results import Results
from ..rank_analysis.analyse import analyse
from ..rank_analysis.analysis import RankAnalysis
from ..rank_analysis.data import RankData
from .words import noise_of, several


@dataclass(frozen=True)
class RankStudy:
    """A rank study.

    Args:
        name: Name of its folder.
        protocol: Frozen protocol.
        known: Results so far.
        data: Results as arrays; None if there are none.
        analysis: What they say; None if there are none.
    """

    name: str
    protocol: Mapping[str, Any]
    known: Results
    data: RankData | None
    analysis: RankAnalysis | None

    @property
    def digest(self) -> str:
        """Digest of the frozen protocol."""
        return str(self.protocol["digest"])

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks."""
        return [task["name"] for task in self.protocol["tasks"]]

    @property
    def architectures(self) -> list[str]:
        """Names of all architectures of the protocol, those reported apart included."""
        return [row["name"] for row in self.protocol["architectures"]]

    @property
    def shared(self) -> list[str]:
        """Names of the tasks in which untrained and trained accuracy share their clips."""
        return [task["name"] for task in self.protocol["tasks"] if not task["test"]["sets"]]

    def size(self) -> str:
        """Return the number of architectures in the statistics, and of those reported apart, as text."""
        n_apart = sum(bool(row["apart"]) for row in self.protocol["architectures"])
        n = several(len(self.architectures) - n_apart, "architecture")
        return f"{n} and {n_apart} reported apart" if n_apart else n

    def errors(self) -> str:
        """Return what the standard errors of both accuracies cover, as sentences."""
        u, y = (len(self.protocol["settings"]["seeds"][arm]) for arm in ("random", "trained"))
        text = f"Errors are {noise_of(u)} of u, and {noise_of(y)} of y."
        return (
            f"{text} With S seeds, their part of the variance is too small by the factor (S - 1)/S."
            if max(u, y) > 1
            else text
        )

    def scored(self, task: str) -> int:
        """Return the number of architectures in the statistics of a task."""
        found = self.analysis.tasks if self.analysis else []
        return next((each.n for each in found if each.name == task), 0)

    def items(self) -> list[Item]:
        """Return all items of the protocol, each once; the learning rate of items that depend on its choice is 0."""
        design = design_of(self.protocol)
        found = []
        for architecture in design.architectures:
            for task in design.tasks:
                found += design.frozen(task, architecture) + design.searched(task, architecture)
                found += design.at_rate(task, architecture, 0.0)
        return found

    def progress(self) -> tuple[int, int]:
        """Return the number of items that are done, and of all."""
        done, total = self.counts()
        return sum(done.values()), sum(total.values())

    def counts(self) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
        """Return the number of items that are done, and of all, by task and arm."""
        total = Counter((item.task, item.arm) for item in self.items())
        names = set(self.architectures)
        records = self.known.records.values()
        found = Counter((r.item.task, r.item.arm) for r in records if not r.error and r.item.architecture in names)
        return Counter({key: min(found[key], n) for key, n in total.items()}), total


def examine(folder: Path, frozen: Mapping[str, Any], known: Results) -> RankStudy:
    """Return a rank study with the analysis of its results.

    Args:
        folder: Folder of the study.
        frozen: Its frozen protocol.
        known: Its results.
    """
    names = {row["name"] for row in frozen["architectures"]}
    name = folder.resolve().name
    if not any(item.architecture in names for item in known.records):
        return RankStudy(name, frozen, known, None, None)
    data = load(frozen, known)
    return RankStudy(name, frozen, known, data, analyse(data, n_draws=frozen["rules"]["n_draws"]))


def design_of(frozen: Mapping[str, Any]) -> Design:
    """Return which items a study has, from its frozen protocol."""
    settings = frozen["settings"]
    rates: float | Sequence[float] = settings["training"]["learning_rate"]
    return Design(
        tasks=[task["name"] for task in frozen["tasks"]],
        architectures=[row["name"] for row in frozen["architectures"]],
        random_seeds=settings["seeds"]["random"],
        linear_seeds=settings["seeds"]["linear"],
        trained_seeds=settings["seeds"]["trained"],
        learning_rates=[rates] if isinstance(rates, int | float) else rates,
        has_proxies=any(name != NNGP for name in settings["proxies"]),
        has_nngp=NNGP in settings["proxies"],
        has_last_head=settings["last_head"],
    )


def n_rates(study: RankStudy) -> int:
    """Return the number of learning rates that are tried."""
    return len(design_of(study.protocol).learning_rates)
