import json
import shutil

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from untrained.cli import main
from untrained.frontends.musical import Temporal
from untrained.frontends.trained import load_weights
from untrained.probes.fitted import load_probe
from untrained.probes.record import read_candidates, read_metrics, read_predictions
from untrained.training.parts import Part
from untrained.training.stages import _name

from .conftest import CLIPS, TEMPORAL, Kill, KilledError


def test_a_training_is_a_run_like_any_other(trained):
    metrics = read_metrics(trained)
    assert metrics["weights"] == "trained"
    assert metrics["protocol"] == "holdout"
    assert metrics["best_candidate"] == {"learning_rate": 0.01}
    files = {"probe.ckpt", "frontend.safetensors", "last.ckpt", "config.yaml"}
    assert {path.name for path in trained.iterdir()} >= files
    assert not list(trained.glob("best*"))
    for kind in ("val", "test"):
        predictions = read_predictions(trained / f"predictions-{kind}.csv")
        right = [true == given for true, given in zip(predictions.labels, predictions.predicted, strict=True)]
        assert metrics[f"{kind}/accuracy"] == pytest.approx(sum(right) / len(right))
    (candidate,) = read_candidates(trained)
    assert candidate.accuracy == metrics["val/accuracy"]
    assert (trained.parent / "latest").read_text().strip() == trained.name


def test_curves_are_in_tensorboard(trained):
    events = EventAccumulator(str(trained), size_guidance={"scalars": 0}).Reload()
    losses = events.Scalars("val/loss")
    assert len(losses) == 8
    for name in ("train/loss", "train/accuracy", "learning_rate", "gradient_norm"):
        assert len(events.Scalars(name)) == 8, name
    metrics = read_metrics(trained)
    best = min(range(8), key=lambda index: losses[index].value)
    assert metrics["best_step"] == best + 1
    assert events.Scalars("val/accuracy")[best].value == pytest.approx(metrics["val/accuracy"])
    assert events.Scalars("val/accuracy")[-1].value == pytest.approx(metrics["val/accuracy"])


def test_the_probe_holds_the_trained_network(trained):
    fitted = load_probe(trained)
    mean, deviation = fitted.frontend.input_scalars
    assert mean < 0 < deviation  # of a spectrogram in dB
    drawn = Temporal(n_filters=4)
    assert not torch.equal(next(fitted.frontend.parameters()), next(drawn.parameters()))
    loaded = load_weights(drawn, trained / "frontend.safetensors")
    waveform = torch.randn(2, 4000, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(loaded(waveform), fitted.frontend(waveform))


@pytest.fixture
def again(trained, tmp_path, monkeypatch):
    """Repeats the run of `trained` in an empty folder, from its configuration, until a step; then resumes it."""

    def run(*words, kill_at=None):
        config = tmp_path / "config.yaml"
        shutil.copyfile(trained / "config.yaml", config)
        with monkeypatch.context() as patch:
            if kill_at is not None:
                add_callback(patch, Kill(kill_at))
            main(["train", "--config", str(config), "--trainer.default_root_dir", str(tmp_path / "runs"), *words])

    return run


def add_callback(patch, callback):
    from untrained.training import fitting

    original = fitting.train_once

    def with_callback(*args, **options):
        return original(*args[:4], [*args[4], callback], *args[5:], **options)

    patch.setattr("untrained.training.stages.train_once", with_callback)


def test_a_killed_training_ends_with_the_same_weights(again, trained, tmp_path, capsys):
    with pytest.raises(KilledError):
        again(kill_at=5)
    again()
    assert "resuming after epoch 2" in capsys.readouterr().err
    (probe,) = tmp_path.rglob("probe.ckpt")
    resumed, whole = (torch.load(path, weights_only=True) for path in (probe, trained / "probe.ckpt"))
    assert all(map(torch.equal, resumed["state_dict"].values(), whole["state_dict"].values()))
    assert torch.equal(resumed["backend"]["skops"], whole["backend"]["skops"])
    last, other = (
        torch.load(folder / "last.ckpt", weights_only=True)["state_dict"] for folder in (probe.parent, trained)
    )
    assert all(map(torch.equal, last.values(), other.values()))

    again()
    assert "run is already complete; pass --force to repeat it" in capsys.readouterr().out


def test_close_learning_rates_have_different_names():
    part = Part("holdout", [], [], [])
    assert _name(part, 0.01) == "holdout-0.01"
    assert _name(part, 0.010000001) == "holdout-0.010000001"


def test_several_learning_rates_and_folds(tmp_path, capsys):
    words = [*CLIPS, "--data.clips_per_class", "6", "--data.folds", "2", *TEMPORAL, "--trainer.max_steps", "2"]
    rates = ["--model.learning_rate", "[0.001, 1e20]", "--model.head", "musicnn"]
    assert main(["train", *words, *rates, "--trainer.default_root_dir", str(tmp_path)]) == 0
    assert "learning rate 1e+20 failed and is skipped" in capsys.readouterr().err
    (path,) = tmp_path.rglob("metrics.json")
    metrics = json.loads(path.read_text())
    assert metrics["best_candidate"] == {"learning_rate": 0.001}
    assert [each["candidate"] for each in metrics["failed_candidates"]] == [{"learning_rate": 1e20}] * 3
    assert len(metrics["fold_scores"]) == 2
    predictions = read_predictions(path.with_name("predictions-cv.csv"))
    assert len(set(predictions.ids)) == len(predictions.ids) == 48
    assert set(predictions.folds) == {"0", "1"}
    assert {found.name for found in path.parent.rglob("*.ckpt")} == {"probe.ckpt", "last.ckpt"}
    assert load_probe(path.parent).recipe.pooling == "mean_max"
