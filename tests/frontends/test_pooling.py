import pytest
import torch
from untrained.frontends.pooling import pool


def test_pooling_is_in_float32():
    layer = torch.full((1, 1, 100_000), 0.1, dtype=torch.bfloat16)
    for pooling in ("mean", "mean_std", "max", "mean_max"):
        assert pool(layer, pooling).dtype == torch.float32
    assert pool(layer, "mean").item() == pytest.approx(layer[0, 0, 0].item(), rel=1e-5)
