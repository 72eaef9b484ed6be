"""Table of all architectures of a rank study."""

from ..rank_analysis.analysis import RankAnalysis
from ..rank_analysis.data import RankData
from .document import Table
from .words import count, number, percent

_COLUMNS = {"n_parameters": "parameters", "n_features": "features", "flop": "MFLOP per clip"}


def architecture_table(data: RankData, analysis: RankAnalysis) -> Table:
    """Return family, size, and untrained and trained accuracy of all architectures, the best trained ones first.

    Args:
        data: Results of the study.
        analysis: What they say.
    """
    names = {name: text for name, text in _COLUMNS.items() if name in data.columns}
    header = ["architecture", "family", "input", *names.values()]
    header += [f"{task.name} {arm}" for task in analysis.tasks for arm in ("u (%)", "y (%)")]
    rows = []
    for index in _order(analysis):
        row = [data.architectures[index], data.families[index], data.inputs[index]]
        for name in names:
            value = float(data.columns[name][index])
            row.append(number(value / 1e6, 1) if name == "flop" else count(value))
        for task in analysis.tasks:
            row += [_score(task.scores, arm, index) for arm in ("untrained", "trained")]
        row[0] += " (apart)" if analysis.apart[index] else ""
        rows.append(row)
    caption = (
        "All architectures with accuracies without (u) and with (y) training, ± 1.96 standard errors; best y first."
    )
    return Table(caption, header, rows, 3)


def _score(scores: object, arm: str, index: int) -> str:
    value, error = float(getattr(scores, arm)[index]), float(getattr(scores, f"{arm}_error")[index])
    return percent(value) + (f" ± {percent(1.96 * error)}" if value == value and error == error else "")


def _order(analysis: RankAnalysis) -> list[int]:
    """Return the places of the architectures by their mean trained accuracy, those without one last."""

    def mean(index: int) -> float:
        found = [float(task.scores.trained[index]) for task in analysis.tasks]
        known = [value for value in found if value == value]
        return sum(known) / len(known) if known else -1.0

    return sorted(range(len(analysis.architectures)), key=lambda index: -mean(index))
