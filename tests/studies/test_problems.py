import pytest
import yaml
from untrained.errors import UsageError
from untrained.studies.entries import checked
from untrained.studies.problems import Problem, attempt, refuse


def test_all_problems_of_a_study_are_listed_at_once(untrained, tmp_path):
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
        model: {init: [he_trunc], weights: [random, gone.safetensors]}
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
        "datamodules[4]": "protocol 'nested' chooses candidates on the folds that it does not score",
        "frontends[0]": "unknown frontend 'vgg6'; did you mean 'vgg'?",
        "frontends[1].n_filter": "vgg has no such argument; did you mean 'n_filters'? it takes n_filters, size, seed",
        "frontends[2].n_filters": "set here and in vary.frontends; remove one of them",
        "frontends[3].n_filters": "set here and in vary.frontends; remove one of them",
        "frontends[4]": "no class_path; expected a name",
        "frontends[5]": "torch.nn.Linear is not a frontend; derive it from untrained.frontends.base.Frontend",
        "frontends[6]": "nowhere.Thing cannot be imported",
        "backends": "the list is empty; add at least one entry",
        "seeds": "the list is empty; add at least one entry",
        "vary.frontends.size": "the list is empty; add at least one entry",
        "model.init[0]": "Expected one of 'he_truncated'",
        "model.weights[1]": "no weights at gone.safetensors",
    }
    assert {line.strip().split(": ")[0] for line in lines} == set(expected)
    for place, message in expected.items():
        assert any(line.startswith(f"  {place}: {message}") for line in lines), place
    assert not (tmp_path / "runs").exists()
    # Values that a class refuses itself are found when it is created, which is also before the first run.
    odd = "[{class_path: vgg, init_args: {n_filters: 0}}, {class_path: temporal, init_args: {n_filters: 3}}]"
    status, _, err = untrained("compare", "synthetic", "--frontends", odd)
    assert status == 2
    assert "frontends[0]: n_filters=0; expected an integer of 1 or more" in err
    assert "frontends[1]: n_filters=3; expected a multiple of 4, such as 4" in err


@pytest.mark.usefixtures("raises_when_made")
@pytest.mark.parametrize(
    ("study", "message"),
    [
        ("frontends: [raises_when_made]", "frontends[0]: KeyError: 'what it needs'"),
        ("frontends: null", "frontends: the key has no value; remove it or set one"),
        ("controls: null", "controls: the key has no value"),
        ("controls: [fragil]", "controls[0]: unknown frontend"),
        ("vary: null", "vary: the key has no value"),
        ("vary: {frontends: null}", "vary.frontends: the key has no value"),
        ("model: null", "model: the key has no value"),
        ("roots: null", "roots: the key has no value"),
        ("seeds: 0", "--seeds: "),
        ("seeds: [many]", "seeds[0]: Expected int"),
        ("seeds: [-1]", "frontends[0]: seed=-1; expected an integer of 0 or more"),
        ("frontends: temporal", "--frontends: "),
        (
            "frontends: [{class_path: temporal, init_args: [1]}]",
            "frontends[0].init_args: [1]; expected arguments by name, for example {n_filters: 8}",
        ),
        (
            "frontends: [{class_path: temporal, init_args: {1: 2}}]",
            "frontends[0].init_args: {1: 2}; expected arguments",
        ),
        ("frontends: [os.path]", "frontends[0]: os.path is not a frontend"),
        (
            "frontends: [{class_path: temporal, init_args: {seed: 1}}]",
            "frontends[0].seed: the study sets all seeds; remove this argument and list the seeds under `seeds:`",
        ),
        ("vary: {frontends: {seed: [1]}}", "frontends[0].seed: the study sets all seeds"),
        ("vary: {frontends: {n_filters: 4}}", "--vary.frontends"),
        ("name: ''", "name: ''; expected the name of a folder"),
        ("name: ../x", "name: '../x'; expected the name of a folder"),
        ("name: embeddings", "name: 'embeddings'; expected the name of a folder"),
        ("name: a-earlier", "expected the name of a folder without / or \\, other than embeddings and not ending in"),
        ("something: 1", "something"),
    ],
)
def test_odd_studies_end_in_one_message(untrained, tmp_path, study, message, little):
    text = {**yaml.safe_load(little), "frontends": ["temporal"], **yaml.safe_load(study)}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(text))
    status, out, err = untrained("compare", "study.yaml")
    assert (status, out) == (2, "")
    assert message in err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (UsageError("n_filters=0; expected 1"), ("frontends[2]", "n_filters=0; expected 1")),
        (ValueError("--value.n_filters: Expected int"), ("frontends[2].n_filters", "Expected int")),
        (ValueError("--value: no such name"), ("frontends[2]", "no such name")),
        (KeyError("what it needs"), ("frontends[2]", "KeyError: 'what it needs'")),
    ],
    ids=repr,
)
def test_an_exception_becomes_a_problem_with_its_location(error, problem):
    def fail(*arguments):
        assert arguments == (1, 2)
        raise error

    assert attempt("frontends[2]", fail, 1, 2) == Problem(*problem)


def test_a_problem_found_by_a_parser_has_the_location_within_the_value():
    found = checked("model.layers[0]", dict[str, int], {"a": "many"})
    assert isinstance(found, Problem)
    assert found.place.startswith("model.layers[0]")
    assert checked("seeds[0]", int, "3") == attempt("seeds[0]", int, "3") == 3


def test_problems_are_raised_together_without_duplicates():
    refuse([])
    one, two = Problem("seeds", "empty"), Problem("name", "odd")
    with pytest.raises(UsageError, match=r"^seeds: empty$"):
        refuse([one, one])
    with pytest.raises(UsageError, match=r"2 reasons:\n  seeds: empty\n  name: odd$"):
        refuse([one, two, one])
