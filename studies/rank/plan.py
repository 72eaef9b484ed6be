"""Plan of a rank study: its plug-ins, its frozen protocol, and the job of each item."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from jsonargparse import Namespace

from ...datamodules import AudioDataModule
from ...datamodules.classes import classes_learned
from ...errors import PluginError, UsageError
from ...frontends import Frontend
from ...frontends.weights import undrawn
from ...proxies import Proxy
from ...registry import PROXIES
from ...training.module import EndToEnd
from ...training.parts import parts_of
from ..arms import RECIPE, job_of, recipe_problems, with_batches
from ..plugins import Part, make_plugins
from ..problems import Problem, attempt, refuse
from .architectures import Architecture, architectures_of, columns_of, within_limits
from .frozen_scores import FrozenJob
from .items import LAST_HEAD, LINEAR, N_WITH_LAST_HEAD, NNGP, RANDOM, Design, Item
from .items import PROXIES as PROXY_ARM
from .machine import describe_machine
from .parser import as_comparison
from .problems import config_problems, missing_values
from .proxy_scores import ProxyJob
from .trained_scores import TrainedJob

AnyJob = FrozenJob | ProxyJob | TrainedJob
SPLITS = "clips with train, validation and test splits"
WORK = "unfinished"
"""Folder, in that of the study, of trainings that have not ended."""


@dataclass(frozen=True)
class RankPlan:
    """Rank study, with everything that carries it out.

    Args:
        folder: Folder of the study.
        config: Rank study, as its parser returns it.
        comparison: Study of `compare` with the same plug-ins.
        data: Tasks.
        frontends: Frontends by seed, in the order of the architectures.
        architectures: Architectures.
        design: Items.
        proxies: Proxies to compute.
        backend: Backend on frozen frontends.
        notes: Messages for the user.
        machine: Description of the machine, which records hold.
    """

    folder: Path
    config: Namespace
    comparison: Namespace
    data: Sequence[Part[AudioDataModule]]
    frontends: Mapping[int, Sequence[Part[Frontend]]]
    architectures: Sequence[Architecture]
    design: Design
    proxies: Sequence[Proxy]
    backend: Any
    notes: Sequence[str]
    machine: dict[str, Any]

    @property
    def stores(self) -> Path:
        """Folder with the cache of waveforms."""
        return Path(self.config.embeddings or self.folder.parent / "embeddings")

    @cached_property
    def tested(self) -> dict[str, list[str]]:
        """Ids of the test clips of each task."""
        return {part.name: [clip.id for clip in part.made.listed if clip.split == "test"] for part in self.data}

    @cached_property
    def names(self) -> dict[str, list[str]]:
        """Names of the classes of each task."""
        return {part.name: classes_learned(part.made.listed) for part in self.data}

    def frontend(self, item: Item, seed: int | None = None) -> Part[Frontend]:
        """Return the frontend of an item, by default with its seed."""
        index = self.architecture_names.index(item.architecture)
        return self.frontends[item.seed if seed is None else seed][index]

    @cached_property
    def architecture_names(self) -> list[str]:
        """Names of all architectures."""
        return [each.name for each in self.architectures]

    def columns(self) -> list[dict[str, Any]]:
        """Return properties of each architecture, for the clips of the first task."""
        first, rows = self.data[0].made, []
        for architecture, part in zip(self.architectures, self.frontends[self.design.random_seeds[0]], strict=True):
            rows.append(columns_of(architecture, part.made, first.samples_at(part.made.sample_rate)))
        return rows

    def job(self, item: Item) -> AnyJob:
        """Return the job of an item."""
        data = next(part for part in self.data if part.name == item.task)
        common: dict[str, Any] = {"stores": self.stores, "machine": self.machine, "datamodule": data.made}
        if item.arm == RANDOM:
            changes, tested = self.config.sensitivities, self.tested[item.task]
            made = self.frontend(item).made
            names = self.names[item.task]
            return FrozenJob(item, made, self.backend, tested=tested, names=names, changes=changes, **common)
        if item.arm == PROXY_ARM:
            return ProxyJob(item, [self.frontend(item).made], self.proxies, **common)
        if item.arm == NNGP:
            every = [self.frontend(item, seed).made for seed in self.design.random_seeds]
            return ProxyJob(item, every, [], **common)
        return TrainedJob(item, self._training(item, data), self.tested[item.task], self.names[item.task], self.machine)

    def _training(self, item: Item, data: Part[AudioDataModule]) -> Any:
        part, recipe = self.frontend(item), self.config.training
        head = "last" if item.arm == LAST_HEAD else recipe.head
        config = copy.copy(self.comparison)
        config.training = recipe.clone()
        config.training.head, config.training.learning_rate = head, item.learning_rate
        arguments = {name: config.training[name] for name in RECIPE}
        with undrawn():
            module = EndToEnd(part.made, **arguments, head_only=item.arm == LINEAR)
        job = job_of(module, part, with_batches(data, recipe.batch_size), config, self.folder / WORK)
        is_first = item.seed == self.design.trained_seeds[0] and item.learning_rate == self.config.common_rate
        return replace(job, scores_first_epoch=is_first and item.arm not in (LINEAR, LAST_HEAD), stores=self.stores)


def plan(config: Namespace, root: Path, device: torch.device) -> RankPlan:
    """Return the plan of a rank study; nothing is computed.

    Args:
        config: Rank study, as its parser returns it.
        root: Folder of all runs.
        device: Device to compute on.

    Raises:
        UsageError: The study has problems; the message lists all of them with their locations in the study.
    """
    refuse(missing_values(config))  # nothing else can be read without them
    problems = config_problems(config)
    proxies, more = _proxies(config.proxies)
    problems += more
    architectures: list[Architecture] = []
    notes: list[str] = []
    if not any(problem.place.startswith(("designs", "gate")) for problem in problems):
        architectures, more, notes = architectures_of(config)
        problems += more
    refuse(problems)
    return _planned(config, architectures, root / config.name, proxies, notes, device)


def plan_with(plan: RankPlan, architectures: Sequence[Architecture], folder: Path) -> RankPlan:
    """Return a plan with other architectures in another folder.

    Args:
        plan: Plan of a study.
        architectures: Architectures of the other plan.
        folder: Its folder.
    """
    found = _planned(plan.config, architectures, folder, plan.proxies, [], torch.device("cpu"))
    stores = plan.config.clone()
    stores.embeddings = str(plan.stores)
    return replace(found, config=stores, machine=plan.machine)


def _planned(
    config: Namespace,
    architectures: Sequence[Architecture],
    folder: Path,
    proxies: Sequence[Proxy],
    notes: Sequence[str],
    device: torch.device,
) -> RankPlan:
    comparison, data, architectures = _data(config, architectures)
    skipped: dict[str, None] = {}
    with undrawn():
        _, seeded, problems = make_plugins(comparison, skipped)
    problems = [_placed(problem, architectures) for problem in problems]
    refuse(problems)
    frontends = {seed: parts.frontends for seed, parts in zip(comparison.seeds, seeded, strict=True)}
    trained = frontends[config.seeds.trained[0]]
    for index, (architecture, part) in enumerate(zip(architectures, trained, strict=True)):
        has_last_head = config.last_head and index < N_WITH_LAST_HEAD
        outcome = attempt(architecture.place, _trainable, part.made, config, has_last_head)
        problems += [outcome] if isinstance(outcome, Problem) else []
    refuse(problems)
    first = config.first or len(architectures)
    design = Design(
        tasks=[part.name for part in data],
        architectures=[each.name for each in architectures][:first],
        random_seeds=config.seeds.random,
        linear_seeds=config.seeds.linear,
        trained_seeds=config.seeds.trained,
        learning_rates=comparison.training.learning_rate,
        has_proxies=bool(proxies),
        has_nngp=NNGP in config.proxies,
        has_last_head=config.last_head,
    )
    machine, backend = describe_machine(device), seeded[0].backends[0].made
    return RankPlan(
        folder, config, comparison, data, frontends, architectures, design, proxies, backend, notes, machine
    )


def _data(
    config: Namespace, architectures: Sequence[Architecture]
) -> tuple[Namespace, list[Part[AudioDataModule]], list[Architecture]]:
    """Return the study of `compare` with its tasks, and the architectures that do not need too many operations."""
    comparison = as_comparison(config, [_plain(architectures[0].entry)])
    comparison.model.weights = ["random", "trained"]
    problems = recipe_problems(comparison)
    comparison.model.weights = ["random"]
    first = comparison.clone()
    first.seeds = config.seeds.random[:1]
    with undrawn():
        data, _, more = make_plugins(first, {})
    problems += [each for each in more if each.place.startswith(("datamodules", "roots", "backends"))]
    for part in data:
        outcome = attempt(f"the data set {part.name}", _refuse_too_few, part.made)
        problems += [outcome] if isinstance(outcome, Problem) else []
    problems = list(map(_about_splits, problems))
    refuse(problems)
    rate = 12_000  # sample rate of all drawn designs
    longest = max(part.made.samples_at(rate) for part in data) if data else 0
    kept = within_limits(architectures, longest, config)
    if not kept:
        text = "no drawn design is within designs.max_flop and designs.max_per_family; raise them"
        refuse([Problem("designs", text)])
    full = as_comparison(config, [_plain(each.entry) for each in kept])
    rates = full.training.learning_rate
    full.training.learning_rate = [float(each) for each in (rates if isinstance(rates, list) else [rates])]
    return full, list(data), kept


def _refuse_too_few(datamodule: AudioDataModule) -> None:
    """Raise if a data set has no clips to train or to validate on, or more test sets than two."""
    sets = sorted({clip.metadata.get("test_set", 0) for clip in datamodule.listed if clip.split == "test"})
    if len(sets) > 2:
        raise UsageError(f"it has {len(sets)} test sets; expected one, or one for each of the two main arms")
    parts_of(datamodule.listed, datamodule.seed)


def _about_splits(problem: Problem) -> Problem:
    """Return a problem of a data set with folds in terms of this command, which has no other protocol."""
    if "needs train and test splits" not in problem.text:
        return problem
    return problem._replace(text=f"rank needs {SPLITS}, which folds do not replace; give the data a split")


def _trainable(frontend: Frontend, config: Namespace, has_last_head: bool) -> None:
    """Raise if a frontend cannot be trained, or not with the head `last`."""
    arguments = {name: config.training[name] for name in RECIPE}
    with undrawn():
        EndToEnd(frontend, **arguments)
        if has_last_head:
            EndToEnd(frontend, **{**arguments, "head": "last"})


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in entry.items()}


def _placed(problem: Problem, architectures: Sequence[Architecture]) -> Problem:
    """Return a problem of an entry of all frontends with its location in the rank study."""
    head, bracket, rest = problem.place.partition("frontends[")
    if head or not bracket:
        return problem
    index, _, rest = rest.partition("]")
    return problem._replace(place=f"{architectures[int(index)].place}{rest}")


def _proxies(names: Sequence[str]) -> tuple[list[Proxy], list[Problem]]:
    found: list[Proxy] = []
    problems: list[Problem] = []
    for index, name in enumerate(names):
        if name == NNGP:
            continue
        try:
            found.append(PROXIES.get(name)())
        except (PluginError, TypeError) as error:
            problems.append(Problem(f"proxies[{index}]", str(error)))
    return found, problems
