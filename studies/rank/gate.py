"""Gate of a rank study: can its tasks tell architectures apart at all? It is answered before the protocol is frozen."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr

from ...errors import UsageError
from ...files import digest
from .architectures import gate_architectures
from .execute import Schedule, execute
from .items import Item
from .plan import RankPlan, plan_with
from .protocol import protocol_of
from .results import Results, read

FOLDER = "gate"
MIN_SPREAD = 0.15  # of accuracies of the best and the worst design
MAX_SIZE = 0.8  # of the rank correlation of accuracy with the number of parameters
MAX_AT_ENDS = 0.2  # share of designs whose best learning rate is the lowest or the highest


def gate_plan(plan: RankPlan) -> RankPlan:
    """Return the plan of the gate: other designs, which are trained with all learning rates and thrown away.

    Args:
        plan: Plan of the study.
    """
    made = plan_with(plan, gate_architectures(plan.config), plan.folder)
    names = [each.name for each in made.architectures]
    alone = replace(
        plan.design,
        architectures=names,
        random_seeds=(),
        linear_seeds=(),
        trained_seeds=plan.design.trained_seeds[:1],
        has_proxies=False,
        has_nngp=False,
        has_last_head=False,
    )
    # Results with another recipe, other clips or another grammar are others; another grid of rates only adds some.
    settings = {name: value for name, value in protocol_of(made).items() if name != "digest"}
    recipe = {**settings["settings"]["training"], "learning_rate": None}
    about = {**settings, "settings": {"training": recipe, "seeds": settings["settings"]["seeds"]}, "left_out": None}
    return replace(made, design=alone, folder=plan.folder / FOLDER / digest(about)[:16])


def pass_gate(
    plan: RankPlan, devices: Sequence[torch.device], say: Callable[[str], None], ends: float | None
) -> dict[str, Any] | None:
    """Train the designs of the gate, and return what they have shown.

    Args:
        plan: Plan of the study.
        devices: Devices to compute on.
        say: Function that shows a line of text to the user.
        ends: Reading of `time.monotonic` after which nothing new is started; None for no limit.

    Returns:
        Facts by task; None if the time was up before the gate had ended.

    Raises:
        UsageError: The study cannot tell architectures apart; the message says what to change.
    """
    of_gate = gate_plan(plan)
    known = read(of_gate.folder, say)
    schedule = Schedule(of_gate, known, lambda name: True, ends)
    n_done, total = schedule.count()
    if n_done < total:
        say(
            f"gate: {len(of_gate.architectures)} designs that are not part of the study; a machine that has passed it "
            f"spares others the gate, if its protocol.json is copied to {plan.folder}"
        )
        execute(of_gate, schedule, devices, say)
    if schedule.is_over and any(True for _ in schedule.waiting()):
        return None
    facts = {task: facts_of(task, of_gate, known) for task in of_gate.design.tasks}
    for task, found in facts.items():
        say(f"gate: {task}: {_described(found)}")
    problems = [f"{task}: {problem}" for task, found in facts.items() for problem in problems_of(found)]
    if problems:
        raise UsageError(
            f"the gate is not passed, so nothing is frozen: {'; '.join(problems)}. The results are in {of_gate.folder}"
        )
    return facts


def facts_of(task: str, plan: RankPlan, known: Results) -> dict[str, Any]:
    """Return what the designs of the gate show on a task.

    Args:
        task: Name of the task.
        plan: Plan of the gate.
        known: Its results.
    """
    rates = plan.design.learning_rates
    accuracies, sizes, at_ends = [], [], []
    for architecture in plan.architectures:
        searched = plan.design.searched(task, architecture.name)
        rate = known.chosen(searched)
        record = None if rate is None else known.done(Item(*searched[0][:3], rate, searched[0].seed))
        if record is None or record.validation is None or architecture.drawn is None:
            continue
        accuracies.append(record.validation)
        sizes.append(architecture.drawn.plan.n_parameters)
        at_ends.append(rate in (min(rates), max(rates)))
    can_rank = len(set(accuracies)) > 1
    return {
        "n": len(accuracies),
        "n_failed": len(plan.architectures) - len(accuracies),
        "spread": max(accuracies) - min(accuracies) if accuracies else 0.0,
        "correlation_with_parameters": float(spearmanr(sizes, accuracies).statistic) if can_rank else None,
        "share_at_ends": None if len(rates) < 3 else float(np.mean(at_ends)),
    }


def problems_of(facts: Mapping[str, Any]) -> list[str]:
    """Return the reasons why a task does not pass the gate, with what to change.

    Args:
        facts: What `facts_of` returns.
    """
    found = []
    size, at_ends = facts["correlation_with_parameters"], facts["share_at_ends"]
    if facts["spread"] < MIN_SPREAD:
        found.append(
            f"accuracies spread over {100 * facts['spread']:.1f} points, expected {100 * MIN_SPREAD:.0f} or more; give "
            "more training clips or steps, or widen the grammar"
        )
    if size is not None and abs(size) >= MAX_SIZE:
        found.append(
            f"accuracy follows the number of parameters (correlation {size:.2f}, expected below {MAX_SIZE}); widen the "
            "grammar"
        )
    if at_ends is not None and at_ends > MAX_AT_ENDS:
        found.append(
            f"the best learning rate is an end of the grid for {100 * at_ends:.0f} % of the designs, expected "
            f"{100 * MAX_AT_ENDS:.0f} % or less; widen training.learning_rate"
        )
    return found


def _described(facts: Mapping[str, Any]) -> str:
    size, at_ends = facts["correlation_with_parameters"], facts["share_at_ends"]
    parts = [f"accuracies spread over {100 * facts['spread']:.1f} points"]
    parts += [] if size is None else [f"correlation with the number of parameters {size:.2f}"]
    parts += [] if at_ends is None else [f"best rate at an end of the grid {100 * at_ends:.0f} %"]
    parts += [f"{facts['n_failed']} designs failed"] if facts["n_failed"] else []
    return ", ".join(parts)
