"""Error rate and power of the tests of differences between frontends: python benchmarks/clip_test.py.

Each replicate draws a new data set of eight classes, random ReLU features in place of frontends, and folds. It runs
the whole `nested` search of the ELM for six exchangeable sets of weights and, in some replicates, three weaker ones.
The same weights make up six frontends with one seed, three with two seeds, or two with three seeds. A significant
difference between exchangeable frontends counts as an error; one between a frontend and a weaker one counts as power.

Columns are the corrected t-test over folds and the test over clips, with several factors f that inflate the variance
over clips; the nominal level is 5 %. In the rows `1*`, frontends have one seed, and the variance over seeds is
estimated from frontends with two seeds. The last column is the largest Monte Carlo standard error of the row over
replicates, in percentage points.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from typing import ClassVar, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits
from untrained.backends.elm import ELMClassifier
from untrained.datamodules.clip import Clip
from untrained.probes.selection import select
from untrained.studies.clip_test import clip_test, seed_variance
from untrained.studies.significance import Estimate, corrected_t_test

FACTORS = (1.0, 1.1, 1.15, 1.2, 1.3, 1.5, 1.75, 2.0)
N_CLASSES, N_INPUTS, N_UNITS = 8, 10, 64
STRONG = 6  # number of exchangeable sets of weights
PARTS = {"1": 1, "1*": 1, "2": 2, "3": 3}  # number of seeds of each row
DEALS = ((0, 1, 2, 3, 4, 5), (0, 2, 4, 1, 3, 5), (0, 3, 1, 5, 2, 4))  # assignments of weights to frontends


class Cell(NamedTuple):
    """One cell of the simulation."""

    n_clips: int
    n_folds: int
    group_size: int


class SmallELM(ELMClassifier):
    """ELM with small candidates, which are searched within milliseconds."""

    param_grid: ClassVar = {"n_hidden": [24, 48, 96]}


def draw(cell: Cell, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Clip]]:
    """Draw a data set: inputs, labels, groups, and clips with their folds."""
    n_groups = cell.n_clips // cell.group_size
    labels = np.repeat(np.arange(n_groups) % N_CLASSES, cell.group_size)
    groups = np.repeat(np.arange(n_groups), cell.group_size)
    shared = rng.normal(size=(n_groups, N_INPUTS))[groups]
    own = rng.normal(size=(cell.n_clips, N_INPUTS))
    noise = own if cell.group_size == 1 else np.sqrt(0.5) * (own + shared)
    inputs = 0.8 * rng.normal(size=(N_CLASSES, N_INPUTS))[labels] + noise
    # Stratified folds that keep groups together: the shuffled groups of each class go to the folds in turn.
    of_group = np.zeros(n_groups, int)
    for label in range(N_CLASSES):
        of_class = rng.permutation(np.arange(label, n_groups, N_CLASSES))
        of_group[of_class] = (np.arange(len(of_class)) + rng.integers(cell.n_folds)) % cell.n_folds
    folds = of_group[groups]
    return inputs, labels, groups, [Clip(str(i), str(y), fold=int(folds[i])) for i, y in enumerate(labels)]


def correctness(
    inputs: np.ndarray, labels: np.ndarray, clips: list[Clip], n_units: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw random weights, and return for each clip whether its out-of-fold prediction is correct."""
    weights, biases = rng.normal(size=(N_INPUTS, n_units)) / np.sqrt(N_INPUTS), rng.normal(size=n_units)
    features = np.maximum(inputs @ weights + biases, 0) * np.sqrt(2 / n_units)
    chosen = select(SmallELM(seed=int(rng.integers(2**31)), alpha=1.0), features, labels, clips, "nested")
    right = np.zeros(len(labels))
    right[chosen.scored] = chosen.predictions == labels[chosen.scored]
    return right


