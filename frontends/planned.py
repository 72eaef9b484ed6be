"""Calibration of a frontend that is planned or was carried out: its clips, and the weights before it."""

import copy
from dataclasses import dataclass

from .base import Frontend

_ATTRIBUTE = "planned_calibration"  # of the instance, because a class attribute would hide layers of that name


@dataclass(frozen=True)
class Calibration:
    """Calibration of a frontend that is planned or was carried out.

    Args:
        clips: Digest of the ids and the files of the clips that it reads.
        ids: Ids of these clips; empty for a frontend that a checkpoint holds.
        weights: Digest of the weights before the calibration; empty until it is carried out.
    """

    clips: str
    ids: tuple[str, ...] = ()
    weights: str = ""


def calibration_of(frontend: Frontend) -> Calibration | None:
    """Return the calibration of a frontend; None if none is planned."""
    found: Calibration | None = vars(frontend).get(_ATTRIBUTE)
    return found


def with_calibration(frontend: Frontend, calibration: Calibration) -> Frontend:
    """Return a copy of a frontend with another calibration, without carrying it out.

    Args:
        frontend: Frontend to copy.
        calibration: Calibration of the copy.
    """
    copied = copy.deepcopy(frontend)
    set_calibration(copied, calibration)
    return copied


def set_calibration(frontend: Frontend, calibration: Calibration) -> None:
    """Record a calibration in a frontend.

    Args:
        frontend: Frontend to change.
        calibration: Calibration that is planned or was carried out.
    """
    vars(frontend)[_ATTRIBUTE] = calibration
