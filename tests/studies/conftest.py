import csv
import json
import shutil

import pytest
from untrained.frontends.baselines import MFCC
from untrained.probes.record import Predictions, csv_line, read_metrics, update_metrics, write_predictions
from untrained.registry import FRONTENDS
from untrained.studies.analysis import analyse
from untrained.studies.page import page
from untrained.studies.results import Result, read


@pytest.fixture(scope="session")
def analysis(study):
    found = read(study)
    return analyse(found.results, study, found.controls)


@pytest.fixture(scope="session")
def made():
    """Function that returns a result of a study."""

    def made(frontend, seed=0, **changes):
        values = {
            "dataset": "my copy",
            "datamodule": "gtzan",
            "frontend": frontend,
            "backend": "svm",
            "seed": seed,
            "run": f"{frontend}-{seed}",
            "input": "spectrogram",
            "filters": "many",
            "protocol": "holdout",
            "selected_on_test": False,
            "metric": "test/accuracy",
            "accuracy": 0.5,
            "balanced_accuracy": 0.5,
            "macro_f1": 0.5,
            "accuracy_low": 0.4,
            "accuracy_high": 0.6,
            "best_candidate": "C=1",
            "n_features": 3585,
            "n_parameters": 10,
            "flop": 1000,
            "seconds_per_clip": None,
            "n_clips": 60,
            "n_classes": 2,
            "seconds": 1.0,
        }
        return Result(**{**values, **changes})

    return made


@pytest.fixture(scope="session")
def kept():
    """Function that writes the predictions of a result, of which the first `n_right` are correct."""

    def kept(folder, result, n_right, n=60, groups=None, pooling="mean"):
        given = ["a"] * n_right + ["b"] * (n - n_right)
        ids = [f"{index:02d}" for index in range(n)]
        name = f"predictions-{result.metric.split('/')[0]}.csv"
        folds = [""] * n if result.metric == "test/accuracy" else [str(index % 3) for index in range(n)]
        write_predictions(folder / result.run / name, Predictions(ids, folds, groups or [""] * n, ["a"] * n, given))
        options = {"init": "he_truncated", "layers": "all", "pooling": pooling, "standardize": "zscore", "tf32": False}
        arguments = {} if result.frontend == "mfcc" else {"seed": result.seed}
        embeddings = {"frontend": result.frontend.partition("-")[0], "arguments": arguments, "n_samples": 8000}
        embeddings |= {"fit_length": "repeat", "precision": "32-true", "source": {"datamodule": "gtzan"}}
        key = {**options, "backend": "svm", "backend_arguments": {"C": 1}, "clips": "1", "protocol": result.protocol}
        update_metrics(folder / result.run, {"key": {**key, "embeddings": embeddings}})
        return result

    return kept


class RaisesWhenMade(MFCC):
    """Frontend whose constructor raises."""

    def __init__(self, *, seed: int = 0) -> None:
        raise KeyError("what it needs")


@pytest.fixture
def raises_when_made():
    """Register a frontend whose constructor raises."""
    FRONTENDS.register("raises_when_made")(RaisesWhenMade)


ODD = "</script><script>alert(1)</script><!-- \u2028 \"'&"
"""A name that would run as code in a page that does not escape it."""


@pytest.fixture(scope="session")
def odd_study(study, tmp_path_factory):
    """Folder of a study with markup in its names and messages, and with a run that failed."""
    folder = tmp_path_factory.mktemp("odd") / "odd <b> & \u202e"
    shutil.copytree(study, folder, ignore=shutil.ignore_patterns("_study", "*.ckpt", "00000", "events.*"))
    listed = json.loads((folder / "runs.json").read_text())
    for run in listed["runs"]:
        run["frontend"] = run["frontend"].replace("mfcc", f"mfcc{ODD}")
        predictions = next((folder / run["run"]).glob("predictions-[ct]*.csv"))
        lines = list(csv.reader(predictions.read_text().splitlines()))
        odd = [[ODD if cell == "siren" else cell for cell in line] for line in lines]
        predictions.write_text("".join(csv_line(line) for line in odd), newline="")
    failed = {**listed["runs"][0], "seed": 7, "run": "synthetic-events/x/y/seed7"}
    (folder / failed["run"]).mkdir(parents=True)
    (folder / failed["run"] / "error.txt").write_text(f"ValueError: {ODD}\n\nTraceback\n")
    (folder / "runs.json").write_text(json.dumps({**listed, "runs": [*listed["runs"], failed]}))
    with (folder / "study.yaml").open("a") as file:
        file.write(f"# {ODD}</code></pre><img src=x onerror=alert(2)>\n")
    return folder


@pytest.fixture(scope="session")
def odd_page(odd_study):
    """Page of `odd_study`."""
    found = read(odd_study)
    analysis = analyse(found.results, odd_study, found.controls)
    given = {
        "config": (odd_study / "study.yaml").read_text("utf-8"),
        "how_to_read": "- **One** `x`.\n",
        "protocols": {"nested": "N", "holdout": "H"},
    }
    path = odd_study / "report.html"
    path.write_bytes(page(odd_study, analysis, found.failures, 1, **given).encode())
    return path


@pytest.fixture
def trained_weights(tmp_path, made, kept):
    """Analysis of two frontends with random and trained weights, and of one that cannot be trained."""
    results = [kept(tmp_path, made("mfcc", seconds_per_clip=0.5), 40)]
    for name, n_right in (("vgg", 20), ("temporal", 30)):
        random = [made(name, seed, seconds_per_clip=0.5) for seed in (0, 1)]
        results += [kept(tmp_path, each, n_right) for each in random]
        for weights, backend, more in (("linear", "frozen-last", 5), ("trained", "trained-last", 25)):
            for seed in (0, 1):
                run = {"backend": backend, "run": f"{name}-{backend}-{seed}", "weights": weights, "clip_passes": 1000}
                result = kept(tmp_path, made(name, seed, **run), n_right + more)
                key = read_metrics(tmp_path / result.run)["key"]
                training = {"head": "last", "learning_rate": 0.001}
                changed = {"backend": backend, "training": training, "layers": "last", "weights": weights}
                update_metrics(tmp_path / result.run, {"key": {**key, **changed}})
                results.append(result)
    return analyse(results, tmp_path, ["mfcc"])
