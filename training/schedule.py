"""Schedule of the learning rate."""

import math


def factor(step: int, n_steps: int, warmup: float) -> float:
    """Return the factor of the learning rate at a step, which rises linearly and then falls to 0 along a cosine.

    Args:
        step: Number of steps taken so far.
        n_steps: Number of steps of the training run.
        warmup: Share of the steps during which it rises.

    Example:
        >>> [round(factor(step, 10, 0.2), 2) for step in (0, 1, 2, 6, 10)]
        [0.5, 1.0, 1.0, 0.5, 0.0]
    """
    n_rising = math.ceil(warmup * n_steps)
    if step < n_rising:
        return (step + 1) / n_rising
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - n_rising) / max(1, n_steps - n_rising))))
