import sys
from importlib.util import spec_from_file_location

import pytest
from untrained.cli import main
from untrained.errors import PluginError
from untrained.frontends import Frontend
from untrained.registry import FRONTENDS, Plugin, Registry


def registry(*plugins):
    made = Registry("frontend", "untrained.frontends", "untrained.frontends.base:Frontend")
    made._installed = list(plugins)
    return made


GOOD = Plugin("mfcc", "untrained.frontends.baselines:MFCC", "untrained")
UNIMPORTABLE = Plugin("gone", "a_package_that_is_not_there:Gone", "broken-package")


def test_installed_names_are_found_and_made():
    assert {"mfcc", "temporal", "vgg"} <= set(FRONTENDS.names())
    assert FRONTENDS.create("vgg", n_filters=2).embedding_size == 10
    assert FRONTENDS.get("VGG") is FRONTENDS.get("vgg")  # class names work, too


def test_unknown_name_suggests_the_nearest_and_lists_all():
    with pytest.raises(PluginError, match=r"unknown frontend 'vgg6'; did you mean 'vgg'\? registered: .*temporal"):
        FRONTENDS.get("vgg6")


def test_unimportable_plugin_breaks_nothing_else():
    broken = registry(GOOD, UNIMPORTABLE)
    loaded, failed = broken.load_all()
    assert list(loaded) == ["mfcc"]
    assert list(failed) == ["gone"]
    with pytest.raises(
        PluginError, match=r"'gone' of broken-package cannot be imported .*ModuleNotFoundError"
    ) as caught:
        broken.get("gone")
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_list_survives_odd_class_attributes(capsys):
    class Odd(Frontend):
        """Odd."""

        input = 3
        filters = ("many", "few")
        reference = ("A 2016", "B 2017")

        def domain_knowledge(self):
            pass

    FRONTENDS.register("odd")(Odd)
    assert main(["list", "frontends"]) == 0
    printed = capsys.readouterr().out
    assert "B 2017" in printed
    assert "vgg" in printed


def test_list_shows_a_failed_plugin_and_its_package(monkeypatch, capsys):
    monkeypatch.setitem(FRONTENDS.__dict__, "_installed", [GOOD, UNIMPORTABLE])
    assert main(["list", "frontends"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("mfcc" in line and "120 MFCC statistics" in line for line in lines)
    assert any("gone" in line and "broken-package" in line and "ModuleNotFoundError" in line for line in lines)


def test_same_name_of_two_distributions_is_refused_on_use():
    both = registry(GOOD, Plugin("mfcc", "other:MFCC", "other-package"), UNIMPORTABLE)
    assert both.names() == ["gone", "mfcc"]
    with pytest.raises(PluginError, match=r"registered by other-package \(other:MFCC\) and untrained"):
        both.get("mfcc")


def test_class_that_breaks_the_contract_is_refused_with_what_it_lacks():
    wrong = registry(Plugin("wrong", "collections:OrderedDict", "some-package"))
    with pytest.raises(
        PluginError, match=r"class OrderedDict, expected a subclass of .*Frontend.*lacks .*feature_maps"
    ):
        wrong.get("wrong")
    function = registry(Plugin("wrong", "math:sqrt", "some-package"))
    with pytest.raises(PluginError, match=r"is a builtin_function_or_method, expected a subclass"):
        function.get("wrong")


def test_decorator_follows_the_same_rules():
    local = registry(GOOD)

    @local.register("mine")
    class Mine(Frontend):
        """Mine."""

    assert local.get("mine") is Mine
    assert local.name_of(Mine) == "mine"
    with pytest.raises(PluginError, match="not a Python identifier"):
        local.register("7x96")(Mine)
    local.register("mfcc")(Mine)
    with pytest.raises(PluginError, match="is registered by"):
        local.get("mfcc")


def test_registering_again_replaces():
    local = registry()
    for _ in range(2):

        @local.register("mine")
        class Mine(Frontend):
            pass

    assert local.get("mine") is Mine


@pytest.mark.parametrize("plugin", FRONTENDS.plugins, ids=lambda plugin: plugin.name)
def test_summary_is_read_without_importing(plugin):
    assert plugin.summary() == FRONTENDS.get(plugin.name).__doc__.strip().splitlines()[0]


def test_summary_is_found_in_an_editable_installation(monkeypatch, tmp_path):
    (tmp_path / "source.py").write_text('class Mine:\n    """From elsewhere."""\n')

    class Finder:  # like that of setuptools for packages whose folder has another name
        @staticmethod
        def find_spec(name, path=None, target=None):
            return spec_from_file_location(name, tmp_path / "source.py") if name == "a_package_in_place" else None

    plugin = Plugin("mine", "a_package_in_place:Mine", "a-package-in-place")
    assert plugin.summary() == ""
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert plugin.summary() == "From elsewhere."
