"""Tiny networks in float64, over a waveform and over a grid, and their definition in plain functions."""

import torch
from torch import nn
from torch.nn.functional import conv1d, conv2d, cross_entropy
from untrained import Frontend, Waveform
from untrained.training.heads import make_head

N_SAMPLES, N_CLIPS, N_CLASSES = 48, 10, 3  # more clips than a chunk


class Grid(nn.Module):
    """Columns of 8 samples."""

    def forward(self, waveform):
        return waveform.unfold(1, 8, 8).transpose(1, 2)


class Tiny(Frontend):
    """Two convolutions with ReLU over the waveform (1) or a grid (2)."""

    def __init__(self, n_axes: int = 1, norm: bool = False, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        conv, batch_norm = (nn.Conv1d, nn.BatchNorm1d) if n_axes == 1 else (nn.Conv2d, nn.BatchNorm2d)
        self.representation = Waveform() if n_axes == 1 else Grid()
        self.first, self.second = conv(1, 4, 3), conv(4, 5, 3)
        self.norm = batch_norm(4) if norm else nn.Identity()

    def feature_maps(self, x):
        first = self.norm(self.first(x[:, None])).relu()
        return [first, self.second(first).relu()]


def with_biases(frontend):
    """Return a frontend in float64 with biases other than 0."""
    frontend.double()
    for conv in (frontend.first, frontend.second):
        conv.bias.copy_(0.1 * torch.randn(conv.bias.shape, generator=torch.Generator().manual_seed(1)))
    return frontend


class Plain:
    """A tiny network as plain functions of its input and parameters, without modules of ours."""

    def __init__(self, frontend, n_classes=N_CLASSES):
        self.conv = conv1d if isinstance(frontend.first, nn.Conv1d) else conv2d
        head = make_head("linear", 9, n_classes, frontend.seed)[1].double()
        layers = (frontend.first, frontend.second, head)
        self.weights = [layer.weight.detach().clone().requires_grad_() for layer in layers]
        self.biases = [layer.bias.detach().clone() for layer in layers]

    def inputs(self, waveforms):
        return waveforms if self.conv is conv1d else waveforms.reshape(len(waveforms), 6, 8).transpose(1, 2)

    def maps(self, x):
        first = self.conv(x[:, None], self.weights[0], self.biases[0]).clamp(min=0)
        return first, self.conv(first, self.weights[1], self.biases[1]).clamp(min=0)

    def logits(self, x, norm=(1 + 1e-5) ** 0.5):
        embedding = torch.cat([each.flatten(2).mean(2) for each in self.maps(x)], dim=1)
        return embedding / norm @ self.weights[2].T + self.biases[2]

    def gradients(self, batch):
        waveforms, labels = batch
        loss = cross_entropy(self.logits(self.inputs(waveforms)), labels)
        return [gradient.numpy() for gradient in torch.autograd.grad(loss, self.weights)]
