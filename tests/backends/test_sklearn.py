import shlex

import numpy as np
import pytest
from pytorch_lightning import Trainer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.estimator_checks import parametrize_with_checks
from untrained import BACKENDS
from untrained.backends.sklearn import KNN, MLP, SGD, Adapter, AnyClassifier, LinearSVM, Logistic
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.extract import extract
from untrained.errors import UsageError
from untrained.frontends.baselines import MFCC
from untrained.probes.checkpoint import save
from untrained.probes.fitted import load_probe
from untrained.probes.probe import Probe
from untrained.probes.stages import fit

TREE = "sklearn.tree.DecisionTreeClassifier"


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@parametrize_with_checks(
    [LinearSVM(), KNN(), MLP(max_iter=50), SGD(), Logistic(), AnyClassifier(TREE, {"random_state": 0})]
)
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c"], 20)
    means = dict(zip("abc", 4 * np.eye(5), strict=False))
    return rng.standard_normal((60, 5)) + np.array([means[label] for label in y]), y


def splits_of(X, y):
    return list(StratifiedKFold(3, shuffle=True, random_state=0).split(X, y))


@pytest.mark.parametrize("name", ["linear_svm", "knn", "mlp", "sgd", "logistic"])
def test_backends_of_the_study_s_code_learn(name, problem):
    X, y = problem
    backend = BACKENDS.create(name)
    assert isinstance(backend, Adapter)
    result = backend.search(X, y, splits_of(X, y))
    assert result.best_score > 0.85
    assert backend.set_params(**result.candidates[result.best]).fit(X, y).score(X, y) > 0.85


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", [name for name in BACKENDS.names() if name != "sklearn"])
def test_checkpoints_of_bundled_backends_load_without_trust(name, problem, tmp_path):
    data = Synthetic(task="events", clips_per_class=5, n_samples=8000)
    probe = Probe(MFCC(), BACKENDS.create(name))
    trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)
    store = extract(probe, data, trainer, tmp_path).store
    embedded = fit(probe, data, store)
    save(tmp_path / "probe.ckpt", probe, data, embedded)
    loaded = load_probe(tmp_path / "probe.ckpt").probe
    X = embedded.embeddings(embedded.clips)
    np.testing.assert_array_equal(loaded.backend.predict(X), probe.backend.predict(X))


def test_grids_of_the_study_s_code():
    assert KNN.param_grid == {"n_neighbors": [1, 3, 5, 10, 20, 30, 50, 100]}
    assert MLP().make(100).hidden_layer_sizes == (20,)
    assert KNN(n_neighbors=100).make(40).n_neighbors == 40


def test_predictions_equal_those_of_scikit_learn(problem):
    X, y = problem
    theirs = LogisticRegression(C=0.1, max_iter=1000).fit(X, y)
    np.testing.assert_array_equal(Logistic(C=0.1).fit(X, y).predict(X), theirs.predict(X))
    forest = RandomForestClassifier(n_estimators=5, random_state=3).fit(X, y)
    ours = AnyClassifier("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 5, "random_state": 3}).fit(X, y)
    np.testing.assert_array_equal(ours.predict(X), forest.predict(X))


def test_any_classifier_searches_its_grid(problem):
    X, y = problem
    backend = AnyClassifier(TREE, {"random_state": 0}, {"max_depth": [1, 3], "criterion": ["gini", "entropy"]})
    result = backend.search(X, y, splits_of(X, y))
    assert len(result.candidates) == 4
    assert result.candidates[0]["arguments"] == {"random_state": 0, "criterion": "gini", "max_depth": 1}
    assert result.scores[:, 0].min() < result.scores[:, 0].max()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sklearn.tree.Decision",), "estimator='sklearn.tree.Decision' cannot be created"),
        (("gone.package.Thing",), "No module named 'gone'"),
        (("tree",), "cannot be created"),
        ((TREE, {"max_depth": 3}, {"max_depth": [1, 3]}), "'max_depth' is in both arguments and grid"),
        ((TREE, {"depth": 3}), "cannot be created with arguments={'depth': 3}"),
        (("sklearn.linear_model.LinearRegression",), "it is not a classifier"),
        (("collections.OrderedDict",), "it is not the class of a scikit-learn estimator"),
        (("subprocess.getoutput", {"cmd": "true"}), "it is not the class of a scikit-learn estimator"),
    ],
)
def test_estimators_that_cannot_be_created(problem, arguments, message):
    with pytest.raises((ValueError, UsageError), match=message):
        AnyClassifier(*arguments).search(*problem, splits_of(*problem))


def test_the_seed_is_the_random_state_of_an_estimator(problem):
    X, y = problem
    forest = "sklearn.ensemble.ExtraTreesClassifier"
    first, same, other = (AnyClassifier(forest, {"n_estimators": 3}, seed=seed).fit(X, y) for seed in (0, 0, 1))
    new = X + 2
    np.testing.assert_array_equal(first.class_scores(new)[0], same.class_scores(new)[0])
    assert not np.array_equal(first.class_scores(new)[0], other.class_scores(new)[0])
    assert AnyClassifier(forest, {"random_state": 7}).make(10).random_state == 7


def test_decision_values_of_pairs_of_classes_are_not_class_scores(problem):
    X, y = problem
    pairs = AnyClassifier("sklearn.svm.SVC", {"decision_function_shape": "ovo"}).fit(X, y)
    assert pairs.class_scores(X) is None
    scores, kind = AnyClassifier("sklearn.svm.SVC").fit(X, y).class_scores(X)
    assert (scores.shape, kind) == ((60, 3), "decision value")
    two = Logistic().fit(X[:40], y[:40])
    np.testing.assert_allclose(two.class_scores(X)[0].sum(axis=1), 1)


def test_a_forest_from_the_command_line(untrained, sounds, tmp_path):
    data = ["--data", "folder", "--data.root", sounds, "--data.n_samples", "4000", "--model.frontend", "mfcc"]
    (tmp_path / "forest.yaml").write_text(
        "model:\n  backend:\n    class_path: sklearn\n    init_args:\n"
        "      estimator: sklearn.ensemble.ExtraTreesClassifier\n"
        "      arguments: {random_state: 0}\n      grid: {n_estimators: [3, 10]}\n"
    )
    status, out, err = untrained("fit", "--config", "forest.yaml", *data)
    assert status == 0
    assert err.splitlines()[0] == "sounds0: 36 of 36 clips are longer than 0.33 s: only the first 0.33 s are used"
    (checkpoint,) = tmp_path.glob("runs/**/probe.ckpt")
    status, _, err = untrained("test", *data[:6], "--ckpt_path", checkpoint)
    assert status == 2
    assert "sklearn.ensemble._forest.ExtraTreesClassifier, " in err
    trust = shlex.split(err)[-2:]  # options at the end of the message
    status, out, err = untrained("classify", sounds, "--ckpt_path", checkpoint, *trust)
    assert status == 0
    assert [line.split(":")[1] for line in err.splitlines()] == [" 36 of 36 files are longer than 0.33 s", " warning"]
    assert "Scores are uncalibrated (probability)" in out
    status, out, _ = untrained("test", *data[:6], "--ckpt_path", checkpoint, *trust)
    assert status == 0
    assert "test/accuracy" in out
    status, _, err = untrained("fit", *data, "--model.backend", "sklearn", "--model.backend.estimator", "sklearn.Gone")
    assert status == 2
    assert "estimator='sklearn.Gone' cannot be created" in err
