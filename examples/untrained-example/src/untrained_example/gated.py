"""Frontend with gated, dilated convolutions over the waveform."""

import torch
from torch import Tensor, nn
from untrained.frontends import Frontend, Waveform


class Gated(Frontend):
    """Dilated convolutions over the waveform, each with a gate, as in WaveNet (van den Oord et al. 2016).

    Args:
        n_filters: Number of filters of each layer.
        n_layers: Number of gated layers; each has twice the dilation of the previous one.
        seed: Seed of the weights.
    """

    input, filters, domain_knowledge = "waveform", "minimal", False
    reference = "van den Oord et al. 2016, WaveNet: a generative model for raw audio (arXiv 1609.03499)"

    def __init__(self, n_filters: int = 20, n_layers: int = 6, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = Waveform()
        self.first = nn.Conv1d(1, n_filters, 16, stride=8)
        self.filters_and_gates = nn.ModuleList(
            nn.Conv1d(n_filters, 2 * n_filters, 3, dilation=2**layer) for layer in range(n_layers)
        )

    def feature_maps(self, x: Tensor) -> list[Tensor]:  # (batch, n_samples)
        h = self.first(x[:, None])
        maps = []
        for conv in self.filters_and_gates:
            values, gates = conv(h).chunk(2, dim=1)
            h = torch.tanh(values) * torch.sigmoid(gates)
            maps.append(h)
        return maps
