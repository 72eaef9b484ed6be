"""Source of the weights and statistics of a probe's frontend: random, calibrated, or loaded from a file."""

from pathlib import Path

from ..embeddings.calibrated import refuse_uncalibrated
from ..embeddings.provenance import weights_digest
from ..errors import UsageError
from ..frontends import Frontend
from ..frontends.initialisers import Init
from ..frontends.pooling import Pooling
from ..frontends.trained import load_weights
from .record import RANDOM


def with_weights(frontend: Frontend, init: Init | None, pooling: Pooling | None, weights: str) -> Frontend:
    """Return a frontend with the weights and the pooling that a probe asks for.

    Args:
        frontend: Frontend with random weights.
        init: Distribution of the weights; by default, that of the frontend.
        pooling: Pooling of feature maps; by default, that of the frontend.
        weights: Weights: `random`, or a file written by `untrained train`.

    Raises:
        CheckpointError: The weights cannot be read, or are those of another frontend.
        ValueError: `init` is given beside weights.
    """
    if weights == RANDOM:
        return frontend.with_options(init, pooling)
    if init not in (None, frontend.options.init):
        raise ValueError(
            f"init={init!r} has no effect, because the weights are loaded from {weights!r}; remove --model.init"
        )
    return load_weights(frontend.with_options(None, pooling), Path(weights))


def refuse_calibration(frontend: Frontend, weights: str) -> None:
    """Raise if a calibration would have no effect on a frontend.

    Args:
        frontend: Frontend to calibrate.
        weights: Its weights: `random`, or the file that it was loaded from.

    Raises:
        UsageError: The weights have statistics, or the frontend has nothing to calibrate.
    """
    if weights != RANDOM:
        raise UsageError(
            f"calibrate has no effect, because {weights!r} already contains normalisation statistics; set "
            "--model.calibrate false"
        )
    refuse_uncalibrated(frontend)


def name_weights(frontend: Frontend) -> str:
    """Return the name of trained weights in tables and folders: `trained` with the beginning of their digest.

    Args:
        frontend: Frontend with trained weights.
    """
    return f"trained-{weights_digest(frontend)[:8]}"
