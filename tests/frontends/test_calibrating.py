"""Calibration: input scalars and statistics of BatchNorm from unlabelled clips."""

import copy

import pytest
import torch
from torch import nn
from untrained import Frontend
from untrained.frontends import LogMel, Waveform
from untrained.frontends.baselines import MFCC, LogMelProjection
from untrained.frontends.calibrating import needs_calibration
from untrained.frontends.hear import Hear
from untrained.frontends.sample_level import SampleLevel
from untrained.frontends.vertical import Vertical7x86


class Normed(Frontend):
    """Two layers with BatchNorm, whose input is a log-mel spectrogram without being stated as such."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = LogMel()
        self.first, self.norm = nn.Conv2d(1, 3, 5), nn.BatchNorm2d(3)
        self.second, self.last = nn.Conv2d(3, 2, 5), nn.BatchNorm2d(2)
        self.dropout = nn.Dropout(0.5)

    def feature_maps(self, x):
        h = self.dropout(self.norm(self.first(x[:, None])).relu())
        return [h, self.last(self.second(h))]


class Flat(Frontend):
    """BatchNorm of one value for each clip."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = Waveform()
        self.linear, self.norm = nn.Linear(100, 3), nn.BatchNorm1d(3)

    def feature_maps(self, x):
        return [self.norm(self.linear(x[:, :100]))]


@pytest.fixture(scope="module")
def batches():
    generator = torch.Generator().manual_seed(0)
    return [gain * torch.randn(2, 3000, generator=generator) for gain in (0.01, 0.1, 1.0)]


def test_spectrograms_are_normalised_by_two_scalars(batches):
    frontend = Vertical7x86(n_filters=2)
    before = frontend.represent(torch.cat(batches))
    frontend.calibrate(batches)
    mean, deviation = frontend.input_scalars
    assert mean == pytest.approx(float(before.double().mean()), rel=1e-6)
    assert deviation == pytest.approx(float(before.double().std(correction=0)), rel=1e-6)
    after = frontend.represent(torch.cat(batches))
    torch.testing.assert_close(after, (before - mean) / deviation)
    assert (
        copy.deepcopy(frontend).input_scalars == frontend.with_options(pooling="max").input_scalars == (mean, deviation)
    )
    assert set(frontend.state_dict()) == set(Vertical7x86(n_filters=2).state_dict())
    frontend.calibrate(iter(batches))  # again, from the same spectrograms; without BatchNorm, one pass suffices
    assert frontend.input_scalars == (mean, deviation)


def test_only_networks_on_spectrograms_have_input_scalars(batches):
    for cls, has in ((SampleLevel, False), (MFCC, False), (LogMelProjection, True), (Normed, True)):
        frontend = cls()
        frontend.calibrate(batches)
        assert (frontend.input_scalars != (0.0, 1.0)) is has
    waveform = SampleLevel(n_filters=2)
    waveform.input_scalars = (5.0, 2.0)
    assert torch.equal(waveform.represent(batches[0]), batches[0])


def test_statistics_are_those_of_all_batches(batches):
    frontend = Normed()
    assert needs_calibration(frontend)
    frontend.calibrate(batches)
    assert not needs_calibration(frontend)
    assert not any(module.training for module in frontend.modules())
    assert [layer.momentum for layer in (frontend.norm, frontend.last)] == [0.1, 0.1]
    maps = [frontend.first(frontend.represent(batch)[:, None]) for batch in batches]
    everything = torch.cat(maps)  # the variance between batches counts, too
    torch.testing.assert_close(frontend.norm.running_mean, everything.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(frontend.norm.running_var, everything.var((0, 2, 3)), rtol=1e-2, atol=1e-5)
    again = Normed()
    again.calibrate(batches[:1])
    again.calibrate(batches)  # nothing of the first remains
    for name, value in frontend.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value)


def test_a_pretrained_model_keeps_its_statistics(batches):
    frontend = Hear("untrained.hear", "temporal")
    state = copy.deepcopy(frontend.state_dict())
    frontend.calibrate(batches)
    assert frontend.input_scalars == (0.0, 1.0)
    assert all(torch.equal(value, state[name]) for name, value in frontend.state_dict().items())


@pytest.mark.parametrize(
    ("make", "clips", "message"),
    [
        (Vertical7x86, [], "cannot calibrate Vertical7x86: there are no clips; give batches"),
        (Flat, [], "cannot calibrate Flat: there are no clips"),
        (Flat, [torch.ones(1, 100)], "Flat: a batch of 1 clip leaves one value .* give larger batches"),
        (Flat, iter([torch.ones(2, 100)]), "Flat: waveforms is an iterator.*second pass; give a list"),
        (
            Vertical7x86,
            [torch.zeros(3000)],
            r"Vertical7x86: a batch has shape \(3000,\); expected \(batch, n_samples\)",
        ),
        (Vertical7x86, [torch.zeros(2, 3000)], "Vertical7x86: all values of the spectrograms are -100, .*silent clips"),
        (Vertical7x86, [torch.full((1, 3000), torch.nan)], "Vertical7x86: the spectrogram of a clip is not finite"),
        (Flat, [torch.full((2, 100), torch.nan)], "Flat: the statistics of norm are not finite"),
    ],
)
def test_unusable_clips_are_refused_and_change_nothing(make, clips, message):
    frontend = make()
    state, modes = copy.deepcopy(frontend.state_dict()), [module.training for module in frontend.modules()]
    with pytest.raises(ValueError, match=message):
        frontend.calibrate(clips)
    assert frontend.input_scalars == (0.0, 1.0)
    assert all(torch.equal(value, state[name]) for name, value in frontend.state_dict().items())
    assert [module.training for module in frontend.modules()] == modes
