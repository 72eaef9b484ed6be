"""The whole analysis of a rank study."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from math import isfinite
from typing import Any

import numpy as np

from .analysis import RankAnalysis, TaskAnalysis
from .compared import Task, prepare
from .contrast import contrast
from .correlations import correlations, measure, rho_apart
from .data import LINEAR, RANDOM, TRAINED, RankData
from .decisions import decisions_of, mean_decisions
from .draws import N_DRAWS
from .pairs import agreement, significant_pairs
from .reliability import attenuation, ceiling, reliability
from .rivals import compare_rivals, more_than_size
from .sensitivities import flags, sensitivities
from .statistics import Scores
from .verdict import verdict


def analyse(data: RankData, *, n_draws: int = N_DRAWS, seed: int = 0) -> RankAnalysis:
    """Analyse the results of a rank study: does untrained accuracy predict trained accuracy?

    Args:
        data: Results of the study.
        n_draws: Number of draws of the intervals, and of permutations.
        seed: Seed of all draws; the same seed gives the same analysis.
    """
    tasks = prepare(data, n_draws, seed)
    streams = np.random.default_rng([seed, 2]).spawn(len(tasks))
    measures = measure(tasks)
    reliabilities, ceilings = [], []
    for task, rng in zip(tasks, streams, strict=True):
        untrained, _ = reliability(task, RANDOM, rng)
        trained, one_seed = reliability(task, TRAINED, rng)
        reliabilities.append((untrained, trained))
        ceilings.append(ceiling(untrained, trained, one_seed))
    of_tasks, pooled = correlations(tasks, measures, ceilings)
    found = []
    for task, rng, of_task, (untrained, trained) in zip(tasks, streams, of_tasks, reliabilities, strict=True):
        found.append(
            TaskAnalysis(
                name=task.task.name,
                n=task.n,
                left_out=_left_out(task),
                scores=scores_of(task),
                correlations=of_task,
                rho_apart=rho_apart(task),
                untrained_reliability=untrained,
                trained_reliability=trained,
                cross_fitted=task.cross_fitted(),
                attenuation=attenuation(task, of_task.rho.value, untrained, trained, rng),
                significant_pairs=significant_pairs(task),
                decisions=decisions_of(task, rng),
                flags=flags(task),
            )
        )
    unknown = [one.name for one in found if not isfinite(one.correlations.rho.value)]
    return RankAnalysis(
        verdict=verdict(pooled, more_than_size(tasks, measures["rho"]), [task.n for task in tasks], unknown),
        pooled=pooled,
        tasks=found,
        contrast=contrast(tasks, measures["rho"]),
        rivals=compare_rivals(tasks, measures["rho"]),
        agreement=agreement(tasks),
        sensitivities=sensitivities(tasks),
        decisions=mean_decisions([one.decisions for one in found]),
        architectures=list(data.architectures),
        families=list(data.families),
        apart=np.asarray(data.apart, bool),
        n_draws=n_draws,
        seed=seed,
    )


def _left_out(task: Task) -> list[str]:
    is_out = ~task.is_in & ~np.asarray(task.data.apart, bool)
    return [name for name, one in zip(task.data.architectures, is_out, strict=True) if one]


def scores_of(task: Task) -> Scores:
    """Return the accuracies of all architectures on a task, with standard errors from the draws of seeds and clips."""
    unknown = np.full(len(task.is_in), np.nan)
    return Scores(
        untrained=task.values(RANDOM),
        trained=task.values(TRAINED),
        linear=task.values(LINEAR) if LINEAR in task.arms else unknown,
        untrained_error=task.noise[RANDOM].std(axis=0, ddof=1),
        trained_error=task.noise[TRAINED].std(axis=0, ddof=1),
    )


def as_json(analysis: Any) -> Any:
    """Return an analysis, or a part of it, as dictionaries, lists, strings and numbers, with NaN and infinity as None.

    Properties that are computed, such as whether a condition holds, are included.
    """
    if is_dataclass(analysis):
        names = [one.name for one in fields(analysis)]
        names += [name for name, one in vars(type(analysis)).items() if isinstance(one, property)]
        return {name: as_json(getattr(analysis, name)) for name in names}
    if isinstance(analysis, Mapping):
        return {str(name): as_json(value) for name, value in analysis.items()}
    if isinstance(analysis, np.ndarray):
        return as_json(analysis.tolist())
    if isinstance(analysis, list | tuple):
        return [as_json(value) for value in analysis]
    if isinstance(analysis, np.generic):
        return as_json(analysis.item())
    if isinstance(analysis, float):
        return float(analysis) if isfinite(analysis) else None
    return analysis
