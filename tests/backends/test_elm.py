import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks
from untrained.backends.elm import ELMClassifier, hidden_layer
from untrained.backends.least_squares import output_weights


@parametrize_with_checks([ELMClassifier(n_hidden=60)])
def test_scikit_learn_conventions(estimator, check):
    check(estimator)


def test_elm_equals_the_code_of_the_study(reference):
    data = reference("elm")
    elm = ELMClassifier(n_hidden=50).fit(data["X_train"], data["y_train"])
    elm.weights_, elm.biases_ = data["weights"], data["biases"]
    hidden = np.maximum(data["X_train"] @ data["weights"] + data["biases"], 0)
    targets = np.where(data["y_train"][:, None] == data["classes"], 1.0, -1.0)
    elm.coefs_ = output_weights(hidden, targets)
    np.testing.assert_allclose(elm.coefs_, data["coefs"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(elm.decision_function(data["X_test"]), data["decision"], rtol=1e-8, atol=1e-10)
    np.testing.assert_array_equal(elm.predict(data["X_test"]), data["predict"])


@pytest.mark.parametrize("n_hidden", [10, 50, 60, 70, 300])
def test_elm_equals_the_pseudo_inverse(problem, n_hidden):
    X, y = problem
    elm = ELMClassifier(n_hidden).fit(X, y)
    hidden = np.maximum(X @ elm.weights_ + elm.biases_, 0)
    hidden[:, ::7] = 0  # dead units
    targets = np.where(np.eye(4)[y] > 0, 1.0, -1.0)
    np.testing.assert_allclose(output_weights(hidden, targets), np.linalg.pinv(hidden) @ targets, rtol=1e-6, atol=1e-9)


def test_hidden_units_depend_only_on_seed_and_index():
    few, many = hidden_layer(5, 10, seed=3), hidden_layer(5, 100, seed=3)
    np.testing.assert_array_equal(few[0], many[0][:, :10])
    np.testing.assert_array_equal(few[1], many[1][:10])
    assert not np.array_equal(few[0], hidden_layer(5, 10, seed=4)[0])


def test_partial_fit_equals_fit(classes):
    X, y = classes(200)
    names = np.array(["a", "b", "c", "d"])[y]
    streamed = ELMClassifier(n_hidden=60, seed=1)
    for part in np.array_split(np.arange(200), 7):
        streamed.partial_fit(X[part], names[part], classes=["d", "c", "b", "a"])
    whole = ELMClassifier(n_hidden=60, seed=1).fit(X, names)
    np.testing.assert_allclose(streamed.coefs_, whole.coefs_, rtol=1e-6, atol=1e-9)
    np.testing.assert_array_equal(streamed.predict(X), whole.predict(X))
    with pytest.raises(ValueError, match="classes=None; expected all class labels"):
        ELMClassifier().partial_fit(X, names)
    with pytest.raises(ValueError, match=r"y contains 'z'; expected one of \['a'"):
        streamed.partial_fit(X[:1], ["z"])
