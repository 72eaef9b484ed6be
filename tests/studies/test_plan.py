import re
from pathlib import Path

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
