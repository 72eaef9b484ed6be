"""Tables of the correlations of a rank study: by task and pooled, within families, and between tasks."""

from collections.abc import Callable, Sequence
from math import nan

from ..rank_analysis.analysis import RankAnalysis, TaskAnalysis
from ..rank_analysis.statistics import Ceiling, Correlations, Reliability, Statistic
from .document import Heading, Part, Table, Text
from .words import CHANGES, UNKNOWN, as_p, estimate, listed, number, percent, probability, signed


def correlations(analysis: RankAnalysis) -> list[Part]:
    """Return the tables of correlations."""
    plain = "Kendall's τ-b, τ over pairs that differ beyond chance, and ρ of the frontends reported apart are"
    parts: list[Part] = [main_table(analysis), *not_cross_fitted(analysis, plain), noise_table(analysis)]
    said = (
        "Seeds, clips, both: over what a replicate would differ. The ceiling is the highest expected ρ of a predictor "
        "as noisy as u with y, sqrt(rel_u rel_y); without noise in the predictor it is sqrt(rel_y). Retest is the "
        f"expected ρ of two trainings with one seed each. {UNKNOWN} over seeds: not estimable with one seed."
    )
    parts.append(Text(said, "note"))
    parts += [Heading("By input and family"), subset_table(analysis)]
    parts += [Heading("Tasks compared"), contrast_table(analysis), Text(specificity(analysis))]
    return parts


def not_cross_fitted(analysis: RankAnalysis, which: str) -> list[Part]:
    """Return which numbers are inflated by shared clips, if there are any.

    Args:
        analysis: What a study says.
        which: The numbers and "is" or "are", as the beginning of a sentence.
    """
    said = f"{which} not cross-fitted on {listed(shared(analysis))}, and may be too high by shared clips."
    return [Text(said, "note")] if shared(analysis) else []


def shared(analysis: RankAnalysis) -> list[str]:
    """Return the names of the tasks on which untrained and trained accuracy share their clips."""
    return [task.name for task in analysis.tasks if task.cross_fitted is not None]


def sensitivities(analysis: RankAnalysis) -> list[Part]:
    """Return the table of sensitivities, and what to know about it."""
    return [
        sensitivity_table(analysis),
        *not_cross_fitted(analysis, "Both ρ of each row, and so their difference, are"),
    ]


def columns(analysis: RankAnalysis) -> tuple[list[str], list[Correlations]]:
    """Return the names of the tasks and `pooled`, with their correlations."""
    names = [*(task.name for task in analysis.tasks), "pooled"]
    return names, [*(task.correlations for task in analysis.tasks), analysis.pooled]


def main_table(analysis: RankAnalysis) -> Table:
    """Return the correlations of untrained and trained accuracy."""
    names, found = columns(analysis)
    rows = [
        ["architectures", *(str(task.n) for task in analysis.tasks), ""],
        ["ρ(u, y)", *(estimate(each.rho) for each in found)],
        ["p, permuting y", *(probability(each.rho.p) for each in found)],
        ["closed-form interval", *(estimate(each.closed_form) for each in found)],
        ["Kendall's τ-b", *(number(each.tau) for each in found)],
        ["within families", *(estimate(each.within_family) for each in found)],
        ["partial, given size", *(estimate(each.partial.rho) for each in found)],
        ["partial, given size and family", *(estimate(each.partial.rho_in_families) for each in found)],
        ["gain in R² from u, after size", *(number(each.partial.gain) for each in found)],
        ["ρ(u_linear, y)", *(estimate(each.linear_trained) for each in found)],
        ["ρ(u, u_linear)", *(estimate(each.untrained_linear) for each in found)],
        _of_tasks("τ over pairs that differ beyond chance", analysis, lambda t: number(t.significant_pairs.tau)),
        _of_tasks("share of such pairs, %", analysis, lambda t: percent(t.significant_pairs.share, 0)),
        _of_tasks("ρ corrected for noise (description only)", analysis, _corrected),
        _of_tasks("ρ of the frontends reported apart", analysis, lambda t: number(t.rho_apart)),
    ]
    if any(task.cross_fitted for task in analysis.tasks):
        rows.insert(
            2,
            _of_tasks(
                "ρ without cross-fitting (inflated by shared clips)",
                analysis,
                lambda t: number(t.cross_fitted.plain) if t.cross_fitted else UNKNOWN,
            ),
        )
    caption = "Spearman's ρ of untrained (u) and trained (y) accuracy, with 95 % intervals; pooled by Fisher's z."
    return Table(caption, ["statistic", *names], rows)


