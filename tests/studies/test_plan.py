"""Studies as files: axes and entries, what they are read as, and what is refused before anything runs."""

import json
import re
from pathlib import Path

import pytest
import yaml
from untrained.frontends.baselines import MFCC
from untrained.parsing import load_names
from untrained.registry import FRONTENDS
from untrained.studies.plan import plan, study_parser


def test_axes_over_any_argument(untrained, tmp_path, little):
    (tmp_path / "study.yaml").write_text(
        little.replace("{n_filters: 4}", "{}")
        + "vary: {frontends: {n_filters: [4, 8]}, datamodules: {fit_length: [repeat, zero]}}\n"
    )
    arguments = ["--vary.backends.shrinking", "[true]", "--backends", "[{class_path: svm}, elm]", "--seeds", "[0, 1]"]
    status, out, _ = untrained("compare", "study.yaml", "--dry_run", *arguments[2:])
    assert status == 0
    runs = [line.split(":")[0].removeprefix("runs/small/") for line in out.splitlines() if "seed" in line]
    frontends = ["temporal-n_filters=4", "temporal-n_filters=8"]
    assert set(runs) == {
        f"synthetic-events-fit_length={fit}/{frontend}/{backend}/seed{seed}"
        for fit in ("repeat", "zero")
        for frontend, backend, seed in [
            *((frontend, backend, seed) for frontend in frontends for backend in ("svm", "elm") for seed in (0, 1)),
            ("mfcc", "svm", 0),  # without randomness, it runs once
            *(("mfcc", "elm", seed) for seed in (0, 1)),
        ]
    }
    status, _, err = untrained("compare", "study.yaml", *arguments)
    assert status == 2
    assert "vary.backends.shrinking: none of the backends has this argument" in err


def test_everything_wrong_with_a_study_is_listed_at_once(untrained, tmp_path):
    (tmp_path / "study.yaml").write_text(
        """
        roots: {gtzan: null}
        datamodules:
          - synthetik
          - {class_path: folder, init_args: {root: nowhere}}
          - {class_path: gtzan, init_args: {root: "${....roots.gtzan}", n_sample: 3}}
          - {class_path: synthetic, init_args: {task: music}}
          - {class_path: synthetic, init_args: {folds: 2, clips_per_class: 4}}
        frontends:
          - vgg6
          - {class_path: vgg, init_args: {n_filter: 3}}
          - {class_path: vgg, init_args: {n_filters: 3}}
          - {class_path: temporal, init_args: {n_filters: many}}
          - {init_args: {}}
          - {class_path: torch.nn.Linear, init_args: {in_features: 3}}
          - {class_path: nowhere.Thing}
        backends: []
        vary: {frontends: {n_filters: [1], size: []}}
        model: {init: [he_trunc]}
        protocol: nested
        """
    )
    status, out, err = untrained("compare", "study.yaml", "--seeds", "[]")
    assert (status, out) == (2, "")
    first, *lines = err.splitlines()
    assert first == f"untrained: error: the study cannot run, for {len(lines)} reasons:"
    expected = {
        "roots.gtzan": "no folder is given; add --roots.gtzan DIR",
        "datamodules[0]": "unknown datamodule 'synthetik'; did you mean 'synthetic'?",
        "datamodules[1]": "no folder at root='nowhere'",
        "datamodules[2].n_sample": "gtzan has no such argument; did you mean 'n_samples'?",
        "datamodules[3].task": "Expected one of 'rhythm', 'timbre', 'events'",
        "datamodules[4]": "protocol 'nested' chooses on the folds that it does not score",
        "frontends[0]": "unknown frontend 'vgg6'; did you mean 'vgg'?",
        "frontends[1].n_filter": "vgg has no such argument; did you mean 'n_filters'? it takes n_filters, size, seed",
        "frontends[2].n_filters": "given here, and varied too; leave out one",
        "frontends[3].n_filters": "given here, and varied too; leave out one",
        "frontends[4]": "no class_path; expected a name",
        "frontends[5]": "torch.nn.Linear is no frontend; derive it from untrained.frontends.base.Frontend",
        "frontends[6]": "nowhere.Thing cannot be imported",
        "backends": "empty; give at least one",
        "seeds": "empty; give at least one",
        "vary.frontends.size": "empty; give at least one value",
        "model.init[0]": "Expected one of 'he_truncated'",
    }
    assert {line.strip().split(": ")[0] for line in lines} == set(expected)
    for place, message in expected.items():
        assert any(line.startswith(f"  {place}: {message}") for line in lines), place
    assert not (tmp_path / "runs").exists()
    # What a class itself refuses is found when it is made, which is before anything runs too.
    odd = "[{class_path: vgg, init_args: {n_filters: 0}}, {class_path: temporal, init_args: {n_filters: 3}}]"
    status, _, err = untrained("compare", "synthetic", "--frontends", odd)
    assert status == 2
    assert "frontends[0]: n_filters=0; expected an integer of 1 or more" in err
    assert "frontends[1]: n_filters=3; expected a multiple of 4, as 4" in err


