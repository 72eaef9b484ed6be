import pytest
from untrained.studies.rank.parser import as_comparison, config_problems


def test_the_small_study_has_no_problems(parsed):
    assert config_problems(parsed()) == []


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--seeds.linear", "[100]"], "seeds.linear: the seed 100 is also in seeds.trained; arms that share a seed "),
        (["--seeds.random", "[1, 1]"], "seeds.random: the seed 1 is there twice; "),
        (["--seeds.random", "[]"], "seeds.random: the list is empty"),
        (["--seeds.random", "[-1]"], "seeds.random: -1; expected integers of 0 or more"),
        (["--common_rate", "0.1"], "common_rate: 0.1; expected one of training.learning_rate, 0.001, 0.003"),
        (["--sensitivities", "[warm]"], "sensitivities: 'warm'; expected some of raw, mean_std, last, columns"),
        (["--training.head", "last"], "training.head: 'last'; expected linear"),
        (["--training.circular_shift", "true"], "training.circular_shift: the networks that are not trained"),
        (["--backends", "[svm, elm]"], "backends: there are 2; expected one"),
        (["--gate.n", "8", "--gate.seed", "0"], "gate.seed: 0 is also designs.seed; "),
        (["--jobs", "0"], "jobs: 0; expected auto, or 1 or more"),
        (["--max_seconds", "0"], "max_seconds: 0; expected seconds above 0"),
        (["--first", "0"], "first: 0; expected 1 or more"),
        (["--datamodules", "[]"], "datamodules: the list is empty"),
    ],
)
def test_problems_name_their_place(parsed, words, problem):
    found = [str(each) for each in config_problems(parsed(*words))]
    assert len(found) == 1
    assert found[0].startswith(problem)


def test_the_study_of_compare_has_the_same_plug_ins(parsed):
    made = as_comparison(parsed(), [{"class_path": "temporal"}])
    assert made.seeds == [0, 100, 200]
    assert made.model.calibrate == [True]
    assert made.training.max_steps == 20
    assert [entry["class_path"] for entry in made.datamodules] == ["synthetic"]
