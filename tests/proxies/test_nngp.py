import math

import numpy as np
import pytest
import torch
from untrained.cli import main
from untrained.frontends.baselines import MFCC
from untrained.frontends.musical import Temporal
from untrained.proxies.nngp import nngp_score

N_CLASSES = 3


def batch(seed, n=9):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % N_CLASSES
    gains = 0.1 + labels[:, None].float()
    return gains * torch.randn(n, 4000, generator=generator), labels


BATCHES = [batch(0), batch(1), batch(2, 6)]


def by_hand(frontends):
    """The formula of the notebook: kernels averaged over networks, and one system for each regulariser."""
    columns = [frontend.columns("last") for frontend in frontends]
    with torch.inference_mode():
        pairs = list(zip(frontends, columns, strict=True))
        train = [np.float64(each(BATCHES[0][0]).numpy())[:, last] for each, last in pairs]
        rest = torch.cat([waveforms for waveforms, _ in BATCHES[1:]])
        validation = [np.float64(each(rest).numpy())[:, last] for each, last in pairs]
    inner = np.mean([F @ F.T for F in train], axis=0)
    outer = np.mean([V @ F.T for V, F in zip(validation, train, strict=True)], axis=0)
    y = np.eye(N_CLASSES)[BATCHES[0][1].numpy()] - 1 / N_CLASSES
    known = torch.cat([labels for _, labels in BATCHES[1:]]).numpy()
    accuracies = []
    for strength in np.logspace(-7, 2, 20):
        system = inner + strength * np.trace(inner) / len(inner) * np.eye(len(inner))
        accuracies.append(np.mean((outer @ np.linalg.solve(system, y)).argmax(1) == known))
    return max(accuracies)


@pytest.mark.parametrize("seeds", [[0], [3, 4]])
def test_the_score_is_that_of_the_notebook(seeds):
    frontends = [Temporal(n_filters=4, seed=seed) for seed in seeds]
    found = nngp_score(frontends, BATCHES, N_CLASSES)
    assert found.value == pytest.approx(by_hand(frontends))
    assert found.reason == ""


def test_a_frontend_without_feature_maps_gives_all_of_its_features():
    assert 0 <= nngp_score([MFCC()], BATCHES, N_CLASSES).value <= 1


def test_what_prevents_the_score_is_a_reason():
    alone = nngp_score([MFCC()], BATCHES[:1], N_CLASSES)
    assert math.isnan(alone.value)
    assert "'nngp' of frontend 'mfcc': it needs a batch to fit and another to validate on" in alone.reason
    one_class = [(waveforms, torch.zeros_like(labels)) for waveforms, labels in BATCHES]
    assert "of one class" in nngp_score([MFCC()], one_class, N_CLASSES).reason
    broken = Temporal(n_filters=4)
    broken.represent = None
    assert "TypeError" in nngp_score([broken], BATCHES, N_CLASSES).reason


def test_the_command_shows_it_alone_and_with_all_others(capsys):
    data = ["--data", "synthetic", "--data.task", "events", "--data.n_samples", "4000", "--n_clips", "8"]
    words = ["proxy", "--model.frontend", "temporal", "--model.frontend.n_filters", "4", *data, "--proxies", "nngp"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert [line.split()[1] for line in out.splitlines() if line.startswith("│")] == ["nngp"]
