"""What a rank study says, in a sentence, with what the sentence rests on and what limits it."""

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np

from ..rank_analysis.analysis import Condition, RankAnalysis, Verdict
from ..rank_analysis.ranks import spearman
from .document import Part, Table, Text
from .study import RankStudy, n_rates
from .words import UNKNOWN, count, estimate, interval, listed, number, percent, several

QUESTION = "the rank of untrained architectures predicts their rank after training"
_CONDITIONS = {
    "headline": "Rank without training predicts rank with it (ρ)",
    "within family": "It does so within families (ρ of ranks centred in each family)",
    "partial, given size": "It does so given parameters, FLOP and features (partial ρ)",
    "more than the better of parameters and FLOP": "It predicts more than parameters or FLOP (ρ minus the better)",
}


def answer(study: RankStudy) -> list[Part]:
    """Return the verdict, the conditions it rests on, and its limits."""
    parts: list[Part] = [Text(headline(study), "headline"), Text(basis(study))]
    parts += [Text(text, "warning") for text in limits(study)]
    if study.analysis is not None:
        parts.append(condition_table(study.analysis.verdict))
        parts.append(Text(rule(study), "note"))
    return parts


def headline(study: RankStudy) -> str:
    """Return the verdict as a sentence, with the headline ρ and its interval, and the progress if it is unfinished."""
    if study.analysis is None:
        return f"Nothing is scored yet, so this study cannot say whether {QUESTION}."
    said = _said(study, study.analysis)
    done, total = study.progress()
    return said if done >= total else f"So far ({done:,} of {total:,} items): {said[0].lower()}{said[1:]}"


def _said(study: RankStudy, analysis: RankAnalysis) -> str:
    verdict, rho = analysis.verdict, analysis.pooled.rho
    found = f"ρ = {estimate(rho)}" if isfinite(rho.value) else "ρ cannot be estimated"
    if verdict.too_small:
        return f"Too small to say whether {QUESTION}: {verdict.too_small}; {found}."
    on = _on_tasks(study)
    said = {
        "predicts, beyond size": f"On {on}, {QUESTION}, within families and beyond their size: {found}.",
        "predicts": f"On {on}, {QUESTION}, also within families: {found}. That it says more than size is not shown.",
        "between families only": f"On {on}, the untrained rank predicts the trained rank overall: {found}. That it "
        "does so within families is not shown.",
    }
    limit = verdict.conditions[0].limit
    why = f", and the lower end of its interval is not above {limit:g}" if isfinite(rho.low) else ""
    return said.get(verdict.text, f"Not shown: {found}{why}, so this study does not establish that {QUESTION}.")


def basis(study: RankStudy) -> str:
    """Return what the verdict is drawn from: architectures, tasks, and the digest of the protocol."""
    sizes = ", ".join(f"{study.scored(task)} on {task}" for task in study.tasks)
    return (
        f"Of {study.size()}, these have both scores: {sizes}. The protocol {study.digest} was frozen "
        "before the first training."
    )


def limits(study: RankStudy) -> Iterator[str]:
    """Yield sentences that limit the verdict."""
    done, total = study.progress()
    if done < total:
        yield f"Unfinished: {done:,} of {total:,} items are done, so every number may still change."
    if study.known.failures:
        yield f"{several(len(study.known.failures), 'item')} failed; see State of the study."
    yield from _of_range(study.protocol["architectures"])
    for name, reason in study.protocol["left_out"].items():
        yield f"The task {name} was left out of the protocol: {reason}."
    if study.analysis is not None:
        yield from _of_analysis(study, study.analysis)
    if study.known.differing:
        n = len(study.known.differing)
        yield f"{several(n, 'item')} {'has' if n == 1 else 'have'} two results that differ; see State of the study."
    versions = sorted({str(machine["torch"]) for machine in study.known.machines() if "torch" in machine})
    if len(versions) > 1:
        which = ", ".join(versions)
        yield f"The results come from several versions of torch ({which}); accuracies may differ slightly."


