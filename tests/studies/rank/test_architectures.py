from untrained.frontends.musical import Temporal
from untrained.studies.rank.architectures import architectures_of, columns_of, gate_architectures, within_limits


def test_drawn_designs_come_first_and_those_apart_last(parsed):
    found, problems, notes = architectures_of(parsed("--designs.n", 2, "--frontends", "[vgg]", "--apart", "[temporal]"))
    assert [each.name for each in found] == ["vgg-0", "vertical-0", "vgg", "temporal"]
    assert [each.is_apart for each in found] == [False, False, False, True]
    assert found[0].entry["init_args"] == {"family": "vgg", "design": 0, "n_parameters": 11965}
    assert (problems, notes) == ([], [])


def test_an_architecture_that_is_there_twice_is_a_problem(parsed):
    _, problems, _ = architectures_of(parsed("--frontends", "[vgg]", "--apart", "[vgg]"))
    assert [str(problem) for problem in problems] == ["apart[0]: vgg is there twice; remove one"]
    _, problems, _ = architectures_of(parsed("--designs.n", 0))
    assert str(problems[0]).startswith("designs.n: there is no architecture")


def test_a_shorter_list_is_the_beginning_of_a_longer_one(parsed):
    short, long = (architectures_of(parsed("--designs.n", n))[0] for n in (16, 24))
    assert long[:16] == short


def test_limits_of_operations_and_of_families(parsed):
    config = parsed("--designs.n", 40, "--designs.max_flop", "4e6", "--designs.max_per_family", 2)
    every, _, _ = architectures_of(config)
    kept = within_limits(every, 24_000, config)
    assert all(each.drawn.plan.cost(24_000).flop <= 4e6 for each in kept)
    families = [each.family for each in kept]
    assert max(map(families.count, families)) == 2
    assert {each.name for each in within_limits(every, 2_048, config)} - {
        each.name for each in kept
    }  # fewer operations


def test_each_round_has_one_of_each_family(parsed):
    config = parsed("--designs.n", 160, "--designs.max_flop", "2e7", "--designs.max_per_family", 3)
    kept = within_limits(architectures_of(config)[0], 24_000, config)
    assert len(kept) == 24
    for start in (0, 8, 16):
        assert len({each.family for each in kept[start : start + 8]}) == 8
    every = architectures_of(parsed("--designs.n", 80, "--designs.max_flop", "null"))[0]
    unlimited = parsed("--designs.max_flop", "null", "--designs.max_per_family", "null")
    assert within_limits(every, 24_000, unlimited) == every  # the list has this order already


def test_a_frontend_may_name_its_family_and_its_base_design(parsed):
    entry = "{class_path: vgg, init_args: {n_filters: 4}, family: mine, design: vgg}"
    found = architectures_of(parsed("--designs.n", 0, "--frontends", f"[{entry}, vgg]"))[0]
    assert [(each.name, each.family, each.design) for each in found] == [
        ("vgg-n_filters=4", "mine", "vgg"),
        ("vgg", "vgg", "vgg"),
    ]
    assert "family" not in found[0].entry


def test_the_designs_of_the_gate_are_others(parsed):
    config = parsed("--gate.n", 16)
    ours = {each.name for each in architectures_of(config)[0]}
    assert len(gate_architectures(config)) == 16
    assert not ours & {each.name for each in gate_architectures(config)}


def test_properties_of_frontends_that_are_not_drawn(parsed):
    config = parsed("--designs.n", 0, "--frontends", "[temporal]")
    (architecture,), _, _ = architectures_of(config)
    found = columns_of(architecture, Temporal(), 24_000)
    assert found["input"] == "spectrogram"
    assert found["n_features"] == Temporal().embedding_size
    assert found["flop"] == Temporal().describe(24_000).flop