def test_configuration_is_printed_and_read_back(untrained, tmp_path, capsys, little):
    (tmp_path / "study.yaml").write_text(little)
    with pytest.raises(SystemExit, match="0"):
        untrained("compare", "study.yaml", "--seeds", "[3]", "--print_config")
    printed = capsys.readouterr().out
    assert yaml.safe_load(printed)["seeds"] == [3]
    (tmp_path / "again.yaml").write_text(printed)
    status, out, _ = untrained("compare", "again.yaml", "--dry_run")
    assert status == 0
    assert "temporal-n_filters=4/nearest_class/seed3: to do" in out


def test_entries_that_differ_and_entries_that_do_not(untrained, tmp_path, results_of, little):
    """Of two that differ each has its name, and the same one twice is one."""
    (tmp_path / "study.yaml").write_text(little)
    entries = "[{class_path: svm, init_args: {gamma: 0.5}}, {class_path: svm, init_args: {gamma: 0.25}}]"
    status, _, _ = untrained("compare", "study.yaml", "--backends", entries, "--frontends", "[mfcc, mfcc]")
    assert status == 0
    assert {(row["frontend"], row["backend"]) for row in results_of(tmp_path)} == {
        ("mfcc", "svm-gamma=0.5"),
        ("mfcc", "svm-gamma=0.25"),
    }


