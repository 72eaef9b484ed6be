"""Results of a rank study that are made up, with a known answer."""

import numpy as np
from scipy import stats
from untrained.studies.rank_analysis.data import RankData, TaskData

SPREAD = 0.15  # standard deviation of the true accuracies


def made_up(
    *,
    rho=0.7,
    n_families=8,
    per_family=10,
    n_tasks=2,
    n_seeds=2,
    n_clips=240,
    shared=False,
    family_effect=1.0,
    luck=0.15,
    n_apart=0,
    seed=0,
    arms=("random-raw", "trained-common"),
):
    """Return results in which the true accuracies, which seeds and clips estimate, have a Spearman correlation of rho.

    On top of that, architectures of the first family are better by `family_effect` standard deviations, untrained and
    trained. The rival `naswot` is u plus noise. `synflow`, `n_parameters` and the other sizes have nothing to do with
    either accuracy. Clips suit or do not suit an architecture, with a standard deviation of `luck`.
    """
    rng = np.random.default_rng(seed)
    n = n_families * per_family + n_apart
    families = [f"family-{index % n_families}" for index in range(n)]
    shift = np.where(np.arange(n) % n_families == 0, family_effect, 0)
    sizes = {name: 10 ** rng.uniform(3.5, 5.5, n) for name in ("n_parameters", "flop", "n_features")}
    names = [f"net-{index}" for index in range(n)]
    return RankData(
        architectures=names,
        families=families,
        designs=names,
        inputs=["waveform" if index % n_families >= n_families / 2 else "spectrogram" for index in range(n)],
        columns=sizes,
        apart=np.arange(n) >= n - n_apart,
        tasks=[
            made_up_task(f"task-{index}", draw_pair(rho, n, rng), shift, n_seeds, n_clips, shared, luck, arms, rng)
            for index in range(n_tasks)
        ],
    )


def draw_pair(rho, n, rng):
    """Return two normal samples of size n whose Spearman correlation is as close to rho as can be."""
    y, other = rng.normal(size=(2, n))
    r = np.linspace(-1, 1, 201)[:, None]
    u = r * y + np.sqrt(1 - r**2) * other
    distance = ((stats.rankdata(u, axis=1) - stats.rankdata(y)) ** 2).sum(axis=1)
    found = 1 - 6 * distance / max(n * (n**2 - 1), 1)
    return u[np.abs(found - rho).argmin()], y


def made_up_task(name, pair, shift, n_seeds, n_clips, shared, luck, arms, rng):
    u, y = pair
    n = len(u)
    test_set = np.zeros(n_clips, int) if shared else np.repeat([0, 1], n_clips // 2)
    of_clips = {arm: luck * rng.normal(size=(n, 1, n_clips)) for arm in ("random", "trained")}
    right = {}
    for arm in ("random", "linear", "trained", *arms):
        side = "trained" if arm.startswith("trained") else "random"
        of_seeds = shift + (y if side == "trained" else u) + 0.3 * rng.normal(size=(n_seeds, n))
        chance = 0.5 + SPREAD * of_seeds.T[:, :, None] + of_clips["random" if shared else side]
        right[arm] = (rng.random((n, n_seeds, n_clips)) < chance).astype(float)
    return TaskData(
        name=name,
        labels=np.array([f"class-{index % 4}" for index in range(n_clips)]),
        groups=np.array([f"clip-{index}" for index in range(n_clips)]),
        test_set=test_set,
        n_train=720,
        n_validation=240,
        n_classes=4,
        right=right,
        train_accuracy=np.full(n, 0.9),
        at_grid_end=np.zeros(n, bool),
        rivals={"naswot": u + 0.7 * rng.normal(size=n), "synflow": rng.normal(size=n)},
    )
