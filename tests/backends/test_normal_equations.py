import numpy as np
import pytest
from untrained.backends.normal_equations import Dual, Primal

N_CLIPS = 60


def layer(n_hidden, condition):
    """Return a hidden layer with a given condition number."""
    rng = np.random.default_rng(n_hidden)
    left, _, right = np.linalg.svd(rng.standard_normal((N_CLIPS, n_hidden)), full_matrices=False)
    return (left * np.geomspace(1, 1 / condition, min(N_CLIPS, n_hidden))) @ right


def system(hidden, targets, alpha):
    if hidden.shape[1] > len(hidden):
        return Dual(hidden @ hidden.T, alpha)
    return Primal(hidden.T @ hidden, hidden.T @ targets, (hidden != 0).any(axis=0), alpha)


def direct(made, hidden, targets):
    if isinstance(made, Primal):
        return made.solve(hidden.shape[1])
    solution = made.solve(targets)
    return None if solution is None else hidden.T @ solution


def ridge(hidden, targets, alpha):
    n_hidden = hidden.shape[1]
    stacked = np.concatenate([hidden, np.sqrt(alpha) * np.eye(n_hidden)])
    return np.linalg.pinv(stacked) @ np.concatenate([targets, np.zeros((n_hidden, targets.shape[1]))])


@pytest.mark.parametrize("n_hidden", [58, 60, 62])
@pytest.mark.parametrize("alpha", [0.0, 1e-9])
def test_corrections_reach_the_pseudo_inverse(n_hidden, alpha):
    """The Gram matrix is too ill-conditioned for a direct solution, and two units are dead."""
    hidden = np.insert(layer(n_hidden, 1e5), [3, 20], 0, axis=1)
    targets = hidden @ np.random.default_rng(1).standard_normal((hidden.shape[1], 3))
    made, expected = system(hidden, targets, alpha), ridge(hidden, targets, alpha)
    assert direct(made, hidden, targets) is None
    np.testing.assert_allclose(made.refine(hidden, targets), expected, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("n_hidden", [30, 60, 62, 90])
def test_a_well_conditioned_layer_needs_no_corrections(n_hidden):
    hidden, targets = layer(n_hidden, 100), np.random.default_rng(1).standard_normal((N_CLIPS, 3))
    for alpha in (0.0, 0.1):
        expected = ridge(hidden, targets, alpha)
        found = direct(system(hidden, targets, alpha), hidden, targets)
        np.testing.assert_allclose(found, expected, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("n_hidden", "fault"),
    [
        (30, "condition"),
        (30, "twin units"),
        *((n, fault) for n in (60, 62) for fault in ("condition", "twin clips")),
    ],
)
def test_no_solution_is_returned_for_a_singular_layer(n_hidden, fault):
    hidden, targets = layer(n_hidden, 1e9 if fault == "condition" else 10), np.eye(N_CLIPS)[:, :3]
    if fault == "twin clips":
        hidden[N_CLIPS // 2 :] = hidden[: N_CLIPS // 2]
    elif fault == "twin units":
        hidden[:, n_hidden // 2 :] = hidden[:, : n_hidden // 2]
    made = system(hidden, targets, 0.0)
    assert direct(made, hidden, targets) is None
    assert made.refine(hidden, targets) is None


def test_leading_units_are_solved_although_all_units_are_singular():
    hidden = layer(40, 10)
    hidden[:, 30] = hidden[:, 3]
    targets = np.eye(N_CLIPS)[:, :3]
    primal = system(hidden, targets, 0.0)
    assert primal.solve(40) is None
    np.testing.assert_allclose(primal.solve(30), np.linalg.pinv(hidden[:, :30]) @ targets, atol=1e-9)


def test_a_factor_of_a_singular_square_is_not_trusted():
    """Rounding errors let some singular matrices pass as positive definite; corrections converge to wrong weights."""
    n_factors = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        hidden = np.maximum(rng.standard_normal((N_CLIPS, N_CLIPS)), 0)
        hidden[:, -1] = hidden[:, 2]
        targets = hidden @ rng.standard_normal((N_CLIPS, 3))
        made = system(hidden, targets, 0.0)
        assert made.solve(N_CLIPS) is None
        assert made.refine(hidden, targets) is None
        n_factors += made._factor is not None
    assert n_factors > 0