def test_the_example_of_the_guide_is_a_study(sounds):
    guide = (Path(__file__).parents[2] / "docs" / "studies.md").read_text()
    (example,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    load_names()
    config = study_parser().parse_object(yaml.safe_load(example.replace("~/sounds", str(sounds))))
    study = plan(config, "32-true", Path("runs"))
    assert {run.key.params["frontend"] for run in study.runs} == {
        *("vgg", "vgg-n_filters=64", "mfcc"),
        *("vgg-pooling=mean_std", "vgg-n_filters=64-pooling=mean_std"),
    }
    assert {run.key.params["backend"] for run in study.runs} == {
        *("svm", "elm", "elm-alpha=1.0"),
        *("svm-standardize=zscore", "elm-standardize=zscore", "elm-alpha=1.0-standardize=zscore"),
    }
    # Two lengths; of five variants mfcc has no seeds with an SVM.
    assert len(study.runs) == 2 * (4 * 6 * 3 + 2 * 1 + 4 * 3)


class RaisesWhenMade(MFCC):
    """Raises when it is made."""

    def __init__(self, *, seed: int = 0) -> None:
        raise KeyError("what it needs")


class SaysNothing(MFCC):
    """Raises without a text."""

    def __init__(self, *, seed: int = 0) -> None:
        raise NotImplementedError


def test_what_a_plug_in_raises_is_one_line_in_every_command(untrained):
    FRONTENDS.register("raises_when_made")(RaisesWhenMade)
    FRONTENDS.register("says_nothing")(SaysNothing)
    tiny = ["--data", "synthetic", "--data.n_samples", "4000"]
    no_module = "module='nosuch' cannot be imported (ModuleNotFoundError: No module named 'nosuch')"
    for frontend, message in (
        (["raises_when_made"], "KeyError: 'what it needs'"),
        (["says_nothing"], "a plug-in raises an error without a text when it is made; make it in Python"),
        (["hear", "module", "nosuch"], no_module),
    ):
        name, *option = frontend
        argument = {option[0]: option[1]} if option else {}
        for command in (
            ["predict", *tiny, "--model.frontend"],
            ["fit", *tiny, "--model.backend", "elm", "--model.frontend"],
            ["check", "frontend"],
        ):
            flag = "--frontend" if command[0] == "check" else "--model.frontend"
            more = [f"{flag}.{option[0]}", option[1]] if option else []
            status, out, err = untrained(*command, name, *more)
            assert (status, out) == (2, "")
            assert err.startswith(f"untrained: error: {message}")
            assert err.count("\n") == 1
        entry = json.dumps([{"class_path": name, "init_args": argument}])
        status, _, err = untrained("compare", "--frontends", entry)
        assert status == 2
        assert err == f"untrained: error: frontends[0]: {message if 'says' not in name else 'NotImplementedError'}\n"


def test_a_configuration_that_is_no_utf_8_is_named(untrained, tmp_path):
    (tmp_path / "bad.yaml").write_bytes("name: café".encode("latin-1"))
    (tmp_path / "outer.yaml").write_text("trainer: bad.yaml\n")
    for command in ("compare bad.yaml", "fit --config bad.yaml", "check data --config=bad.yaml"):
        status, _, err = untrained(*command.split())
        assert status == 2
        reason = "unexpected end of data at byte 9"
        assert err == f"untrained: error: bad.yaml is not UTF-8 ({reason}); save it as UTF-8\n"
    status, _, err = untrained("compare", "outer.yaml")
    assert status == 2
    assert "a file that outer.yaml names is not UTF-8" in err


@pytest.mark.parametrize(
    ("study", "message"),
    [
        ("frontends: [raises_when_made]", "frontends[0]: KeyError: 'what it needs'"),
        ("frontends: null", "frontends: nothing is given"),
        ("vary: null", "vary: nothing is given"),
        ("vary: {frontends: null}", "vary.frontends: nothing is given"),
        ("model: null", "model: nothing is given"),
        ("roots: null", "roots: nothing is given"),
        ("seeds: 0", "--seeds: "),
        ("seeds: [many]", "seeds[0]: Expected int"),
        ("seeds: [-1]", "frontends[0]: seed=-1; expected an integer of 0 or more"),
        ("frontends: temporal", "--frontends: "),
        (
            "frontends: [{class_path: temporal, init_args: [1]}]",
            "frontends[0].init_args: [1]; expected arguments by name",
        ),
        (
            "frontends: [{class_path: temporal, init_args: {1: 2}}]",
            "frontends[0].init_args: {1: 2}; expected arguments",
        ),
        ("frontends: [os.path]", "frontends[0]: os.path is no frontend"),
        (
            "frontends: [{class_path: temporal, init_args: {seed: 1}}]",
            "frontends[0].seed: seeds of frontends and backends",
        ),
        ("vary: {frontends: {seed: [1]}}", "frontends[0].seed: seeds of frontends and backends"),
        ("vary: {frontends: {n_filters: 4}}", "--vary.frontends"),
        ("name: ''", "name: ''; expected the name of a folder"),
        ("name: ../x", "name: '../x'; expected the name of a folder"),
        ("name: embeddings", "name: 'embeddings'; expected the name of a folder"),
        ("something: 1", "something"),
    ],
)
def test_odd_studies_end_in_one_message(untrained, tmp_path, study, message, little):
    FRONTENDS.register("raises_when_made")(RaisesWhenMade)
    text = {**yaml.safe_load(little), "frontends": ["temporal"], **yaml.safe_load(study)}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(text))
    status, out, err = untrained("compare", "study.yaml")
    assert (status, out) == (2, "")
    assert message in err
    assert not (tmp_path / "runs").exists()
