import numpy as np
import pytest
import torch
from untrained.probes.serialization import pack, unpack
from untrained.training.heads import as_backend, backend_of, make_head, require_head, standardize_of

HEADS = ["linear", "musicnn"]  # `last` is made as `linear` is


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_backend_gives_the_scores_of_the_head(head, n_classes, tmp_path):
    made = make_head(head, 7, n_classes, seed=0)
    X = 5 + 3 * torch.randn(40, 7, generator=torch.Generator().manual_seed(0))
    for _ in range(30):  # statistics of BatchNorm far from the identity
        made(X)
    made.eval()
    backend = unpack(pack(as_backend(head, made)), backend_of(head), standardize_of(head), tmp_path, ())
    scores, kind = backend.class_scores(X.numpy())
    expected = torch.softmax(made(X), dim=1).detach().numpy()
    assert kind == "probability"
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    assert (backend.predict(X.numpy()) == expected.argmax(1)).all()
    assert len(set(backend.predict(X.numpy()))) > 1


def test_weights_are_drawn_by_the_seed_alone():
    state = torch.random.get_rng_state()
    first, second, other = (make_head("linear", 4, 3, seed)[1].weight for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(state, torch.random.get_rng_state())


def test_an_unknown_head_is_refused():
    with pytest.raises(ValueError, match="head='deep'; expected one of linear, last, musicnn"):
        require_head("deep")
