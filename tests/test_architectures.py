"""Drawings of the architectures in the manual."""

import architectures
import pytest
import torch
from untrained import FRONTENDS

COLUMNS = {
    "vgg": [1] * 5,
    "vertical_7x96": [1],
    "vertical_7x86": [1],
    "timbral": [6],
    "temporal": [4],
    "timbral_temporal": [10],
    "sample_level": [1] * 7,
    "frame_level": [1] * 4,
    "frame_level_many": [5, 1, 1, 1],
}


@pytest.mark.parametrize("name", COLUMNS)
def test_layers_are_found_in_the_order_of_execution(name):
    frontend = FRONTENDS.create(name)
    waveform = torch.randn(1, frontend.min_samples)
    found = architectures.anatomy(frontend, waveform)
    assert [len(column) for column in found.columns] == COLUMNS[name]
    assert sum(found.n_maps) == frontend.embedding_size
    # Every convolution is drawn once, and all of their maps are averaged.
    assert sum(module.out_channels for column in found.columns for module, _ in column) == frontend.embedding_size
    assert len(architectures.draw(frontend, waveform).axes) == 2


def test_every_frontend_of_the_study_is_drawn():
    assert {name for name in FRONTENDS.names() if hasattr(FRONTENDS.get(name), "filters")} == set(COLUMNS)


@pytest.mark.parametrize(("family", "design"), architectures.DRAWN)
def test_designs_of_the_grammar_are_drawn(family, design):
    frontend = FRONTENDS.create("drawn", family=family, design=design)
    waveform = torch.randn(1, frontend.min_samples)
    found = architectures.anatomy(frontend, waveform)
    assert [len(column) for column in found.columns] == [len(layer.shapes) for layer in frontend.plan.design.layers]
    assert sum(module.out_channels for column in found.columns for module, _ in column) == frontend.embedding_size
    heard = architectures.draw(frontend, waveform).axes[0]
    assert len(heard.patches) == len(found.columns[0])
    if family == "temporal":  # each filter reads all bands
        assert heard.patches[0].get_height() == 96
