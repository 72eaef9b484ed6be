"""All numbers of the report of a rank study, as plain values for JSON."""

from typing import Any

from ..rank_analysis.analyse import as_json
from .answer import headline
from .rival_tables import budgets
from .study import RankStudy
from .worth import FORMAT


def numbers(study: RankStudy) -> dict[str, Any]:
    """Return all numbers of a report, with what they come from."""
    done, total = study.progress()
    return {
        "format": FORMAT,
        "protocol": study.digest,
        "headline": headline(study),
        "tasks": study.tasks,
        "shared_clips": study.shared,
        "left_out": dict(study.protocol["left_out"]),
        "items": {"done": done, "total": total, "failed": len(study.known.failures)},
        "machines": [dict(machine) for machine in study.known.machines()],
        "budgets": {name: as_json(budget) for name, budget in budgets(study).items()},
        "architectures": list(study.protocol["architectures"]),
        "analysis": None if study.analysis is None else as_json(study.analysis),
    }
