"""Results of a rank study that are made up, with a known answer."""

import numpy as np
from untrained.studies.rank_analysis.data import RankData, TaskData


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
    n_apart=0,
    seed=0,
    arms=("random-raw", "trained-common"),
):
    """Return results in which the accuracies that seeds and clips estimate have a Spearman correlation of `rho`.

    Architectures of the first family are better by `family_effect` standard deviations, untrained and trained. The
    rival `naswot` is u plus noise; `n_parameters` and the other sizes have nothing to do with either accuracy.
    """
    rng = np.random.default_rng(seed)
    n = n_families * per_family + n_apart
    families = [f"family-{index % n_families}" for index in range(n)]
    r = 2 * np.sin(np.pi * rho / 6)
    first = np.array([name == "family-0" for name in families])
    sizes = {name: 10 ** rng.uniform(3.5, 5.5, n) for name in ("n_parameters", "flop", "n_features")}
    tasks = [
        made_up_task(f"task-{index}", r, first * family_effect, n_seeds, n_clips, shared, arms, sizes, rng)
        for index in range(n_tasks)
    ]
    return RankData(
        architectures=[f"net-{index}" for index in range(n)],
        families=families,
        designs=[f"net-{index}" for index in range(n)],
        inputs=["waveform" if index % n_families >= n_families / 2 else "spectrogram" for index in range(n)],
        columns=sizes,
        apart=np.arange(n) >= n - n_apart,
        tasks=tasks,
    )


def made_up_task(name, r, shift, n_seeds, n_clips, shared, arms, sizes, rng):
    n = len(shift)
    y, other = rng.normal(size=(2, n))
    y = (y - y.mean()) / y.std()
    other -= other.mean() + y * (other @ y) / n
    u = r * y + np.sqrt(1 - r**2) * other / other.std()
    test_set = np.zeros(n_clips, int) if shared else np.repeat([0, 1], n_clips // 2)
    labels = np.array([f"class-{index % 4}" for index in range(n_clips)])
    luck = {arm: rng.normal(size=(n, n_clips)) for arm in ("random", "trained")}
    if shared:
        luck["trained"] = luck["random"]
    right = {}
    for arm in ("random", "linear", "trained", *arms):
        latent = shift + (y if arm.startswith("trained") else u)
        chance = 0.5 + 0.1 * (latent[:, None, None] + 0.1 * rng.normal(size=(n, n_seeds, 1)))
        chance = chance + 0.15 * luck["trained" if arm.startswith("trained") else "random"][:, None, :]
        right[arm] = (rng.random((n, n_seeds, n_clips)) < chance).astype(float)
    rivals = {"naswot": u + 0.7 * rng.normal(size=n), "synflow": rng.normal(size=n), **sizes}
    return TaskData(
        name=name,
        labels=labels,
        groups=np.array([f"clip-{index}" for index in range(n_clips)]),
        test_set=test_set,
        n_train=720,
        n_validation=240,
        n_classes=4,
        right=right,
        train_accuracy=np.full(n, 0.9),
        at_grid_end=np.zeros(n, bool),
        rivals=rivals,
    )