def _corrected(task: TaskAnalysis) -> str:
    text = estimate(task.attenuation.rho)
    return f"{text} (unstable)" if task.attenuation.unstable and text != UNKNOWN else text


def _of_tasks(name: str, analysis: RankAnalysis, of: Callable[[TaskAnalysis], str]) -> list[str]:
    return [name, *(of(task) for task in analysis.tasks), ""]


def noise_table(analysis: RankAnalysis) -> Table:
    """Return reliabilities and ceilings, over seeds, clips and both."""
    names, found = columns(analysis)
    unknown = Reliability(nan, nan, nan)
    kinds: list[tuple[str, Sequence[Reliability]]] = [
        ("reliability of u", [*(task.untrained_reliability for task in analysis.tasks), unknown]),
        ("reliability of y", [*(task.trained_reliability for task in analysis.tasks), unknown]),
        ("ceiling for u", [each.ceiling.predictor for each in found]),
        ("ceiling without noise in the predictor", [each.ceiling.noiseless for each in found]),
        ("retest of y", [each.ceiling.retest for each in found]),
    ]
    rows = [
        [name, *(" / ".join(number(value) for value in (one.seeds, one.clips, one.both)) for one in each)]
        for name, each in kinds
    ]
    return Table("Noise: seeds / clips / both.", ["statistic", *names], rows)


def stated_ceiling(ceiling: Ceiling) -> tuple[float, str]:
    """Return the ceiling for u and what it allows for: seeds and clips, or clips alone with one seed."""
    both = ceiling.predictor.both
    return (both, "seeds and clips") if both == both else (ceiling.predictor.clips, "clips")


def subset_table(analysis: RankAnalysis) -> Table:
    """Return ρ within each input, and without each family."""
    names, found = columns(analysis)
    inputs = dict.fromkeys(name for each in found for name in each.by_input)
    families = dict.fromkeys(name for each in found for name in each.without_family)
    nothing = Statistic(nan)
    rows = [[f"input {name}", *(estimate(each.by_input.get(name, nothing)) for each in found)] for name in inputs]
    rows += [[f"without {name}", *(number(each.without_family.get(name, nan)) for each in found)] for name in families]
    return Table("ρ(u, y) within each input, and without each family.", ["architectures", *names], rows)


def contrast_table(analysis: RankAnalysis) -> Table:
    """Return ρ of the untrained accuracy on one task with the trained accuracy on another."""
    found = analysis.contrast
    rows = [
        [f"u on {name}", *(number(value) for value in row)] for name, row in zip(found.tasks, found.rho, strict=True)
    ]
    return Table("ρ of untrained accuracy (rows) with trained accuracy (columns).", ["untrained", *found.tasks], rows)


def specificity(analysis: RankAnalysis) -> str:
    """Return how much better u predicts its own task, as a sentence."""
    found = analysis.contrast.specificity
    if len(analysis.tasks) < 2:
        return "With one task, nothing can be said about whether the untrained rank is specific to its task."
    text = estimate(found)
    if text == UNKNOWN:
        return "Specificity to the task cannot be estimated."
    return (
        f"Specificity to the task: {text} ({as_p(found.p)}), the mean ρ within tasks minus the mean ρ between "
        "them. No measure of size can be specific."
    )


def sensitivity_table(analysis: RankAnalysis) -> Table:
    """Return the headline with one choice changed."""
    rows = [
        [
            CHANGES.get(each.name, each.name),
            estimate(each.rho),
            signed(each.difference.value),
            f"[{signed(each.difference.low)}, {signed(each.difference.high)}]",
            ", ".join(str(n) for n in each.n.values()),
        ]
        for each in analysis.sensitivities
    ]
    header = ["change", "pooled ρ", "minus main arms", "95 % interval", "architectures"]
    return Table("The headline with one choice changed; the changes were named in the protocol.", header, rows)
