"""Properties of all frontends of the study."""

import pytest
import torch
from untrained import FRONTENDS

ALL = sorted(set(FRONTENDS.names()) - {"hear"})  # it has a required argument
CNNS = [name for name in ALL if hasattr(FRONTENDS.get(name), "filters")]
# Number of features at both sizes, from the table of the frontends in the study.
FEATURES = {
    "vgg": (160, 3585),
    "vertical_7x96": (160, 3585),
    "vertical_7x86": (160, 3585),
    "timbral": (112, 3584),
    "temporal": (112, 3584),
    "timbral_temporal": (112, 3584),
    "sample_level": (161, 3584),
    "frame_level": (160, 3584),
    "frame_level_many": (160, 3584),
}
# Shortest inputs in samples: for a spectrogram, as many as the padding of half a window or the layers need.
SHORTEST = {
    "vgg": 1279 * 256,
    "vertical_7x96": 6 * 256,
    "vertical_7x86": 6 * 256,
    "timbral": 257,
    "temporal": 257,
    "timbral_temporal": 257,
    "sample_level": 2187,
    "frame_level": 736,
    "frame_level_many": 225,
}


def test_all_frontends_of_the_study_are_registered():
    assert set(CNNS) == set(FEATURES)
    assert set(ALL) - set(CNNS) == {"mfcc", "logmel_stats", "logmel_projection", "tempo", "drawn"}


@pytest.mark.parametrize("name", CNNS)
def test_sizes_of_the_study(name):
    small, default, large = (FRONTENDS.create(name, **given) for given in ({"size": "small"}, {}, {"size": "large"}))
    assert (small.embedding_size, large.embedding_size) == FEATURES[name]
    assert small.min_samples == large.min_samples == SHORTEST[name]
    for parameter, same in zip(small.parameters(), default.parameters(), strict=True):
        assert torch.equal(parameter, same)
    given = FRONTENDS.create(name, n_filters=12)
    assert given.embedding_size * FRONTENDS.get(name).sizes["large"] == large.embedding_size * 12


@pytest.mark.parametrize("name", CNNS)
def test_each_frontend_states_its_origin(name):
    cls = FRONTENDS.get(name)
    year = cls.reference.split(",")[0].split()[-1]
    assert year.isdigit()
    assert year in cls.__doc__
    assert cls.input in ("waveform", "spectrogram")
    assert cls.filters in ("minimal", "single", "many")
    assert cls.domain_knowledge is (cls.filters != "minimal")


@pytest.mark.parametrize("name", CNNS)
def test_maps_in_lower_precision(name, spectrogram):
    frontend = FRONTENDS.create(name, size="small")
    waveform = torch.randn(2, 40_000, generator=torch.Generator().manual_seed(0)) * 0.3
    waveform[1] *= torch.linspace(0, 1, 40_000)
    x = frontend.represent(waveform.repeat(1, 9)[:, : max(40_000, frontend.min_samples)])
    exact = frontend.feature_maps(x)
    with torch.autocast("cpu", torch.bfloat16):
        low = frontend.feature_maps(x)
    for found, wanted in zip(low, exact, strict=True):
        assert found.isfinite().all()
        assert (found.float() - wanted).abs().max() < 0.02 * wanted.abs().max()
