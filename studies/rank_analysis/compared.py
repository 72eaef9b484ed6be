"""Correlation of two arms of one task, cross-fitted where they share clips, with its draws and permutations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .data import RANDOM, SIZES, TRAINED, RankData, TaskData
from .draws import Draws, draw, permutations
from .ranks import LEAST, Frame, fisher
from .scores import Arm, arms_of, draw_halves, halves, is_used
from .statistics import CrossFitted

N_SPLITS = 200


@dataclass(frozen=True)
class Compared:
    """A correlation of one task.

    Args:
        value: Estimate.
        draws: Fisher's z of the correlation, without cross-fitting, in each draw, `(n_all_draws,)`.
        products: Matrix P such that the correlation after permuting y is the sum of P[i, permutation(i)], over the
            architectures in use, `(n, n)`.
        frame: Frame of the ranks in P.
        trained: Corrected ranks of y over the architectures in use, `(n,)`.
    """

    value: float
    draws: NDArray[Any]
    products: NDArray[Any]
    frame: Frame
    trained: NDArray[Any]

    @property
    def estimated(self) -> tuple[float, NDArray[Any], int]:
        """The estimate, its draws, and the number of architectures."""
        return self.value, self.draws, len(self.products)


@dataclass(frozen=True)
class Task:
    """One task, ready to be compared.

    Args:
        data: Results of the study.
        task: Results of the task.
        arms: Arms of the task.
        draws: Draws of the study.
        clips: Accuracies on drawn clips, `(n_draws // 4, n_architectures)`, by arm.
        noise: Accuracies on drawn seeds and clips, `(n_draws // 4, n_architectures)`, by arm.
        splits: Halves of the clips, `(n_splits, n_clips)`, if all arms share them.
        is_in: Whether each architecture is in the statistics, `(n_architectures,)`.
    """

    data: RankData
    task: TaskData
    arms: Mapping[str, Arm]
    draws: Draws
    clips: Mapping[str, NDArray[Any]]
    noise: Mapping[str, NDArray[Any]]
    splits: NDArray[Any] | None
    is_in: NDArray[Any]

    @property
    def n(self) -> int:
        """Number of architectures in the statistics."""
        return int(self.is_in.sum())

    def values(self, arm: str) -> NDArray[Any]:
        """Return the accuracies of an arm, `(n_architectures,)`."""
        return self.arms[arm].scores

    def drawn_ranks(self, frame: Frame, arm: str) -> NDArray[Any]:
        """Return the corrected ranks of an arm in all draws, `(n_all_draws, n_architectures)`.

        Args:
            frame: Frame of the draws.
            arm: Name of the arm.
        """
        clips = self.clips[arm]
        n_first = len(frame.weights) - 2 * len(clips)  # the accuracies differ in the other two parts alone
        first, rest = frame.part(slice(n_first)), frame.part(slice(n_first, None))
        return np.concatenate([first.ranks(self.values(arm)), rest.ranks(np.concatenate([clips, clips]))])

    def frame(self, subset: Any = True, *, families: bool = False, sizes: bool = False, drawn: bool = False) -> Frame:
        """Return the frame of a correlation: of the study, or of its draws.

        Args:
            subset: Which architectures are compared; all those in use by default.
            families: Whether ranks are centred in each family.
            sizes: Whether ranks are corrected for size.
            drawn: Whether the architectures are those of the draws.
        """
        weights = np.ones(len(self.is_in))
        if drawn:
            weights = self.draws.centred if families else self.draws.weights
        weights = (self.is_in & subset) * weights
        columns = [self.data.columns[name] for name in SIZES] if sizes else []
        return Frame.of(weights, self.data.families if families else None, columns)

    def compare(
        self, a: str = RANDOM, b: str = TRAINED, subset: Any = True, *, families: bool = False, sizes: bool = False
    ) -> Compared:
        """Correlate two arms; where all arms share clips, the estimate is cross-fitted.

        Args:
            a: An arm.
            b: Another arm.
            subset: Which architectures are compared, `(n_architectures,)`, bool.
            families: Whether ranks are centred in each family.
            sizes: Whether ranks are corrected for size.
        """
        both = np.isfinite(self.values(a)) & np.isfinite(self.values(b)) & subset
        frame = self.frame(both, families=families, sizes=sizes)
        used = frame.weights > 0
        if used.sum() < LEAST:
            n = int(used.sum())
            return Compared(nan, np.full(len(self.draws.weights), nan), np.full((n, n), nan), frame, np.full(n, nan))
        drawn = self.frame(both, families=families, sizes=sizes, drawn=True)
        of_draws = drawn.fisher(self.drawn_ranks(drawn, a), self.drawn_ranks(drawn, b))
        products = self._products(frame, a, b)[np.ix_(used, used)]
        return Compared(_trace(products), of_draws, products, frame, frame.ranks(self.values(b))[used])

    def compare_value(self, subset: Any = True) -> float:
        """Return ρ(u, y) over some of the architectures, as `compare` does, without draws."""
        frame = self.frame(subset)
        return _trace(self._products(frame, RANDOM, TRAINED)) if frame.weights.sum() >= LEAST else nan

    def _products(self, frame: Frame, a: str, b: str) -> NDArray[Any]:
        if self.splits is None:
            return np.outer(frame.ranks(self.values(a)), frame.ranks(self.values(b)))
        return cross_products(self.arms[a], self.arms[b], self.splits, frame)[0]

    def cross_fitted(self) -> CrossFitted | None:
        """Return the cross-fitted ρ(u, y); None if u and y have clips of their own."""
        if self.splits is None:
            return None
        if self.n < LEAST:
            return CrossFitted(nan, nan, nan)
        frame = self.frame()
        products, factor = cross_products(self.arms[RANDOM], self.arms[TRAINED], self.splits, frame)
        rho = _trace(products)
        plain = frame.rho(frame.ranks(self.values(RANDOM)), frame.ranks(self.values(TRAINED)))
        return CrossFitted(rho, rho / factor, float(plain))


def prepare(data: RankData, n_draws: int, seed: int) -> list[Task]:
    """Return the tasks of a study, with draws that are the same for all statistics.

    Args:
        data: Results of the study.
        n_draws: Number of draws.
        seed: Seed of the draws, and of the halves of shared clips.
    """
    arms = [arms_of(task) for task in data.tasks]
    draws = draw(data, arms, n_draws, seed)
    streams = np.random.default_rng([seed, 1]).spawn(len(arms))
    found = []
    for index, (task, of_task, rng) in enumerate(zip(data.tasks, arms, streams, strict=True)):
        splits = draw_halves(task.labels, task.groups, N_SPLITS, rng) if task.shares_clips else None
        is_in = is_used(of_task, data.apart)
        found.append(Task(data, task, of_task, draws, draws.clips[index], draws.noise[index], splits, is_in))
    return found


def _trace(products: NDArray[Any]) -> float:
    return float(np.clip(np.trace(products), -1, 1))


def cross_products(a: Arm, b: Arm, splits: NDArray[Any], frame: Frame) -> tuple[NDArray[Any], float]:
    """Return the products of ranks on different halves of shared clips, brought to the full number of clips.

    The mean over both ways and all splits is multiplied by 2/sqrt((1 + r_a)(1 + r_b)), where r is the mean correlation
    of the two halves of an arm.

    Args:
        a: An arm.
        b: Another arm, on the same clips.
        splits: Half of each clip, 0 or 1, `(n_splits, n_clips)`.
        frame: Frame of the ranks, of one sample.

    Returns:
        The products, `(n_architectures, n_architectures)`, and the factor.
    """
    wide = Frame(frame.weights[None], frame.families, [one[None] for one in frame.given])
    of_a, of_b = ([wide.ranks(half) for half in halves(arm, splits)] for arm in (a, b))
    between = [float(wide.rho(first, second).mean()) for first, second in (of_a, of_b)]
    factor = 2 / np.sqrt(max(1 + between[0], 1) * max(1 + between[1], 1))
    return factor * (of_a[0].T @ of_b[1] + of_a[1].T @ of_b[0]) / (2 * len(splits)), float(factor)


def permuted(compared: Compared, keys: NDArray[Any], is_in: NDArray[Any], families: Sequence[str] | None) -> Any:
    """Return Fisher's z of a correlation for random permutations of y, after the one of the study, `(1 + n_draws,)`.

    With covariates, residuals of y are permuted under the model without u (Freedman & Lane, Journal of Business &
    Economic Statistics 1, 1983), and the covariates are regressed out of them again.

    Args:
        compared: A correlation.
        keys: Random numbers that order all architectures, `(n_draws, n_architectures)`.
        is_in: Whether each architecture is in the correlation, `(n_architectures,)`.
        families: Family of each architecture if architectures are permuted within families only.
    """
    n = len(compared.products)
    orders = np.vstack([np.arange(n), permutations(keys, is_in, families)])
    sums = compared.products[np.arange(n), orders].sum(axis=1)
    # The covariates explain a part of the permuted residuals, which is no longer in them.
    explained = sum(((compared.trained[orders] @ other[is_in]) ** 2 for other in compared.frame.given), start=0.0)
    return fisher(sums / np.sqrt(np.maximum(1 - explained, 1e-12)), n)
