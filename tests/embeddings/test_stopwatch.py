import time

import torch
from untrained.embeddings.stopwatch import Stopwatch
from untrained.frontends import Frontend, Waveform


class Sleepy(Frontend):
    """Frontend whose parts take a known time."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = Late()

    def feature_maps(self, x):
        time.sleep(0.05)
        return [x[:, None]]


class Late(Waveform):
    def forward(self, waveform):
        time.sleep(0.02)
        return waveform


def test_representation_and_network_are_timed_separately():
    frontend = Sleepy()
    _ = frontend.embedding_size
    watch = Stopwatch(frontend)
    for _ in range(3):
        frontend(torch.zeros(1, 8))
        watch.read()
    assert 0.06 <= watch.representation < watch.network
    assert watch.network >= 0.15
    watch.remove()
    before = watch.network
    frontend(torch.zeros(1, 8))
    watch.read()
    assert watch.network == before
