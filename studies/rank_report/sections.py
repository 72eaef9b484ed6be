"""Sections of the report of a rank study, for its page and for Markdown."""

from math import isfinite

from ..rank_analysis.analysis import RankAnalysis
from . import answer, decision_tables, rival_tables, state, task_tables
from .architecture_table import architecture_table
from .charts import accuracy_charts, agreement_chart, legend, regret_charts, regret_legend, rival_chart
from .document import Part, Picture, Points, Section, Text
from .study import RankStudy
from .words import estimate, number

CAPTIONS = {
    "accuracies": "Accuracy without training (x) and with training (y), a panel for each task. Lines are 95 % "
    "intervals; hollow marks with names are reported apart and enter no statistic.",
    "rivals": "Correlation of each predictor with the trained accuracy, pooled over tasks, with 95 % intervals.",
    "regret": "Accuracy that is lost by training only the first networks of an order, mean over subsets and tasks. "
    "The horizontal line is 1 point.",
    "agreement": "Probability that the better architecture without training is the better one with training, against "
    "the difference without training, with a 95 % band over designs.",
}
"""Captions of the figures by name."""
HOW_TO_READ = (
    "u is the test accuracy of an untrained network: its weights are random and frozen, and a backend learns from its "
    "embeddings. y is the test accuracy of the same architecture trained end to end. Both are means over seeds.",
    "ρ is Spearman's rank correlation of u and y over architectures. 1 means the same order, 0 no relation.",
    "Intervals have 95 % coverage over other architectures of the same families, other seeds and other test clips "
    "together. They say nothing about other families, other data, or another way of training.",
    "A high ρ can go with a costly first choice: read the regret beside it.",
    "u reads all labels of the training clips, most proxies read none or few: read the budget beside the rivals.",
    "– stands for a number that cannot be estimated: fewer than four architectures, equal scores, or one seed where "
    "two are needed.",
)


def sections(study: RankStudy, figures: set[str]) -> list[Section]:
    """Return the report of a study.

    Args:
        study: The study.
        figures: Names of the figures that exist.
    """
    found = [Section("answer", "Verdict", answer.answer(study))]
    analysis, data = study.analysis, study.data
    if analysis is not None and data is not None:
        pictures: dict[str, Part] = {name: _picture(name, study) for name in CAPTIONS if name in figures}
        found += [
            Section("accuracies", "Without and with training", _known(pictures, "accuracies")),
            Section("correlations", "Correlations", task_tables.correlations(analysis)),
            Section("rivals", "Rivals", [*_known(pictures, "rivals"), *rival_tables.rivals(study, analysis)]),
            Section("decisions", "Decisions", [*_known(pictures, "regret"), *decision_tables.decisions(analysis)]),
            Section(
                "agreement",
                "What a difference is worth",
                [*_known(pictures, "agreement"), *decision_tables.agreement(analysis)],
            ),
            Section("sensitivities", "Sensitivities", task_tables.sensitivities(analysis)),
        ]
    found.append(Section("state", "State of the study", state.state(study)))
    if analysis is not None and data is not None:
        found.append(
            Section(
                "architectures", "Architectures", [architecture_table(data, analysis), Text(study.errors(), "note")]
            )
        )
    return [*found, Section("reading", "How to read", [Points(HOW_TO_READ)])]


def _known(pictures: dict[str, Part], name: str) -> list[Part]:
    return [pictures[name]] if name in pictures else []


def _picture(name: str, study: RankStudy) -> Picture:
    analysis = study.analysis
    assert analysis is not None
    file, title, result = f"{name}.png", CAPTIONS[name], _result(name, analysis)
    if name == "accuracies":
        return Picture(file, f"{title} {study.errors()}", accuracy_charts(analysis), legend(analysis), result)
    if name == "rivals":
        return Picture(file, title, [("", rival_chart(analysis))], result=result)
    if name == "regret":
        return Picture(file, title, regret_charts(analysis), regret_legend(), result)
    return Picture(file, title, [("", agreement_chart(analysis))], result=result)


def _result(name: str, analysis: RankAnalysis) -> str:
    """Return what a figure says, as a sentence."""
    if name == "accuracies":
        return f"Pooled ρ = {estimate(analysis.pooled.rho)}."
    if name == "rivals":
        found = ", ".join(
            f"{rival_tables.title(each.name)} {estimate(each.rho)}"
            for each in analysis.rivals
            if isfinite(each.rho.value)
        )
        return f"u: {estimate(analysis.pooled.rho)}; {found}."
    if name == "regret":
        found = ", ".join(
            f"{number(each.points, 1)} points after {each.k} of {each.n_candidates}"
            for each in analysis.decisions.regrets
            if isfinite(each.points)
        )
        return f"Mean regret: {found}."
    return decision_tables.shares(analysis.agreement)
