"""Studies run all combinations, share their embeddings, and record their results."""

import json

import yaml

STUDY = """
name: small
datamodules:
  - {class_path: synthetic, init_args: {task: events, clips_per_class: 6, n_samples: 8000, folds: 3}}
  - {class_path: synthetic, init_args: {task: events, clips_per_class: 5, n_samples: 8000}}
frontends: [{class_path: temporal, init_args: {n_filters: 4}}, mfcc]
controls: []
backends: [nearest_class, elm]
seeds: [0, 1]
"""


def test_compare(untrained, tmp_path, results_of):
    (tmp_path / "study.yaml").write_text(STUDY)
    status, out, err = untrained("compare", "study.yaml")
    assert status == 0
    assert "temporal-n_filters=4" in out
    assert "chance" in out
    results = results_of(tmp_path)
    # For each data set: temporal with two backends and two seeds; mfcc once with nearest_class and twice with elm.
    assert len(results) == 2 * (4 + 3)
    assert {(row["protocol"], row["metric"]) for row in results} == {
        ("nested", "cv/accuracy"),
        ("holdout", "test/accuracy"),
    }
    assert len({row["run"] for row in results}) == len(results)
    assert {row["dataset"] for row in results} == {  # results are not averaged over data sets
        "synthetic-events-clips_per_class=6-folds=3",
        "synthetic-events-clips_per_class=5-folds=None",
    }
    for row in results:
        metrics = json.loads((tmp_path / "runs/small" / row["run"] / "metrics.json").read_text())
        assert metrics[row["metric"]] == float(row["accuracy"])
        assert (tmp_path / "runs/small" / row["run"] / "probe.ckpt").is_file()
    assert (tmp_path / "runs/small/results.png").read_bytes().startswith(b"\x89PNG")
    assert "[14/14]" in err
    for n in (48, 40):
        assert err.count(f" of {n} clips are longer than 0.67 s: only the first 0.67 s are used") == 1
    assert err.count("are longer") == 2  # not once for each frontend, backend and seed
    # Nothing is extracted twice: the data sets share the stores of two seeds of temporal and of mfcc.
    assert len(list((tmp_path / "runs/embeddings").glob("*/manifest.json"))) == 3

    config = tmp_path / "runs/small" / results[0]["run"] / "config.yaml"
    status, out, _ = untrained("fit", "--config", config, "--trainer.default_root_dir", "repeated")
    assert status == 0
    assert f"cv/accuracy {100 * float(results[0]['accuracy']):.2f} %" in out

    status, out, err = untrained("compare", "study.yaml", "--seeds", "[0]", "--backends", "[elm]", "--name", "again")
    assert status == 0
    assert "nothing to do" in err
    again = results_of(tmp_path, "again")
    scores = {(r["dataset"], r["metric"], r["frontend"], r["backend"], r["seed"]): r["accuracy"] for r in results}
    assert all(scores[r["dataset"], r["metric"], r["frontend"], r["backend"], "0"] == r["accuracy"] for r in again)


def test_compare_marks_scores_of_the_protocol_study(untrained, tmp_path, results_of):
    (tmp_path / "study.yaml").write_text(STUDY)
    only_folds = "[{class_path: synthetic, init_args: {task: events, clips_per_class: 4, n_samples: 8000, folds: 2}}]"
    arguments = ["--protocol", "study", "--datamodules", only_folds, "--frontends", "[mfcc, tempo]"]
    status, out, err = untrained("compare", "study.yaml", *arguments, "--backends", "[elm]")
    assert status == 0
    assert err.count("are longer") == 1  # once for two frontends with two seeds each
    assert err.count("repeats") == 1
    assert "frontend tempo needs at least 5.0 s: it repeats the 0.67 s that it reads of each clip 7 times" in err
    assert "chosen on the scored clips" in " ".join(out.split())
    results = results_of(tmp_path)
    assert {row["selected_on_test"] for row in results} == {"True"}


