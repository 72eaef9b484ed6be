import inspect

import pytest
from torch import nn
from untrained.frontends.finalising import finalising, refuse_hidden_names


class Parent:
    @finalising
    def __init__(self, n_filters: int = 3, *more: int, seed: int = 0) -> None:
        self.n_finalised = 0

    def _finalise(self):
        self.n_finalised += 1


class Child(Parent):
    @finalising
    def __init__(self, name: str, *, seed: int = 0) -> None:
        super().__init__(8, seed=seed)
        self.n_finalised_within = self.n_finalised


def test_the_outermost_init_records_its_arguments_and_finalises():
    parent, child = Parent(seed=1), Child("a")
    assert parent.arguments == {"n_filters": 3, "more": (), "seed": 1}
    assert child.arguments == {"name": "a", "seed": 0}
    assert (parent.n_finalised, child.n_finalised_within, child.n_finalised) == (1, 0, 1)


def test_the_signature_is_preserved_for_the_command_line():
    assert list(inspect.signature(Child).parameters) == ["name", "seed"]
    with pytest.raises(TypeError, match="missing a required argument: 'name'"):
        Child()


class Contract(nn.Module):
    def describe(self):
        pass

    def _search(self):
        pass


def test_a_class_may_override_a_method_but_an_attribute_may_not_hide_it():
    class Overriding(Contract):
        def describe(self):
            return "otherwise"

    network = Overriding()
    network._search = "private"
    refuse_hidden_names(network, Contract)
    network.describe = nn.Identity()
    with pytest.raises(TypeError, match=r"Overriding: its attribute 'describe' hides Contract.describe"):
        refuse_hidden_names(network, Contract)
