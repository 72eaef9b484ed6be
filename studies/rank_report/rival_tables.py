"""Tables of other predictors of the trained rank, and of what each predictor costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

from ...proxies.batches import N_BATCHES, N_CLIPS
from ..rank_analysis.analysis import RankAnalysis
from .document import Heading, Part, Table, Text
from .study import RankStudy
from .words import UNKNOWN, count, estimate, interval, number, probability, several, signed

NAMES = {"n_parameters": "parameters", "n_features": "features", "flop": "FLOP", "one_epoch": "one epoch of training"}
NAMES |= {"family_mean": "mean of the family, trained"}


@dataclass(frozen=True)
class Budget:
    """What a predictor reads and computes, for one architecture and seed.

    Args:
        labels: Labels that it reads.
        forward: Clips that pass through the network.
        backward: Clips whose gradients are computed.
        seconds: Mean time in s; None if it is unknown or next to nothing.
    """

    labels: str
    forward: str
    backward: str
    seconds: float | None


def rivals(study: RankStudy, analysis: RankAnalysis) -> list[Part]:
    """Return the tables of the other predictors."""
    said = (
        "Each difference is paired in every draw and tested once, with p-values corrected together by Holm's method. "
        "An infinite value is ranked lowest."
    )
    parts: list[Part] = [rival_table(analysis), Text(said, "note")]
    lost = [f"{title(each.name)} ({each.n_not_finite})" for each in analysis.rivals if each.n_not_finite]
    if lost:
        parts.append(Text(f"Values that are not finite, over all tasks: {', '.join(lost)}.", "warning"))
    missing = [f"{title(each.name)} ({each.n_missing})" for each in analysis.rivals if each.n_missing]
    if missing:
        said = "Architectures without a value, over all tasks, which are left out of that comparison"
        parts.append(Text(f"{said}: {', '.join(missing)}.", "warning"))
    return [*parts, Heading("Budget"), budget_table(study), Text(_BUDGET, "note")]


_BUDGET = (
    "For one architecture, task and seed. u reads the labels of all training and validation clips, which most proxies "
    "do not; weigh its ρ against theirs with this table. Times are means over the results of this study, and "
    "comparable on one machine only."
)


def title(name: str) -> str:
    """Return the name of a predictor for readers."""
    return NAMES.get(name, name)


def rival_table(analysis: RankAnalysis) -> Table:
    """Return ρ of each predictor with the trained accuracy, and the difference of u from it."""
    tasks = [task.name for task in analysis.tasks]
    own = [number(task.correlations.rho.value) for task in analysis.tasks]
    rows = [["untrained accuracy (u)", estimate(analysis.pooled.rho), *own, "", "", "", ""]]
    for each in analysis.rivals:
        low, high = signed(each.difference.low), signed(each.difference.high)
        known = interval(each.difference) != UNKNOWN
        rows.append(
            [
                title(each.name),
                estimate(each.rho),
                *(number(each.by_task.get(task, float("nan"))) for task in tasks),
                signed(each.difference.value),
                f"[{low}, {high}]" if known else UNKNOWN,
                probability(each.p_corrected),
                str(each.n_not_finite),
            ]
        )
    header = ["predictor", "pooled ρ with y", *tasks, "u minus it", "95 % interval", "corrected p", "not finite"]
    return Table("Predictors of the trained accuracy.", header, rows)


def budget_table(study: RankStudy) -> Table:
    """Return what each predictor costs."""
    rows = []
    for name, budget in budgets(study).items():
        seconds = UNKNOWN if budget.seconds is None else number(budget.seconds, 3 if budget.seconds < 1 else 1)
        rows.append([title(name), budget.labels, budget.forward, budget.backward, seconds])
    header = ["predictor", "labels", "clips forward", "clips backward", "seconds"]
    return Table("What each predictor reads and computes.", header, rows)


def budgets(study: RankStudy) -> dict[str, Budget]:
    """Return the budget of each predictor by name, and that of the trained accuracy."""
    tasks = study.protocol["tasks"]
    learned = _range([task["n_train"] + task["n_validation"] for task in tasks])
    every = _range([task["n_train"] + task["n_validation"] + _n_scored(task) for task in tasks])
    train = _range([task["n_train"] for task in tasks])
    training = study.protocol["settings"]["training"]
    steps, batch = training.get("max_steps"), training.get("batch_size")
    passes = count(steps * batch) if steps and batch else UNKNOWN
    rates = training["learning_rate"]
    n_rates = len(rates) if isinstance(rates, list) else 1
    times, n_seeds = _times(study), len(study.protocol["settings"]["seeds"]["random"])
    batches, one = str(N_BATCHES * N_CLIPS), str(N_CLIPS)
    trained, epoch = _seconds(study, "trained"), None
    if trained is not None and steps and batch:
        epoch = trained * min(1.0, max(task["n_train"] for task in tasks) / (steps * batch))
    found = {
        "untrained accuracy (u)": Budget(learned, every, "0", _seconds(study, "random")),
        **{name: Budget("0", "0", "0", None) for name in ("n_features", "n_parameters", "flop")},
        "naswot": Budget("0", one, "0", times.get("naswot")),
        "synflow": Budget("0", "1 (ones)", "1 (ones)", times.get("synflow")),
        "jacob_cov": Budget("0", one, one, times.get("jacob_cov")),
        "zico": Budget(batches, batches, batches, times.get("zico")),
        "nngp": Budget(batches, f"{batches} x {several(n_seeds, 'seed')}", "0", times.get("nngp")),
        "one_epoch": Budget(learned, learned, train, epoch),
        "family_mean": Budget("all, by other networks", f"{passes} x other networks", "as forward", None),
        f"trained accuracy (y), each of {several(n_rates, 'rate')}": Budget(learned, passes, passes, trained),
    }
    used = {*study.protocol["settings"]["proxies"]}
    proxies = {"naswot", "synflow", "jacob_cov", "zico", "nngp"}
    return {name: budget for name, budget in found.items() if name not in proxies or name in used}


def _n_scored(task: Mapping[str, object]) -> int:
    test = task["test"]
    return len(test["ids"])  # type: ignore[index]


def _range(values: list[int]) -> str:
    low, high = min(values), max(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _seconds(study: RankStudy, arm: str) -> float | None:
    """Return the mean time of the items of an arm, in s."""
    found = [record.seconds for record in study.known.of_arm(arm) if record.seconds]
    return fmean(found) if found else None


def _times(study: RankStudy) -> dict[str, float]:
    """Return the mean time of each proxy, in s."""
    found: dict[str, list[float]] = {}
    for record in study.known.records.values():
        for name, seconds in record.times.items():
            if isinstance(seconds, int | float):
                found.setdefault(name, []).append(seconds)
    return {name: fmean(each) for name, each in found.items()}
