"""Draws of designs, seeds, clips and permutations."""

from dataclasses import replace

import numpy as np
import pytest
from rank_results import made_up
from untrained.studies.rank_analysis import draws
from untrained.studies.rank_analysis.ranks import Frame
from untrained.studies.rank_analysis.scores import arms_of

DATA = made_up(n_families=2, per_family=3, n_tasks=1, n_clips=80, n_seeds=3)
TASK = DATA.tasks[0]


def named(designs, families, apart):
    """Return a study of six architectures, of which only the names matter."""
    return replace(DATA, designs=designs, families=families, apart=np.array(apart))


def test_designs_are_drawn_with_all_members_inside_their_family():
    data = named(["a", "a", "b", "c", "d", "e"], ["1", "1", "1", "1", "2", "1"], [0, 0, 0, 0, 1, 1])
    weights = draws.draw_designs(data, data.apart == 0, 2000, np.random.default_rng(0))
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 4:] == 0).all()  # apart
    assert weights[:, [0, 2, 3]].sum(axis=1) == pytest.approx(3 * np.ones(2000))
    assert set(np.unique(weights[:, 0])) == {0, 1.5, 3}  # two of three, each counts as 1.5
    assert weights[:, :4].mean(axis=0) == pytest.approx(np.ones(4), abs=0.06)


def test_families_with_few_designs_are_drawn_together():
    data = named(list("abcdef"), ["1", "1", "2", "2", "3", "4"], np.zeros(6))
    weights = draws.draw_designs(data, data.apart == 0, 500, np.random.default_rng(0))
    assert weights.sum(axis=1) == pytest.approx(6 * np.ones(500))
    assert len(np.unique(weights[:, :2].sum(axis=1))) > 3
    alone = named(list("abcdef"), ["1", "1", "1", "1", "2", "3"], np.array([0, 0, 0, 0, 0, 1]))
    weights = draws.draw_designs(alone, alone.apart == 0, 500, np.random.default_rng(0))
    assert set(np.unique(weights[:, 4])) > {0, 1.25, 2.5}  # one design of a family is drawn with another family
    three = named(list("abcdef"), ["1", "2", "2", "2", "3", "3"], np.array([0, 0, 0, 0, 1, 1]))
    weights = draws.draw_designs(three, three.apart == 0, 500, np.random.default_rng(0))
    assert weights.sum(axis=1) == pytest.approx(4 * np.ones(500))
    assert weights[:, 0].std() > 0.5


def test_designs_without_scores_do_not_count():
    """Of three designs of family 0, two have u and y."""
    right = {arm: values.copy() for arm, values in TASK.right.items()}
    right["trained"][2] = np.nan
    weights = draws.draw(DATA, [arms_of(replace(TASK, right=right))], 400, 0)
    assert (weights.weights[:400, 2] == 0).all()
    assert (weights.centred[:400, [0, 4]].sum(axis=1) == 2).all()
    assert weights.weights[:400].sum(axis=1) == pytest.approx(5 * np.ones(400))


def test_the_mean_of_drawn_designs_has_the_variance_of_a_mean():
    """Draws of all m designs would have (m - 1)/m of it."""
    data = named(list("abcdef"), ["1", "1", "1", "2", "2", "2"], np.zeros(6))
    values = np.array([0.0, 1, 5, 100, 102, 110])
    drawn = draws.draw_designs(data, data.apart == 0, 20000, np.random.default_rng(0)) @ values / 6
    expected = (values[:3].var(ddof=1) + values[3:].var(ddof=1)) / 3 / 4
    assert drawn.var() == pytest.approx(expected, rel=0.05)


def test_designs_of_centred_statistics_are_all_drawn_inside_their_family():
    data = named(list("aabcde"), ["1", "1", "1", "2", "2", "3"], np.zeros(6))
    weights = draws.draw_centred(data, data.apart == 0, 2000, np.random.default_rng(0))
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, [0, 2]].sum(axis=1) == 2).all()
    assert (weights[:, [3, 4]].sum(axis=1) == 2).all()
    assert (weights[:, 5] == 1).all()
    # Half of the draws of a family of two have both, and half of them one of them twice.
    assert (weights[:, 3] == 1).mean() == pytest.approx(0.5, abs=0.05)
    found = draws.draw(DATA, [arms_of(TASK)], 8, 0)
    assert (found.centred[8:10] == 1).all()
    assert (found.centred[10:] == found.centred[:2]).all()
    assert (found.centred == found.centred.round()).all()


def test_rho_within_small_families_has_its_true_error():
    """Draws of m - 1 of m designs would give 1.5 times as much."""
    families = np.repeat(list("abcdefgh"), [4, 4, 4, 4, 4, 3, 3, 2]).tolist()
    data = replace(made_up(n_families=4, per_family=7, n_tasks=1, n_clips=4), families=families)
    rng = np.random.default_rng(0)
    frames = [
        Frame.of(weights, families) for weights in (np.ones(28), draws.draw_centred(data, data.apart == 0, 200, rng))
    ]
    z, errors = [], []
    for _ in range(150):
        values = rng.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], 28).T
        of_study, drawn = (frame.fisher(*map(frame.ranks, values)) for frame in frames)
        z.append(of_study)
        errors.append(drawn.std())
    assert np.mean(errors) == pytest.approx(np.std(z), rel=0.25)


def test_groups_of_clips_are_drawn_within_their_class():
    labels = np.array(["a"] * 4 + ["b"] * 2)
    groups = np.array(["1", "1", "2", "3", "4", "5"])
    counts = draws.draw_clips(labels, groups, 500, np.random.default_rng(0))
    assert (counts[:, 0] == counts[:, 1]).all()
    assert (counts[:, [0, 2, 3]].sum(axis=1) == 3).all()
    assert (counts[:, 4:].sum(axis=1) == 2).all()


