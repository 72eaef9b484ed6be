import pytest
from untrained.studies.rank.problems import config_problems, missing_values


def test_the_small_study_has_no_problems(parsed):
    assert config_problems(parsed()) == missing_values(parsed()) == []


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
        (["--designs.seed", "-1"], "designs.seed: -1; expected 0 or more"),
        (["--designs.n", "1000000"], "designs.n: 1000000; expected 80,000 or less"),
        (["--training.jobs", "2"], "training.jobs: rank counts all of its processes with --jobs"),
        (["--datamodules", "[]"], "datamodules: the list is empty"),
    ],
)
def test_problems_name_their_place(parsed, words, problem):
    found = [str(each) for each in config_problems(parsed(*words))]
    assert len(found) == 1
    assert found[0].startswith(problem)


@pytest.mark.parametrize(
    "key",
    ["seeds.random", "designs.n", "gate.n", "frontends", "proxies", "left_out", "common_rate", "training.max_steps"],
)
def test_keys_without_a_value_are_named(parsed, key):
    config = parsed()
    config[key] = None
    assert [str(problem) for problem in missing_values(config)] == [
        f"{key}: the key has no value; remove it or set one"
    ]
