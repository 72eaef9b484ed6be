"""Set of drawn designs in which family and number of parameters are independent, for studies of many architectures."""

import functools
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .drawn_plan import Plan, solve
from .grammar import FAMILIES, N_SAMPLES, Design, Dice, Family, is_integer

if TYPE_CHECKING:
    from .drawn import Drawn

N_TENTHS = 10
ROUND = N_TENTHS * len(FAMILIES)
"""Number of designs after which each family has one in each tenth."""
MOST_TRIES = 1000
"""Number of designs of a family that are tried for one number of parameters."""
_LOWEST, _HIGHEST = 3.5, 5.5  # of log10 of the number of parameters
_NUMBERS_PER_SEED = 10**6  # numbers of designs that are kept for one seed of a set
_OF_SET = 1  # distinguishes draws of a set from draws of a design


@dataclass(frozen=True)
class DrawnDesign:
    """Design of a set, with the arguments of the frontend `drawn` that recreate it.

    Args:
        family: Family of the grammar.
        design: Number of the design.
        n_parameters: Wanted number of parameters.
    """

    family: Family
    design: int
    n_parameters: int

    @property
    def plan(self) -> Plan:
        """Architecture with its numbers of filters."""
        return solve(self.family, self.design, self.n_parameters)

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of the frontend `drawn`."""
        return asdict(self)

    def create(self, seed: int = 0) -> "Drawn":
        """Return the frontend.

        Args:
            seed: Seed of the weights.
        """
        from .drawn import Drawn  # which is slower to import

        return Drawn(**self.arguments, seed=seed)

    def columns(self, n_samples: int = N_SAMPLES) -> dict[str, Any]:
        """Return properties that may explain differences between designs, by name.

        Args:
            n_samples: Length in samples of the clips for which costs are given.

        Returns:
            `input` (waveform or spectrogram), `depth` (number of layers), `layers` (number of layers that contribute to
            the embedding, which is all of them), `n_parameters` and `n_features` (actual numbers), `receptive_field`
            and `total_stride` (in samples or frames of the input), `receptive_bands` (0 for waveforms), `flop` for one
            clip, and `activation_bytes` (outputs of all convolutions for one clip, in float32).

            The receptive field is that of the convolutions and pools alone; with the norm `group`, every position
            depends on the whole clip. `receptive_field` may exceed the clip, and `receptive_bands` ends at the 96 bands
            of the input.

            The share of dead maps, which is another such property, depends on data. With embeddings E of several clips,
            `(n_clips, n_features)`, it is `(E == E[0]).all(0).mean()`, the share of maps that are equal for all clips.
        """
        plan, cost = self.plan, self.plan.cost(n_samples)
        depth = len(plan.design.layers)
        return {
            "input": "waveform" if plan.design.reads_waveform else "spectrogram",
            "depth": depth,
            "layers": depth,
            "n_parameters": plan.n_parameters,
            "n_features": plan.n_features,
            "receptive_field": plan.receptive_field,
            "receptive_bands": plan.receptive_bands,
            "total_stride": plan.total_stride,
            "flop": cost.flop,
            "activation_bytes": 4 * cost.n_values,
        }


def drawn_set(n: int = 80, seed: int = 0) -> list[DrawnDesign]:
    """Return the first designs of a set that is spread evenly over families and numbers of parameters.

    In each 80 designs, each family has one design in each tenth of log10 of the number of parameters from 3.5 to 5.5,
    uniform within its tenth. Tenths are dealt at random. A design that is excluded, or occurs earlier in its family, is
    replaced by the next number of the family; family and number of parameters stay. Each 8 designs have one of each
    family, so that a shorter set is the beginning of a longer one.

    Args:
        n: Number of designs; a multiple of 16 has two or more of each family.
        seed: Seed of the set, 0 or more.

    Returns:
        Designs in the order of the set. If no design of a family can have a number of parameters, a warning names both,
        and the set is shorter; `unfilled` lists them.

    Raises:
        ValueError: `n` or `seed` is out of range.

    Example:
        >>> [each.family for each in drawn_set(3)]
        ['vgg', 'vertical', 'horizontal']
        >>> drawn_set(16) == drawn_set(80)[:16]
        True
    """
    for family, n_parameters in unfilled(n, seed):
        warnings.warn(
            f"no design of family {family!r} with {n_parameters:,} parameters was found in {MOST_TRIES:,} tries, so "
            "the set is shorter; use another seed for a complete set",
            UserWarning,
            stacklevel=2,
        )
    return [each for each in _slots(n, seed) if isinstance(each, DrawnDesign)]


def unfilled(n: int = 80, seed: int = 0) -> list[tuple[Family, int]]:
    """Return family and number of parameters of the designs that `drawn_set` could not draw.

    Args:
        n: Number of designs.
        seed: Seed of the set.
    """
    return [each for each in _slots(n, seed) if not isinstance(each, DrawnDesign)]


def depth_correlation(designs: Sequence[DrawnDesign]) -> float:
    """Return the absolute rank correlation (Spearman) of the number of parameters with the number of layers.

    Args:
        designs: Designs, at least two.
    """
    sizes = _ranks([each.n_parameters for each in designs])
    depths = _ranks([len(each.plan.design.layers) for each in designs])
    return abs(float(np.corrcoef(sizes, depths)[0, 1]))


def _ranks(values: Sequence[int]) -> NDArray[np.float64]:
    """Return ranks, equal values having the mean of theirs."""
    _, indices, counts = np.unique(values, return_inverse=True, return_counts=True)
    means: NDArray[np.float64] = np.cumsum(counts) - (counts - 1) / 2
    return means[indices]


def _slots(n: int, seed: int) -> list[DrawnDesign | tuple[Family, int]]:
    """Return the first n places of a set: a design, or family and number of parameters if there is none."""
    if not is_integer(n) or not 1 <= n <= 1000 * ROUND:
        raise ValueError(f"n={n!r}; expected an integer from 1 to {1000 * ROUND:,}")
    if not is_integer(seed) or not 0 <= seed < 2**32:
        raise ValueError(f"seed={seed!r}; expected an integer of 0 or more, below 2**32")
    each = -(-int(n) // len(FAMILIES))
    families = [_of_family(family, each, int(seed)) for family in FAMILIES]
    return [family[index] for index in range(each) for family in families][:n]


@functools.lru_cache(maxsize=64)
def _of_family(family: Family, n: int, seed: int) -> tuple[DrawnDesign | tuple[Family, int], ...]:
    """Return the first n places of one family."""
    sizes = _sizes(family, seed)
    number = seed * _NUMBERS_PER_SEED
    found: list[DrawnDesign | tuple[Family, int]] = []
    taken: set[Design] = set()
    for _ in range(n):
        n_parameters = next(sizes)
        accepted = next(_accepted(family, number, n_parameters, taken), None)
        found.append((family, n_parameters) if accepted is None else accepted)
        if accepted is not None:
            taken.add(accepted.plan.design)
            number = accepted.design + 1
    return tuple(found)


def _accepted(family: Family, first: int, n_parameters: int, taken: set[Design]) -> Iterator[DrawnDesign]:
    """Yield the designs from a number on that can have a number of parameters and are new."""
    for design in range(first, first + MOST_TRIES):
        try:
            plan = solve(family, design, n_parameters)
        except ValueError:  # excluded
            continue
        if plan.design not in taken:
            yield DrawnDesign(family, design, n_parameters)


def _sizes(family: Family, seed: int) -> Iterator[int]:
    """Yield numbers of parameters, one from each tenth in random order, again and again."""
    dice = Dice(seed, FAMILIES.index(family), _OF_SET)
    while True:
        for tenth in dice.sample(range(N_TENTHS), N_TENTHS):
            exponent = _LOWEST + (_HIGHEST - _LOWEST) * (tenth + dice.fraction()) / N_TENTHS
            yield round(math.pow(10, exponent))
