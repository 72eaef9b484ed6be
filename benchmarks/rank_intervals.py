"""Coverage of the intervals of a rank study, by simulation: python benchmarks/rank_intervals.py.

Each simulated study draws 10 designs in each of 8 families, or as many as `--per_family` says. The means of the
families are fixed and the same in both tasks. In each task a design has an untrained and a trained accuracy, u and y.
Both are means over seeds and over clips of their own, with luck of seeds, difficult clips, and clips that suit a
design. The intervals are those of `untrained.studies.rank_analysis`. The true value is the correlation of such
accuracies over very many designs of the same families.

Columns are the share of studies whose nominal 95 % interval contains the true value: of the headline (two tasks), of
one task, within families, and of the closed form of Bonett and Wright for one task, which ignores seeds and clips; and
the mean width of the interval of one task. The last column is the largest Monte Carlo standard error of the row.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits
from untrained.studies.rank_analysis.compared import prepare
from untrained.studies.rank_analysis.correlations import pool_compared
from untrained.studies.rank_analysis.data import SIZES, RankData, TaskData
from untrained.studies.rank_analysis.ranks import Frame, bonett_wright

N_FAMILIES, N_TASKS = 8, 2
BETWEEN = 0.3  # share of the variance of true accuracy that is between families
SPREAD = 0.12  # standard deviation of true accuracy over designs
COLUMNS = ("headline", "one task", "within family", "closed form", "width")


class Cell(NamedTuple):
    """One row of the table."""

    rho: float
    per_family: tuple[int, ...]
    n_seeds: int
    n_clips: int
    n_draws: int

    @property
    def families(self) -> np.ndarray:
        """Family of each design, `(n,)`."""
        return np.repeat(np.arange(N_FAMILIES), self.per_family)


def family_means(r: float) -> np.ndarray:
    """Return the means of the families in u and y, `(2, n_families)`, with a correlation of exactly r."""
    y, other = np.random.default_rng(0).normal(size=(2, N_FAMILIES))
    y = (y - y.mean()) / y.std()
    other -= other.mean() + y * (other @ y) / N_FAMILIES
    return np.stack([r * y + np.sqrt(1 - r**2) * other / other.std(), y])


def draw_accuracies(cell: Cell, families: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Draw designs of these families, and return for u and y whether each prediction is correct, (n, seeds, clips)."""
    r = 2 * np.sin(np.pi * cell.rho / 6)
    inside = rng.multivariate_normal([0, 0], [[1, r], [r, 1]], len(families)).T
    latent = np.sqrt(BETWEEN) * family_means(r)[:, families] + np.sqrt(1 - BETWEEN) * inside
    found = []
    for values in latent:
        of_runs = values[:, None] + 0.25 * rng.normal(size=(len(families), cell.n_seeds))
        of_clips = 0.15 * (rng.normal(size=cell.n_clips) + rng.normal(size=(len(families), cell.n_clips)))
        chance = 0.5 + SPREAD * of_runs[:, :, None] + of_clips[:, None, :]
        found.append((rng.random(chance.shape) < chance).astype(float))
    return found


def true_values(cell: Cell) -> tuple[float, float]:
    """Return ρ, and ρ within families, of 80,000 designs in the same proportions: the mean of 20 sets of clips."""
    found = []
    families = np.resize(cell.families, 4000)
    for seed in range(20):
        u, y = (a.mean(axis=(1, 2)) for a in draw_accuracies(cell, families, np.random.default_rng([seed, 1])))
        frames = [Frame.of(np.ones(len(u)), names) for names in (None, list(map(str, families)))]
        found.append([float(frame.rho(frame.ranks(u), frame.ranks(y))) for frame in frames])
    plain, within = np.mean(found, axis=0)
    return float(plain), float(within)


