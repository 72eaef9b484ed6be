import itertools
import random
import re

import pytest
import torch
from untrained import PROXIES, Proxy
from untrained.errors import ContractError
from untrained.testing import check_proxy, checks_of, results_of

# One for each file; the others share their code.
OURS = [
    check for name in ("n_features", "zico", "synflow", "jacob_cov", "naswot") for check in checks_of(PROXIES.get(name))
]


@pytest.mark.parametrize("check", OURS, ids=str)
def test_our_proxies(check):
    check()


class Loudness(Proxy):
    """Mean of the inputs, without a network."""

    needs = ("data",)

    def compute(self, subject):
        return subject.batch.inputs.abs().mean()


def test_a_short_proxy_meets_the_contract():
    check_proxy(Loudness)


def failing(plugin):
    return {check.name: problem for check, problem, *_ in results_of(plugin) if problem}


def proxy(compute, needs=("data",)):
    return type("Mine", (Proxy,), {"__doc__": "Mine.", "needs": needs, "compute": compute})


@pytest.mark.parametrize(
    ("plugin", "name", "problem"),
    [
        (type("Bare", (Proxy,), {"compute": lambda self, subject: 1.0}), "has_a_docstring", "Bare has no docstring"),
        (proxy(lambda self, subject: 1.0, ("clips",)), "states_its_needs", "needs=('clips',) of Mine; expected"),
        (proxy(lambda self, subject: 1.0), "states_its_needs", "needs has 'data' or 'labels', but no batch is read"),
        (proxy(lambda self, subject: 1.0, ("head",)), "states_its_needs", "needs has 'head', but the head is not read"),
        (proxy(lambda self, subject: "1", ()), "gives_numbers", "compute returned str ('1'); expected a number"),
        (proxy(lambda self, subject: len(subject.batches), ()), "gives_numbers", "add 'data' to its needs"),
        (proxy(lambda self, subject: random.random(), ()), "repeats_itself", "the same network has the values"),
        (
            proxy(
                lambda self, subject: 1 / (subject.batch.labels.max().item() and len(subject.batch) - 1), ("labels",)
            ),
            "gives_reasons",
            "compute raises ZeroDivisionError",
        ),
    ],
)
def test_a_violated_requirement_is_named(plugin, name, problem):
    (check,) = (check for check in checks_of(plugin) if check.name == name)
    with pytest.raises(ContractError, match=re.escape(problem)):
        check()


def test_what_is_not_declared_cannot_change_the_value():
    values = itertools.chain([0.0, 0.0], itertools.count(1.0))  # equal calls agree
    counting = proxy(lambda self, subject: next(values), ())
    (check,) = (check for check in checks_of(counting) if check.name == "depends_on_what_it_needs_alone")
    with pytest.raises(ContractError, match=r"the value changes with it; add '\w+' to needs"):
        check()


def test_a_proxy_that_uses_an_unseeded_generator_fails_where_it_is_examined():
    failed = failing(proxy(lambda self, subject: random.random() + 0 * len(subject.batch), ("data",)))
    assert list(failed) == ["repeats_itself"]


def test_the_examination_of_needs_is_seeded():
    drawn = []
    noisy = proxy(lambda self, subject: drawn.append(torch.rand(1).item()) or len(subject.batch))
    (check,) = (check for check in checks_of(noisy) if check.name == "states_its_needs")
    before = torch.get_rng_state()
    check()
    torch.manual_seed(5)
    check()
    torch.set_rng_state(before)
    assert drawn[0] == drawn[1]


def test_changes_stay_in_the_copy():
    def damage(self, subject):
        subject.frontend.convs[0].weight.data.zero_() if hasattr(subject.frontend, "convs") else None
        subject.batch.inputs.zero_()
        torch.manual_seed(9)
        return 0.0

    assert failing(proxy(damage)) == {}


def test_all_violations_are_reported_together():
    with pytest.raises(ContractError, match=r"has_a_docstring: .*\n.*gives_numbers: "):
        check_proxy(type("Bad", (Proxy,), {"compute": lambda self, subject: None}))
