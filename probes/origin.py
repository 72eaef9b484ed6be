"""Where the weights and the statistics of a probe's frontend come from: drawn, calibrated, or read from a file."""

from pathlib import Path

from ..embeddings.calibrated import refuse_uncalibrated
from ..embeddings.provenance import weights_digest
from ..errors import UsageError
from ..frontends import Frontend
from ..frontends.initialisers import Init
from ..frontends.pooling import Pooling
from ..frontends.trained import load_weights

RANDOM = "random"


def with_weights(frontend: Frontend, init: Init | None, pooling: Pooling | None, weights: str) -> Frontend:
    """Return a frontend with the weights and the pooling that a probe asks for.

    Args:
        frontend: Frontend with random weights.
        init: Distribution of the weights; by default, that of the frontend.
        pooling: Pooling of feature maps; by default, that of the frontend.
        weights: Weights: `random`, or a file that `untrained train` has written.

    Raises:
        CheckpointError: The weights cannot be read, or are those of another frontend.
        ValueError: `init` is given beside weights.
    """
    if weights == RANDOM:
        return frontend.with_options(init, pooling)
    if init not in (None, frontend.options.init):
        raise ValueError(f"init={init!r} has no effect with weights={weights!r}, which are not drawn; leave out init")
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
        raise UsageError(f"calibrate=True has no effect: weights={weights!r} have statistics; leave out calibrate")
    refuse_uncalibrated(frontend)


def name_weights(frontend: Frontend) -> str:
    """Return the name of trained weights in tables and folders: `trained` with the beginning of their digest.

    Args:
        frontend: Frontend with trained weights.
    """
    return f"trained-{weights_digest(frontend)[:8]}"
