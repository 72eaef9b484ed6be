from untrained.studies.rank.items import N_WITH_LAST_HEAD, Design, Item

DESIGN = Design(["a", "b"], ["x", "y"], [0, 1], [200], [100, 101], [0.001, 0.003])


def test_trainings_follow_the_frozen_items_and_the_choice_of_the_rate():
    before = list(DESIGN.ready(lambda task, architecture: None))
    frozen = [item for item in before if item.learning_rate is None]
    assert before[: len(frozen)] == frozen
    assert len(frozen) == 2 * 2 * (2 + 2 + 1)
    assert before[len(frozen) : len(frozen) + 2] == [Item("a", "x", "trained", rate, 100) for rate in (0.001, 0.003)]
    after = list(DESIGN.ready(lambda task, architecture: 0.003 if (task, architecture) == ("a", "x") else None))
    assert set(after) - set(before) == {
        Item("a", "x", "trained", 0.003, 101),
        Item("a", "x", "linear", 0.003, 200),
        Item("a", "x", "trained-last", 0.003, 100),
    }
    assert after.index(Item("a", "x", "linear", 0.003, 200)) < after.index(Item("b", "x", "trained", 0.001, 100))


def test_all_items_are_counted():
    assert DESIGN.count_of(DESIGN.architectures) == len(list(DESIGN.ready(lambda task, architecture: 0.001)))
    assert DESIGN.count_of(["x"]) * 2 == DESIGN.count_of(["x", "y"])


def test_only_the_first_architectures_have_another_head():
    many = Design(["a"], [str(n) for n in range(N_WITH_LAST_HEAD + 1)], [0], [200], [100], [0.001])
    arms = [[item.arm for item in many.at_rate("a", name, 0.001)] for name in many.architectures[-2:]]
    assert arms == [["linear", "trained-last"], ["linear"]]


def test_an_item_is_named_for_people():
    assert str(Item("events", "vgg-0", "trained", 0.003, 100)) == "events vgg-0 trained at 0.003 seed 100"
    assert str(Item("events", "vgg-0", "random", None, 0)) == "events vgg-0 random seed 0"