def _of_range(architectures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the range of sizes, which the limits of the drawn designs restrict."""
    rows = [row for row in architectures if not row["apart"]]
    if not rows:
        return
    flop, parameters, depth = ([float(row[name]) for row in rows] for name in ("flop", "n_parameters", "depth"))
    rho = abs(spearman(np.log10(np.maximum(parameters, 1.0)), np.array(depth)))
    yield (
        f"The range of sizes is restricted to {number(min(flop) / 1e6, 1)} to {number(max(flop) / 1e6, 1)} MFLOP and "
        f"{count(min(parameters))} to {count(max(parameters))} parameters, which weakens these two as rivals."
        + (f" |ρ| of log10 of parameters and depth is {number(rho)}." if isfinite(rho) else "")
    )


def _of_analysis(study: RankStudy, analysis: RankAnalysis) -> Iterator[str]:
    unknown = [task.name for task in analysis.tasks if not isfinite(task.correlations.rho.value)]
    if unknown and len(unknown) < len(analysis.tasks):
        yield f"ρ cannot be estimated on {', '.join(unknown)}, which the pooled ρ leaves out."
    shared = [task for task in analysis.tasks if task.cross_fitted is not None]
    if shared:
        plain = "; ".join(
            f"{task.name}: {number(task.cross_fitted.rho)}, and {number(task.cross_fitted.plain)} without cross-fitting"
            for task in shared
            if task.cross_fitted is not None
        )
        yield (
            "Untrained and trained accuracy are measured on the same clips, whose luck they share. The verdict "
            f"therefore uses the cross-fitted ρ, which takes each from another half of the clips ({plain})."
        )
    for task in analysis.tasks:
        if task.flags.many_not_trained:
            n = len(task.flags.not_trained)
            yield (
                f"{n} of {several(task.n, 'network')} did not train on {task.name}; there, the rank after training "
                "says as much about the training recipe as about the architectures."
            )
        if task.flags.many_at_grid_end and n_rates(study) > 2:
            share = percent(task.flags.share_at_grid_end, 0)
            yield f"On {task.name}, {share} % of the chosen learning rates are an end of the grid, which is too narrow."


def condition_table(verdict: Verdict) -> Table:
    """Return the conditions of the verdict: estimate, interval, limit, and whether each holds."""
    rows = [
        [
            _CONDITIONS.get(condition.name, condition.name),
            number(condition.statistic.value),
            interval(condition.statistic),
            f"> {condition.limit:g}",
            holds(condition),
        ]
        for condition in verdict.conditions
    ]
    caption = "What the verdict rests on. A condition holds if the lower end of its 95 % interval is above the limit."
    return Table(caption, ["condition", "estimate", "95 % interval", "limit", "holds"], rows)


def holds(condition: Condition) -> str:
    """Return whether a condition holds, in a word."""
    if not isfinite(condition.statistic.low):
        return UNKNOWN
    return "yes" if condition.holds else "no"


def rule(study: RankStudy) -> str:
    """Return the rule of the verdict, which was frozen with the protocol."""
    found = study.analysis.verdict.text if study.analysis else "not shown"
    text = f"The rule, frozen with the protocol: {'; '.join(study.protocol['rules']['verdict'])}. By it: {found}."
    if study.analysis and study.analysis.verdict.too_small:
        text += " In a study that is too small, this is no evidence for or against."
    return text


def terminal_lines(study: RankStudy) -> Iterator[str]:
    """Yield the report in short, verdict first."""
    yield headline(study)
    yield basis(study)
    if study.analysis is not None:
        known = [each for each in study.analysis.verdict.conditions if isfinite(each.statistic.value)]
        for condition in known:
            limit = f"lower end > {condition.limit:g}: {holds(condition)}"
            yield f"  {condition.name}: {estimate(condition.statistic)} ({limit})"
        best = [r for r in study.analysis.rivals if isfinite(r.rho.value)]
        if best:
            rival = max(best, key=lambda each: each.rho.value)
            yield f"  best other predictor: {rival.name}, {estimate(rival.rho)}"
        for regret in study.analysis.decisions.regrets:
            if isfinite(regret.points):
                which = f"best {regret.k} of {regret.n_candidates} untrained networks"
                yield f"  regret, if only the {which} are trained: {number(regret.points, 1)} points"
    yield from limits(study)


def _on_tasks(study: RankStudy) -> str:
    names = study.tasks
    return names[0] if len(names) == 1 else f"these {len(names)} tasks ({listed(names)})"