def test_compare_varies_options_of_the_probe(untrained, tmp_path, results_of):
    (tmp_path / "study.yaml").write_text(STUDY + "model: {pooling: [mean, max], layers: [all, last, [0]]}\n")
    one = "[{class_path: synthetic, init_args: {task: events, clips_per_class: 4, n_samples: 8000, folds: 3}}]"
    few = ["--datamodules", one, "--backends", "[elm]", "--seeds", "[0]"]
    frontends = "[{class_path: sample_level, init_args: {n_filters: 2}}, mfcc]"
    status, _, _ = untrained("compare", "study.yaml", *few, "--frontends", frontends)
    assert status == 0
    results = results_of(tmp_path)
    assert {row["frontend"]: row["n_features"] for row in results} == {
        "sample_level-n_filters=2": "14",
        "sample_level-n_filters=2-layers=last": "2",
        "sample_level-n_filters=2-layers=0": "2",
        "sample_level-n_filters=2-pooling=max": "14",
        "sample_level-n_filters=2-layers=last-pooling=max": "2",
        "sample_level-n_filters=2-layers=0-pooling=max": "2",
        "mfcc": "120",  # occurs once, because it has neither feature maps nor layers
    }
    assert len(list((tmp_path / "runs/embeddings").glob("*/manifest.json"))) == 3  # one for each pooling, and mfcc
    (row,) = (row for row in results if row["frontend"] == "sample_level-n_filters=2-layers=0-pooling=max")
    status, out, _ = untrained("fit", "--config", tmp_path / "runs/small" / row["run"] / "config.yaml")
    assert status == 0
    assert f"cv/accuracy {100 * float(row['accuracy']):.2f} %" in out
    both = ["--frontends", "[{class_path: sample_level, init_args: {n_filters: 2}}, mfcc, temporal]", "--name", "both"]
    status, _, err = untrained("compare", "study.yaml", *few, *both, "--model.layers", "[all, [0, 2]]")
    assert status == 0
    assert "skipped in this study: layers=[0, 2]; expected" in err
    assert err.count("because Temporal has 1 layers") == 1
    assert "skipped in this study: MFCC overrides forward()" in err
    results = results_of(tmp_path, "both")
    assert len([row for row in results if row["frontend"].startswith("temporal")]) == 2  # two poolings of all layers
    status, _, err = untrained("compare", "study.yaml", *few, "--frontends", frontends, "--model.layers", "[[7]]")
    assert status == 2
    assert "frontends[0]: layers=[7]; expected" in err


def test_compare_varies_the_standardization(untrained, tmp_path, results_of):
    (tmp_path / "study.yaml").write_text(STUDY + "model: {standardize: [none, zscore]}\n")
    one = "[{class_path: synthetic, init_args: {task: events, clips_per_class: 6, n_samples: 8000, folds: 3}}]"
    few = ["--datamodules", one, "--frontends", "[mfcc]", "--backends", "[svm, elm]", "--seeds", "[0]"]
    status, out, _ = untrained("compare", "study.yaml", *few)
    assert status == 0
    results = results_of(tmp_path)
    score_of = {row["backend"]: float(row["accuracy"]) for row in results}
    assert set(score_of) == {"svm", "svm-standardize=none", "elm", "elm-standardize=none"}
    assert score_of["svm"] != score_of["svm-standardize=none"]
    assert len(list((tmp_path / "runs/embeddings").glob("*/manifest.json"))) == 1
    (row,) = (row for row in results if row["backend"] == "svm-standardize=none")
    config = tmp_path / "runs/small" / row["run"] / "config.yaml"
    assert yaml.safe_load(config.read_text())["model"]["standardize"] == "none"
    status, out, _ = untrained("fit", "--config", config)
    assert f"cv/accuracy {100 * float(row['accuracy']):.2f} %" in out


def test_force_recomputes_each_data_set_in_a_shared_store(untrained, sounds, tmp_path):
    """Two data sets with clips from the same folder share a store."""
    for number, name in enumerate(("one", "two")):
        (tmp_path / name).mkdir()
        files = ("00.wav", ("01.flac", "02.ogg")[number])
        lines = [f"{label}/{label} {file},{label}" for label in ("high", "low") for file in files]
        (tmp_path / name / "clips.csv").write_text("\n".join(["path,label", *lines, ""]))
    one, two = (
        f"{{class_path: manifest, init_args: {{path: {name}/clips.csv, root: {sounds}, n_samples: 8000, folds: 2}}}}"
        for name in ("one", "two")
    )
    (tmp_path / "study.yaml").write_text(
        f"datamodules: [{one}, {two}]\nfrontends: [mfcc]\ncontrols: []\nbackends: [elm]\nprotocol: study\n"
    )
    assert untrained("compare", "study.yaml")[0] == 0
    status, _, err = untrained("compare", "study.yaml", "--force")
    assert status == 0
    assert err.count("4 of 4 clips computed") == 2
    assert len(list((tmp_path / "runs/embeddings").glob("*/manifest.json"))) == 1
    assert "force: false" in (tmp_path / "runs/study/study.yaml").read_text()
    (store,) = (path.parent for path in tmp_path.glob("runs/embeddings/*/manifest.json"))
    assert " 6 " in untrained("list", "embeddings")[1]
    for shard in (store / "shards").iterdir():
        shard.write_bytes(b"junk")
    assert "are done already" in untrained("compare", "study.yaml")[2]  # finished runs need no embeddings
    assert "compute it again with --force" in untrained("compare", "study.yaml", "--seeds", "[1]")[2]
    assert untrained("compare", "study.yaml", "--force")[0] == 0
