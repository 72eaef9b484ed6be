import numpy as np
import pytest
import torch
from untrained.frontends.baselines import MFCC
from untrained.frontends.musical import Temporal
from untrained.training.heads import layers_of
from untrained.training.network import Network


@pytest.mark.parametrize("head", ["linear", "last", "musicnn"])
def test_a_probe_gives_the_scores_of_the_network(head, data):
    network = Network(Temporal(n_filters=4), head, 8, seed=0)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    for waveforms, labels in data.train_dataloader():
        torch.nn.functional.cross_entropy(network(waveforms), labels).backward()
        optimizer.step()
    network.eval()
    frontend, backend = network.as_probe()
    X = frontend(waveforms).numpy()[:, frontend.columns(layers_of(head))]
    expected = torch.softmax(network(waveforms), dim=1).detach().numpy()
    np.testing.assert_allclose(backend.class_scores(X)[0], expected, atol=1e-5)
    assert not any(parameter.requires_grad for parameter in frontend.parameters())


def test_the_embedding_is_that_of_the_probe(vgg):
    network = Network(vgg, "linear", 2, seed=0)
    waveform = torch.randn(2, 4000, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(network.frontend(waveform), vgg(waveform))
    assert network.head[1].in_features == vgg.embedding_size


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_head_reads_embeddings_in_the_precision_of_its_weights(vgg, dtype):
    network = Network(vgg, "linear", 2, seed=0).to(dtype)
    logits = network(torch.ones(2, 4000, dtype=dtype))
    assert logits.dtype == dtype
    logits.sum().backward()


def test_a_frontend_without_weights_is_refused():
    with pytest.raises(ValueError, match="'mfcc' has no random weights, so there is nothing to train"):
        Network(MFCC(), "linear", 2, seed=0)
