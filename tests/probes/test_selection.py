import numpy as np
import pytest
from untrained.backends.svm import SVMClassifier
from untrained.datamodules import Clip
from untrained.errors import DataError
from untrained.probes.selection import resolve, select


class SmallSVM(SVMClassifier):
    param_grid = {"C": [0.01, 1.0, 100.0], "gamma": [0.01, 1.0]}


def folded(n, n_folds):
    return [Clip(f"{i:03d}", str(i % 2), fold=i // 2 % n_folds) for i in range(n)]


def split(n_train, n_validation, n_test):
    splits = ["train"] * n_train + ["validation"] * n_validation + ["test"] * n_test
    return [Clip(f"{i:03d}", str(i % 2), split=name) for i, name in enumerate(splits)]


def problem(n, distance=1.0, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    return rng.standard_normal((n, 3)) + distance * y[:, None], y


def test_auto_is_holdout_if_there_is_a_test_split():
    assert resolve("auto", split(4, 2, 2)) == "holdout"
    assert resolve("study", split(4, 2, 2)) == "holdout"
    assert resolve("auto", folded(12, 3)) == "nested"
    assert resolve("study", folded(12, 2)) == "study"


@pytest.mark.parametrize(
    ("protocol", "clips", "message"),
    [
        ("holdout", folded(12, 3), "needs train and test splits"),
        ("nested", split(4, 2, 2), r"needs folds.*use --model.protocol holdout"),
        ("auto", split(4, 2, 0), "needs at least two folds, and a fold for every"),
        ("nested", folded(12, 2), "three folds or more"),
        ("auto", folded(12, 2), "three folds or more"),
        ("auto", [Clip(f"{n}", str(n // 3), fold=n // 3) for n in range(9)], "outside fold 0 and fold 1, only '2'"),
        ("study", [Clip(f"{n}", str(n // 3), fold=n // 3) for n in range(6)], "outside fold 0, only '1'"),
        (
            "auto",
            [Clip(f"{n}", str(n // 3), split=("train", "test")[n // 3]) for n in range(6)],
            "the train split, only '0'",
        ),
        ("auto", [*split(5, 0, 4), Clip("z", "rare", split="train")], "training clips .* 'rare' has only one"),
    ],
)
def test_data_without_the_parts_that_a_protocol_needs_is_rejected(protocol, clips, message):
    with pytest.raises(DataError, match=message):
        resolve(protocol, clips)


def test_holdout_chooses_on_validation_and_fits_on_train():
    clips = split(40, 20, 0)
    X, y = problem(60)
    selection = select(SmallSVM(), X, y, clips, "holdout")
    train, validation = np.arange(40), np.arange(40, 60)
    expected = [SmallSVM(**c).fit(X[train], y[train]).score(X[validation], y[validation]) for c in selection.candidates]
    np.testing.assert_allclose(selection.candidate_scores, expected)
    assert selection.score_name == "val/accuracy"
    assert selection.score == max(expected)
    assert selection.best == int(np.argmax(expected))
    assert selection.model.svc_.shape_fit_ == (40, 3)
    assert not selection.selected_on_test


def test_holdout_without_validation_chooses_on_inner_folds_of_train():
    X, y = problem(40)
    selection = select(SmallSVM(), X, y, split(40, 0, 0), "holdout")
    assert sorted(selection.scored) == list(range(40))
    assert selection.model.svc_.shape_fit_ == (40, 3)


def test_nested_scores_each_fold_with_the_candidate_of_the_other_folds():
    clips = folded(48, 4)
    X, y = problem(48)
    folds = np.array([clip.fold for clip in clips])
    selection = select(SmallSVM(), X, y, clips, "nested")
    for outer in range(4):
        inner_scores = []
        for candidate in selection.candidates:
            scores = []
            for inner in set(range(4)) - {outer}:
                train = (folds != outer) & (folds != inner)
                machine = SmallSVM(**candidate).fit(X[train], y[train])
                scores.append(machine.score(X[folds == inner], y[folds == inner]))
            inner_scores.append(np.mean(scores))
        chosen = selection.candidates[int(np.argmax(np.round(inner_scores, 12)))]
        machine = SmallSVM(**chosen).fit(X[folds != outer], y[folds != outer])
        assert selection.fold_scores[outer] == machine.score(X[folds == outer], y[folds == outer])
    assert selection.score == pytest.approx(np.mean(selection.fold_scores))
    assert (selection.predictions == y[selection.scored]).mean() == pytest.approx(selection.score)
    assert selection.model.svc_.shape_fit_ == (48, 3)
    assert not selection.selected_on_test


def test_study_reports_the_best_mean_and_marks_it_as_selected_on_test():
    X, y = problem(48)
    study, nested = (select(SmallSVM(), X, y, folded(48, 4), protocol) for protocol in ("study", "nested"))
    assert study.score == max(study.candidate_scores)
    assert study.score >= nested.score
    assert study.selected_on_test


def test_inner_folds_need_two_groups_of_each_class():
    clips = [Clip(f"{i:03d}", str(i % 2), split="train", group=str(i % 2)) for i in range(40)]
    X, y = problem(40)
    with pytest.raises(DataError, match="from different groups"):
        select(SmallSVM(), X, y, clips, "holdout")


def test_random_labels_score_at_chance_except_under_study():
    scores = {"holdout": [], "nested": [], "study": []}
    for seed in range(12):
        X, _ = problem(96, distance=0, seed=seed)
        y = np.random.default_rng(seed + 100).permutation(np.arange(96) % 2)
        scores["nested"].append(select(SmallSVM(), X, y, folded(96, 4), "nested").score)
        scores["study"].append(select(SmallSVM(), X, y, folded(96, 4), "study").score)
        model = select(SmallSVM(), X[:72], y[:72], split(48, 24, 0), "holdout").model
        scores["holdout"].append(model.score(X[72:], y[72:]))
    assert np.mean(scores["nested"]) == pytest.approx(0.5, abs=0.05)
    assert np.mean(scores["holdout"]) == pytest.approx(0.5, abs=0.08)
    assert np.mean(scores["study"]) > np.mean(scores["nested"])