def study(cell: Cell, seed: int) -> RankData:
    """Draw a study."""
    rng = np.random.default_rng([seed, int(100 * cell.rho)])
    families = cell.families
    n = len(families)
    tasks = []
    for name in map(str, range(N_TASKS)):
        u, y = draw_accuracies(cell, families, rng)
        unknown = np.full_like(u, np.nan)
        clips = np.arange(2 * cell.n_clips).astype(str)
        test_set = np.repeat([0, 1], cell.n_clips)
        right = {"random": np.concatenate([u, unknown], axis=2), "trained": np.concatenate([unknown, y], axis=2)}
        labels = np.tile(np.arange(cell.n_clips) % 8, 2)
        tasks.append(TaskData(name, labels, clips, test_set, 1, 1, 8, right, np.ones(n), np.zeros(n, bool), {}))
    names = list(map(str, range(n)))
    sizes = dict.fromkeys(SIZES, np.ones(n))
    return RankData(names, list(map(str, families)), names, ["waveform"] * n, sizes, np.zeros(n, bool), tasks)


def replicate(job: tuple[Cell, int, tuple[float, float]]) -> list[float]:
    """Return whether each interval of one study contains the true value, and the width of the one of a task."""
    cell, seed, (rho, within) = job
    data = study(cell, seed)
    tasks = prepare(data, cell.n_draws, seed)
    found = [task.compare() for task in tasks]
    intervals = [
        (pool_compared(found).statistic(), rho),
        (pool_compared(found[:1]).statistic(), rho),
        (pool_compared([task.compare(families=True) for task in tasks]).statistic(), within),
        (bonett_wright(found[0].value, tasks[0].n), rho),
    ]
    return [
        *(float(one.low <= true <= one.high) for one, true in intervals),
        intervals[1][0].high - intervals[1][0].low,
    ]


def main() -> None:
    """Print the table, a row at a time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=800, help="number of studies per row")
    parser.add_argument("--draws", type=int, default=1000, help="number of draws per interval; few make it too wide")
    parser.add_argument(
        "--rho", type=float, nargs="+", default=[0.3, 0.5, 0.7, 0.9], help="Spearman correlation without noise"
    )
    parser.add_argument(
        "--per_family",
        type=int,
        nargs="+",
        default=[10],
        help=f"number of designs in each family, or {N_FAMILIES} numbers, such as 4 4 4 4 4 3 3 2",
    )
    parser.add_argument("--seeds", type=int, default=3, help="seeds of each architecture")
    parser.add_argument("--clips", type=int, default=600, help="clips of each test set")
    parser.add_argument("--workers", type=int, default=1, help="number of processes")
    chosen = parser.parse_args()
    if len(chosen.per_family) not in (1, N_FAMILIES):
        parser.error(f"--per_family has {len(chosen.per_family)} numbers; expected 1 or {N_FAMILIES}")
    per_family = tuple(np.broadcast_to(chosen.per_family, N_FAMILIES).tolist())
    print(f"| rho without noise | true rho | {' | '.join(COLUMNS)} | ± |")
    print("|" + "---|" * (len(COLUMNS) + 3), flush=True)
    with ProcessPoolExecutor(chosen.workers, initializer=threadpool_limits, initargs=(1,)) as pool:
        for rho in chosen.rho:
            start = time.perf_counter()
            cell = Cell(rho, per_family, chosen.seeds, chosen.clips, chosen.draws)
            true = true_values(cell)
            jobs = [(cell, seed, true) for seed in range(chosen.simulations)]
            found = np.array(list(pool.map(replicate, jobs, chunksize=5)))
            error = (found[:, :-1].std(axis=0, ddof=1) / np.sqrt(len(found))).max()
            cells = " | ".join(f"{value:.3f}" for value in found.mean(axis=0))
            print(f"| {rho} | {true[0]:.3f} | {cells} | {error:.3f} |", flush=True)
            print(f"<!-- {len(found)} studies, {time.perf_counter() - start:.0f} s -->", flush=True)


if __name__ == "__main__":
    main()
