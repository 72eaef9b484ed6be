"""Fixtures that compare frontends with the numbers of the original code, and with its description in NumPy."""

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from untrained.frontends import LogMel


@pytest.fixture
def maps_with_its_weights():
    """Feature maps of a frontend with the weights and the input of the original code."""

    def maps(frontend, data):
        weights = iter(sorted(name for name in data if name[0] == "w"))
        for module in frontend.modules():
            if isinstance(module, torch.nn.Conv1d | torch.nn.Conv2d):
                kernel = torch.from_numpy(data[next(weights)])
                # The rows of a one-dimensional frontend are a separate axis in the original code, and channels here.
                module.weight.copy_(kernel.permute(*reversed(range(kernel.ndim))).reshape(module.weight.shape))
                module.bias.copy_(torch.from_numpy(data[next(weights)]))
        assert next(weights, None) is None
        x = torch.from_numpy(data["x"])
        return frontend.feature_maps(x[..., 0] if x.shape[2] == 1 else x.transpose(1, 2))

    return maps


@pytest.fixture
def assert_maps_equal_the_original(reference, maps_with_its_weights):
    def check(name, frontend, layers):
        data = reference(name)
        maps = maps_with_its_weights(frontend, data)
        assert len(maps) == len(layers)
        for found, layer in zip(maps, layers.values(), strict=True):
            channels_last = np.moveaxis(found.numpy(), 1, -1)
            if found.ndim == 4:
                channels_last = channels_last.swapaxes(1, 2)
            shape = tuple(data[f"shape{layer}"])
            channels_last = channels_last.reshape(shape)
            means = f"g{layer}" if f"g{layer}" in data else f"f{layer}"
            tolerance = 1e-5 * np.abs(channels_last).max()
            positions = found.numpy().reshape(*found.shape[:2], -1)
            assert np.abs(positions.mean(2) - data[means]).max() < tolerance
            assert np.abs(channels_last[:, :3] - data[f"head{layer}"]).max() < tolerance
            assert np.abs(channels_last[:, -3:] - data[f"tail{layer}"]).max() < tolerance

    return check


# Layers without reference numbers are compared with the description of the study.


@pytest.fixture(scope="session")
def correlate():
    """Cross-correlation in float64; x is (channels, *positions), padding (before, after) for each axis."""

    def correlate(x, conv, padding=((0, 0), (0, 0)), stride=1):
        kernel, bias = conv.weight.double().numpy(), conv.bias.double().numpy()
        padded = np.pad(x.astype(float), ((0, 0), *padding[: x.ndim - 1]))
        windows = sliding_window_view(padded, kernel.shape[2:], axis=tuple(range(1, x.ndim)))
        if x.ndim == 2:
            return np.einsum("ctk,ock->ot", windows[:, ::stride], kernel, optimize=True) + bias[:, None]
        return np.einsum("cftkl,ockl->oft", windows, kernel, optimize=True) + bias[:, None, None]

    return correlate


@pytest.fixture(scope="session")
def with_biases():
    """Replace the biases of a frontend, which are zero, by random ones."""

    def with_biases(frontend):
        generator = torch.Generator().manual_seed(1)
        for name, parameter in frontend.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(generator=generator)
        return frontend

    return with_biases


@pytest.fixture(scope="session")
def assert_same_maps():
    def check(frontend, x, expected):
        found = frontend.feature_maps(torch.from_numpy(x)[None])
        assert len(found) == len(expected)
        for layer, wanted in zip(found, expected, strict=True):
            assert np.abs(layer[0].numpy().reshape(wanted.shape) - wanted).max() < 1e-5 * np.abs(wanted).max()

    return check


@pytest.fixture(scope="session")
def spectrogram():
    return LogMel()(torch.randn(1, 12_000, generator=torch.Generator().manual_seed(0)))[0].numpy()


@pytest.fixture(scope="session")
def waveform():
    return torch.randn(3001, generator=torch.Generator().manual_seed(0)).numpy()


# Layers of any size are compared with those of PyTorch.


@pytest.fixture(scope="session")
def assert_as_torch():
    """Check that the error is below a fraction of the largest value of the layer."""

    def check(found, expected, tolerance=1e-4):
        assert found.shape == expected.shape
        assert (found - expected).abs().max() <= tolerance * expected.abs().max()

    return check


@pytest.fixture(scope="session")
def drawn():
    """Draw the weights of a layer from a normal distribution."""

    def draw(conv, seed=0):
        generator = torch.Generator().manual_seed(seed)
        for parameter in conv.parameters():
            parameter.requires_grad_(False).copy_(torch.randn(parameter.shape, generator=generator))
        return conv

    return draw
