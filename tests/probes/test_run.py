from pathlib import Path

import pytest
from untrained import FRONTENDS
from untrained.backends.elm import ELMClassifier
from untrained.backends.sklearn import AnyClassifier
from untrained.backends.svm import SVMClassifier
from untrained.datamodules.synthetic import Synthetic
from untrained.frontends.baselines import MFCC
from untrained.probes.probe import Probe
from untrained.probes.record import update_metrics
from untrained.probes.run import MAX_LABEL, Run, RunKey, backend_label, data_label, frontend_label


def test_labels_show_arguments_that_are_not_the_default():
    frontend = FRONTENDS.create("temporal", n_filters=4, seed=3)
    assert frontend_label(frontend, {"init": "he_truncated", "layers": "all", "pooling": "max"}) == (
        "temporal-n_filters=4-pooling=max"
    )
    assert frontend_label(FRONTENDS.create("vgg", size="large"), {"layers": [3, 1]}) == "vgg-large-layers=3,1"
    assert backend_label(SVMClassifier(), "zscore") == "svm"
    assert backend_label(SVMClassifier(kernel="rbf"), "zscore") == "svm-kernel=rbf"
    assert backend_label(SVMClassifier(C=5.0), "none") == "svm-C=5.0-standardize=none"
    assert (
        data_label(Synthetic("events", folds=3, batch_size=2, on_error="skip"), 12_000)
        == "synthetic-task=events-folds=3"
    )


def test_the_arguments_of_a_long_label_are_replaced_by_a_digest():
    labels = {backend_label(AnyClassifier("a.B", {"name": "é" * n}), "zscore") for n in range(MAX_LABEL + 1)}
    assert len(labels) == MAX_LABEL + 1
    assert all(len(label.encode()) <= MAX_LABEL for label in labels)


@pytest.mark.parametrize(("protocol", "kind"), [("holdout", "test"), ("nested", "cv")])
def test_a_run_is_done_if_all_of_its_results_exist(tmp_path, protocol, kind):
    key = RunKey({"protocol": protocol}, 0, {}, "", "current", Path())
    run = Run(None, None, key, tmp_path, "")
    files = [tmp_path / "probe.ckpt", tmp_path / f"predictions-{kind}.csv"]
    assert not run.is_done
    update_metrics(tmp_path, {"identity": "current", f"{kind}/accuracy": 0.5})
    for path in files:
        assert not run.is_done
        path.touch()
    assert run.is_done
    assert not run.is_done_in(tmp_path / "elsewhere")
    update_metrics(tmp_path, {"identity": "another"})
    assert not run.is_done


def test_the_memory_of_a_fit_is_not_part_of_the_key():
    data = Synthetic("events", clips_per_class=3, n_samples=4000)
    probes = [Probe(MFCC(), ELMClassifier(), fit_memory=memory) for memory in ("auto", 0.25)]
    assert len({RunKey.of(probe, data, {}, "").identity for probe in probes}) == 1
