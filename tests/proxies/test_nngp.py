import math

import numpy as np
import pytest
import torch
from tiny_networks import Tiny
from untrained.cli import main
from untrained.frontends.baselines import MFCC
from untrained.frontends.calibrating import needs_calibration
from untrained.frontends.musical import Temporal
from untrained.proxies.nngp import nngp_score, parts_of

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


def test_batches_without_a_common_class_and_single_clips_have_a_reason():
    (waveforms, labels), *_ = BATCHES
    disjoint = [(waveforms[labels < 2], labels[labels < 2]), (waveforms[labels == 2], labels[labels == 2])]
    assert "no clip of the further batches is of a class of the first" in nngp_score([MFCC()], disjoint, 3).reason
    single = nngp_score([MFCC()], [(waveforms[:1], labels[:1]), BATCHES[1]], 3).reason
    assert single.endswith("it needs a batch of two clips or more; 1 is given")


def test_batch_norm_is_calibrated_on_the_first_batch_in_a_copy():
    frontend, calibrated = Tiny(norm=True), Tiny(norm=True)
    frontend.double().float()
    calibrated.calibrate(parts_of(BATCHES[0][0]))
    found = nngp_score([frontend], BATCHES, N_CLASSES)
    assert needs_calibration(frontend)
    assert (found.value, found.reason) == (nngp_score([calibrated], BATCHES, N_CLASSES).value, "")


def test_too_little_memory_has_the_same_reason_as_for_other_proxies():
    frontend = Temporal(n_filters=4)
    frontend.min_samples  # noqa: B018

    def represent(waveform):
        raise MemoryError

    frontend.represent = represent
    assert "not enough memory; give shorter clips" in nngp_score([frontend], BATCHES, N_CLASSES).reason


def test_the_command_shows_it_alone_and_with_all_others(capsys):
    data = ["--data", "synthetic", "--data.task", "events", "--data.n_samples", "4000", "--n_clips", "8"]
    words = ["proxy", "--model.frontend", "temporal", "--model.frontend.n_filters", "4", *data, "--proxies", "nngp"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert [line.split()[1] for line in out.splitlines() if line.startswith("│")] == ["nngp"]