def test_drawn_scores_vary_as_seeds_and_clips_do():
    """The variance is that of the mean of seeds and of clips, each as in a plain bootstrap."""
    arms = arms_of(TASK)
    of_clips_alone, found = draws.draw_scores(arms, 4000, np.random.default_rng(0))
    right = arms["random"].right
    assert found["random"].mean(axis=0) == pytest.approx(arms["random"].scores, abs=0.01)
    of_clips = right.mean(axis=1)
    clips = sum(of_clips[:, arms["random"].labels == label].var(axis=1) for label in np.unique(TASK.labels)) / 4 / 40
    interaction = (right - right.mean(axis=1, keepdims=True)).var(axis=(1, 2)) / 40 / 3
    seeds = right.mean(axis=2).var(axis=1) / 3
    expected = clips + interaction + seeds
    assert found["random"].var(axis=0) == pytest.approx(expected, rel=0.25)
    assert of_clips_alone["random"].var(axis=0) == pytest.approx(clips, rel=0.15)


def test_arms_on_the_same_clips_and_seeds_are_paired():
    right = {**TASK.right, "random-raw": TASK.right["random"], "linear": TASK.right["random"]}
    clips, found = draws.draw_scores(arms_of(replace(TASK, right=right)), 50, np.random.default_rng(0))
    assert (clips["linear"] == clips["random"]).all()
    assert (found["random-raw"] == found["random"]).all()
    assert (found["linear"] != found["random"]).any()  # other seeds
    shared = replace(
        TASK, test_set=np.zeros(80, int), right={"random": right["random"][:, :1], "trained": right["random"][:, :1]}
    )
    _, found = draws.draw_scores(arms_of(shared), 50, np.random.default_rng(0))
    assert (found["trained"] == found["random"]).all()


def test_chunks_make_up_all_draws(monkeypatch):
    monkeypatch.setattr(draws, "CHUNK", 7)
    _, found = draws.draw_scores(arms_of(TASK), 20, np.random.default_rng(0))
    assert found["trained"].shape == (20, 6)
    assert len(np.unique(found["trained"], axis=0)) == 20


def test_architectures_without_a_complete_run_have_no_scores():
    right = TASK.right["trained"].copy()
    right[2] = np.nan
    right[3, 1] = np.nan
    task = replace(TASK, right={**TASK.right, "trained": right})
    found = draws.draw_scores(arms_of(task), 30, np.random.default_rng(0))[1]["trained"]
    assert np.isnan(found).all(axis=0).tolist() == [False, False, True, False, False, False]
    assert np.isfinite(np.delete(found, 2, axis=1)).all()


def test_parts_of_the_draws():
    weights = draws.draw(replace(DATA, apart=np.array([0, 0, 0, 0, 0, 1])), [arms_of(TASK)], 11, 0).weights
    first, second, third = draws.parts(weights)
    assert [len(part) for part in (first, second, third)] == [11, 2, 2]
    assert (second == [1, 1, 1, 1, 1, 0]).all()
    assert (third == first[:2]).all()


def test_the_variance_counts_luck_once():
    """The mean of a table of rows and columns with effects of both, and of each pair, has A + B + AB."""
    rng = np.random.default_rng(0)
    n_rows, n_columns = 20, 30
    found, expected = [], []
    for _ in range(60):
        a, b, ab = rng.normal(size=(n_rows, 1)), rng.normal(size=n_columns), 4 * rng.normal(size=(n_rows, n_columns))
        table = a + b + ab
        rows = rng.multinomial(n_rows, np.full(n_rows, 1 / n_rows), 400) / n_rows
        columns = rng.multinomial(n_columns, np.full(n_columns, 1 / n_columns), 100) / n_columns
        first, second = rows @ table.mean(axis=1), columns @ table.mean(axis=0)
        third = np.einsum("dr,rc,dc->d", rows[:100], table, columns)
        found.append(draws.variance(np.concatenate([first, second, third])))
        expected.append(table.mean() ** 2)
    assert np.mean(found) == pytest.approx(1 / 20 + 1 / 30 + 16 / 600, rel=0.12)
    assert np.mean(expected) == pytest.approx(1 / 20 + 1 / 30 + 16 / 600, rel=0.35)


def test_the_variance_needs_more_than_half_of_the_draws():
    assert draws.variance(np.array([1.0, 2, 3])) == 1  # too few for a part of clips
    assert np.isnan(draws.variance(np.array([1.0, np.nan, np.nan])))
    assert np.isnan(draws.variance(np.array([])))
    partly = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, np.nan, 1.0, np.nan, 1.0])
    assert draws.variance(partly) == 6


def test_permutations_are_the_same_in_all_tasks_and_may_keep_families():
    keys = np.random.default_rng(0).random((100, 6))
    everything = draws.permutations(keys, np.ones(6, bool))
    assert (np.sort(everything, axis=1) == np.arange(6)).all()
    assert len(np.unique(everything, axis=0)) > 80
    is_in = np.array([1, 1, 0, 1, 1, 1], bool)
    assert (np.sort(draws.permutations(keys, is_in), axis=1) == np.arange(5)).all()
    families = ["a", "b", "x", "a", "b", "a"]
    within = draws.permutations(keys, is_in, families)
    of_used = np.array(families)[is_in]
    assert (of_used[within] == of_used).all()
    assert len(np.unique(within, axis=0)) == 12  # 3! x 2!
