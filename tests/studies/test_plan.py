import json
import re
from pathlib import Path

import pytest
import yaml
from untrained.parsing import load_names
from untrained.studies.plan import plan, study_parser


def test_the_example_of_the_guide_is_a_study(sounds):
    guide = (Path(__file__).parents[2] / "docs/reference/configuration.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    load_names()
    config = study_parser().parse_object(yaml.safe_load(example.replace("~/sounds", str(sounds))))
    study = plan(config, "32-true", Path("runs"))
    assert {run.key.params["frontend"] for run in study.runs} == {
        *("vgg", "vgg-n_filters=64", "mfcc", "logmel_stats"),
        *("vgg-pooling=mean_std", "vgg-n_filters=64-pooling=mean_std"),
    }
    assert {run.key.params["backend"] for run in study.runs} == {
        *("svm", "elm", "elm-alpha=1.0"),
        *("svm-standardize=none", "elm-standardize=none", "elm-alpha=1.0-standardize=none"),
    }
    assert study.controls == ["logmel_stats"]
    # Two lengths of clips. With an SVM, mfcc and the control are not random and run once for all seeds.
    assert len(study.runs) == 2 * (4 * 6 * 3 + 2 * (2 * 1 + 4 * 3))


@pytest.mark.filterwarnings("default:.*it is kept as metrics.json.damaged:UserWarning")
def test_a_changed_study_moves_runs_aside_and_restores_them(untrained, tmp_path, results_of, little, tiny):
    """Finished runs are found under any name, and TensorBoard shows only the runs of the current study."""
    (tmp_path / "study.yaml").write_text(little)
    few = ["--frontends", "[mfcc]"]
    assert untrained("compare", "study.yaml", *few)[0] == 0
    other = ["--datamodules", f"[{tiny.replace('clips_per_class: 4', 'clips_per_class: 5')}]"]
    assert "[1/1]" in untrained("compare", "study.yaml", *few, *other)[2]
    assert len(list((tmp_path / "runs/small").rglob("seed*/events*"))) == 1
    both = ["--datamodules", f"[{tiny}, {tiny.replace('clips_per_class: 4', 'clips_per_class: 5')}]"]
    _, out, err = untrained("compare", "study.yaml", *few, *both)
    assert err.splitlines()[0] == "2 of 2 runs are done already"
    assert "[1/" not in err
    assert "synthetic-events-clips_per_class=4" in out
    swapped = ["--datamodules", f"[{tiny.replace('clips_per_class: 4', 'clips_per_class: 5')}, {tiny}]"]
    assert "2 of 2 runs are done already" in untrained("compare", "study.yaml", *few, *swapped, "--seeds", "[3]")[2]
    assert "1 of 1 runs are done already" in untrained("compare", "study.yaml", *few)[2]
    assert [row["run"] for row in results_of(tmp_path)] == ["synthetic-events/mfcc/nearest_class/seed0"]
    assert "1 done, 0 to do" in untrained("compare", "study.yaml", *few, *other, "--dry_run")[1]
    metrics = tmp_path / "runs/small/synthetic-events/mfcc/nearest_class/seed0/metrics.json"
    text = metrics.read_text()
    for identity in ("of another version", "../../x", 3, ["a/b"]):
        metrics.write_text(json.dumps({**json.loads(text), "identity": identity}))
        assert "0 done, 1 to do" in untrained("compare", "study.yaml", *few, "--dry_run")[1]
    earlier = tmp_path / "runs" / "small-earlier"
    kept = set(earlier.iterdir())
    for damaged in ("damaged", metrics.read_text()):
        metrics.write_text(damaged)
        (tmp_path / "runs/small/runs.json").write_text("damaged")
        assert "[1/1]" in untrained("compare", "study.yaml", *few)[2]
    assert {path.name for path in set(earlier.iterdir()) - kept} == {"__a_b__"}
    assert "1 of 1 runs are done already" in untrained("compare", "study.yaml", *few, *other)[2]  # it was moved aside


def test_runs_that_share_an_extraction_share_a_calibration(sounds):
    load_names()
    config = study_parser().parse_object(
        {
            "datamodules": [{"class_path": "folder", "init_args": {"root": str(sounds), "folds": 3}}],
            "frontends": ["vgg"],
            "backends": ["knn"],
            "controls": [],
            "model": {"layers": ["all", "last"], "calibrate": [False, True]},
        }
    )
    runs = [run for run in plan(config, "32-true", Path("runs")).runs if run.probe.calibrate]
    assert len(runs) == 2
    assert len({id(run.probe.frontend) for run in runs}) == 1
    assert {run.key.params["calibrate"] for run in runs} == {True}
