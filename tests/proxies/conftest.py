import pytest
import torch
from tiny_networks import N_CLASSES, N_CLIPS, N_SAMPLES, Plain, Tiny, with_biases
from untrained.proxies.scoring import score


@pytest.fixture(params=[1, 2], ids=["1-D", "2-D"])
def frontend(request):
    return with_biases(Tiny(request.param))


@pytest.fixture
def batches():
    """Two batches of noise whose loudness depends on the class, exact in float32."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(N_CLIPS) % N_CLASSES
    noise = torch.randn(2, N_CLIPS, N_SAMPLES, generator=generator)
    return [((each * (1 + labels[:, None])).double(), labels) for each in noise]


@pytest.fixture
def plain(frontend):
    return Plain(frontend)


@pytest.fixture
def value_of():
    """Function that returns the score of one proxy."""
    return lambda proxy, frontend, batches, **options: score(frontend, batches, [proxy], **options)[0]