def replicate(job: tuple[Cell, int, bool]) -> dict[str, np.ndarray]:
    """Return the rejections of the tests on one data set, by row and column, and a summary of its accuracies."""
    cell, seed, has_weak = job
    rng = np.random.default_rng([seed, *cell])
    inputs, labels, groups, clips = draw(cell, rng)
    n_weak = 13 if cell.n_clips < 300 else 16  # lowers the accuracy by about 8 points
    units = [N_UNITS] * STRONG + [n_weak] * (3 if has_weak else 0)
    right = np.stack([correctness(inputs, labels, clips, n, rng) for n in units])
    folds = np.array([clip.fold for clip in clips])
    of_clips = groups if cell.group_size > 1 else None
    found = {"accuracy": right[:STRONG].mean(), "variance": seed_variance([right[:STRONG]], of_clips)}
    if has_weak:
        found["weaker by"] = right[:STRONG].mean() - right[STRONG:].mean()
    for row, n_seeds in PARTS.items():
        null, weak = [], []
        for deal in DEALS[:1] if n_seeds == 1 else DEALS:
            dealt = right[list(deal)].reshape(-1, n_seeds, cell.n_clips)
            pooled = right[:STRONG].reshape(3, 2, -1) if row == "1*" else dealt
            variance = seed_variance(pooled, of_clips)
            pairs = [(i, j) for i in range(len(dealt)) for j in range(i)]
            null += [rejected(dealt[i], dealt[j], variance, of_clips, folds) for i, j in pairs]
            if has_weak:
                weaker = right[STRONG:][: 3 // n_seeds * n_seeds].reshape(-1, n_seeds, cell.n_clips)
                weak += [rejected(each, other, variance, of_clips, folds) for each in dealt for other in weaker]
        found[row] = np.mean(null, axis=0)
        if has_weak:
            found[f"{row} power"] = np.mean(weak, axis=0)
    return found


def rejected(
    a: np.ndarray, b: np.ndarray, variance: float | None, groups: np.ndarray | None, folds: np.ndarray
) -> list[bool]:
    """Return whether each test, first the one over folds, finds a difference at a level of 5 %."""
    difference = a.mean(axis=0) - b.mean(axis=0)
    names, sizes = np.unique(folds, return_counts=True)
    of_folds = corrected_t_test(np.array([difference[folds == name].mean() for name in names]), sizes.tolist())
    one, two = (clip_test(a, b, groups=groups, seeds=variance, inflation=factor) for factor in (1.0, 2.0))
    over_clips = two.standard_error**2 - one.standard_error**2  # the variance grows linearly with the factor
    errors = np.sqrt(one.standard_error**2 + (np.array(FACTORS) - 1) * over_clips)
    return [of_folds.p < 0.05, *(Estimate(one.difference, float(error)).p < 0.05 for error in errors)]


def main() -> None:
    """Print the table, a cell at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicates", type=int, default=2000, help="number of data sets per cell")
    parser.add_argument("--power_every", type=int, default=4, help="interval of data sets that have weaker frontends")
    parser.add_argument("--workers", type=int, default=2, help="number of processes")
    parser.add_argument("--clips", type=int, nargs="+", default=[160, 400])
    parser.add_argument("--folds", type=int, nargs="+", default=[5, 10])
    parser.add_argument("--group_size", type=int, nargs="+", default=[1, 2], help="clips per group; 1 for no groups")
    chosen = parser.parse_args()
    factors = " | ".join(f"f = {f:g}" for f in FACTORS)
    print(f"| clips | folds | clips per group | seeds | rate | t-test | {factors} | ± |")
    print("|" + "---|" * (len(FACTORS) + 7), flush=True)
    with ProcessPoolExecutor(chosen.workers, initializer=threadpool_limits, initargs=(1,)) as pool:
        for cell in map(Cell._make, product(chosen.clips, chosen.folds, chosen.group_size)):
            start = time.perf_counter()
            jobs = [(cell, i, i % chosen.power_every == 0) for i in range(chosen.replicates)]
            show(cell, list(pool.map(replicate, jobs, chunksize=10)), time.perf_counter() - start)


def show(cell: Cell, results: list[dict[str, np.ndarray]], seconds: float) -> None:
    """Print the rows of a cell and a summary of its accuracies."""
    known = {key: 100 * np.stack([found[key] for found in results if key in found]) for key in results[0]}
    for key, rates in known.items():
        seeds, _, power = key.partition(" ")
        if seeds in PARTS:
            error = (rates.std(axis=0, ddof=1) / np.sqrt(len(rates))).max()
            cells = [*cell, seeds, power or "error", *(f"{rate:.1f}" for rate in rates.mean(axis=0)), f"{error:.1f}"]
            print("| " + " | ".join(map(str, cells)) + " |")
    print(
        f"<!-- accuracy {known['accuracy'].mean():.1f} %, weaker by {known['weaker by'].mean():.1f} points, standard "
        f"deviation over weights {np.sqrt(100 * known['variance'].mean()):.1f}; {len(results)} replicates, "
        f"{seconds:.0f} s -->",
        flush=True,
    )


if __name__ == "__main__":
    main()
