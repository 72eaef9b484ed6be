"""Arguments of `EndToEnd`: their ranges, and the messages about values outside them."""

import math
from numbers import Real

from .heads import require_head


def as_rates(learning_rate: float | list[float]) -> list[float]:
    """Return a learning rate, or a list of them, as a list.

    Args:
        learning_rate: One learning rate, or several.

    Raises:
        ValueError: A value is not a number above 0, or occurs twice.

    Example:
        >>> as_rates(0.001)
        [0.001]
    """
    rates = learning_rate if isinstance(learning_rate, list | tuple) else [learning_rate]
    if not rates or not all(_is_number(rate) and 0 < rate < math.inf for rate in rates):
        raise ValueError(
            f"learning_rate={learning_rate!r}; expected a number above 0, such as 0.001, or a list of them"
        )
    if len(set(rates)) < len(rates):
        raise ValueError(f"learning_rate={learning_rate!r} contains a value twice; remove one")
    return [float(rate) for rate in rates]


def refuse_odd_arguments(
    head: str,
    weight_decay: float,
    warmup: float,
    betas: tuple[float, float],
    seed: int | None,
    random_crop: float = 0.0,
) -> None:
    """Raise if an argument of `EndToEnd` is out of range.

    Args:
        head: Name of the head.
        weight_decay: Weight decay.
        warmup: Share of the steps during which the learning rate rises.
        betas: Coefficients of AdamW's running averages.
        seed: Seed of the head's weights and of the order of clips; None for the seed of the frontend.
        random_crop: Duration in s from which clips are cropped; 0 to crop none.

    Raises:
        ValueError: An argument is out of range.
    """
    require_head(head)
    if not (_is_number(weight_decay) and 0 <= weight_decay < math.inf):
        raise ValueError(f"weight_decay={weight_decay!r}; expected 0 or more")
    if not (_is_number(warmup) and 0 <= warmup < 1):
        raise ValueError(f"warmup={warmup!r}; expected a share of the steps from 0 to below 1, such as 0.05")
    if len(betas) != 2 or not all(_is_number(beta) and 0 <= beta < 1 for beta in betas):
        raise ValueError(f"betas={betas!r}; expected two numbers from 0 to below 1, such as [0.9, 0.999]")
    if seed is not None and (isinstance(seed, bool) or not 0 <= seed < 2**32):
        raise ValueError(f"seed={seed!r}; expected an integer of 0 or more, below 2**32")
    if not (_is_number(random_crop) and 0 <= random_crop < math.inf):
        raise ValueError(f"random_crop={random_crop!r}; expected seconds above those of the clips, or 0 to crop none")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
