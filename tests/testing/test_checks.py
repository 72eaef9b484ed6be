from unittest import SkipTest

import pytest
from untrained.backends.nearest_class import NearestClass
from untrained.datamodules.folder import AudioFolder
from untrained.errors import ContractError
from untrained.frontends.baselines import MFCC
from untrained.testing.checks import Check, check_backend, checks_of, parametrize_with_checks, results_of


def test_an_error_of_a_plug_in_violates_the_requirement():
    check = Check("Mine", "repeats_itself", "Gives the same twice", lambda: 1 / 0)
    with pytest.raises(ContractError, match="Mine raised ZeroDivisionError: division by zero"):
        check()
    assert str(check) == "Mine-repeats_itself"


def test_a_requirement_that_does_not_apply_is_skipped(monkeypatch):
    def skip():
        raise SkipTest("it has no maps")

    runs = {"kept": lambda: None, "in part": lambda: "of one class", "skipped": skip, "broken": lambda: 1 / 0}
    checks = [Check("Mine", name, "Does", run) for name, run in runs.items()]
    monkeypatch.setattr("untrained.testing.checks.checks_of", lambda plugin: checks)
    found = {check.name: rest for check, *rest in results_of(None)}
    broken = found.pop("broken")
    assert found == {
        "kept": ["", "", True],
        "in part": ["", "of one class", True],
        "skipped": ["", "it has no maps", False],
    }
    assert "ZeroDivisionError" in broken[0]
    assert broken[1:] == ["", False]


def test_a_class_that_needs_arguments_is_checked_as_an_instance():
    with pytest.raises(ContractError, match="AudioFolder cannot be created without root; pass an instance"):
        checks_of(AudioFolder)
    assert checks_of(AudioFolder("."))


def test_each_requirement_has_one_line_and_its_own_test():
    checks = checks_of(MFCC)
    for check in checks:
        assert "\n" not in check.promise
        assert check.promise[0].isupper()
        assert check.promise[-1] != "."
    mark = parametrize_with_checks(MFCC, NearestClass).mark
    found = [(check.subject, check.name) for check in mark.args[1]]
    assert found == [(check.subject, check.name) for check in [*checks, *checks_of(NearestClass)]]


class Undocumented(NearestClass):
    __doc__ = None

    def predict(self, X):
        raise OSError("no line")


def test_all_violated_requirements_are_reported_together():
    broken = {check.name: problem for check, problem, *_ in results_of(Undocumented) if problem}
    assert len(broken) > 1
    with pytest.raises(ContractError) as caught:
        check_backend(Undocumented)
    assert str(caught.value).splitlines()[0] == f"{next(iter(broken))}: {next(iter(broken.values()))}"
    assert all(name in str(caught.value) for name in broken)
