import time

import torch
from untrained.embeddings.profile import Profile, Stopwatch, profile_line
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


def test_work_is_summed_over_processes_and_wall_time_is_not():
    one = Profile(n_clips=6, audio=60.0, wall=2.0, decoding=1.0, network=1.0)
    other = Profile(n_clips=4, audio=40.0, wall=4.0, decoding=2.0, network=3.0)
    numbers = Profile.combined([one, other]).as_numbers()
    assert numbers["n_clips"] == 10
    assert numbers["clips_per_second"] == 2.5
    assert numbers["audio_hours_per_hour"] == 25
    assert numbers["seconds_decoding"] == 3
    start = "2.5 clips per second, 25 hours of audio per hour (time summed over processes, in s: decoding 3.0, "
    assert profile_line(numbers).startswith(start)
