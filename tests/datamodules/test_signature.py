"""Parsers, help, saved configurations and studies see each argument of `**loader` of a datamodule."""

import inspect
from typing import Any, TypedDict, Unpack

import numpy as np
import pytest
import yaml
from untrained.audio import Decoded
from untrained.datamodules import AudioDataModule, Clip, LoaderOptions
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.signature import spell_out
from untrained.parsing import Parser
from untrained.registry import DATAMODULES

LOADER = list(LoaderOptions.__annotations__)


class Minimal(AudioDataModule):
    """Two classes of noise.

    Args:
        root: Unused folder.
    """

    def __init__(self, root: str = ".", **loader: Unpack[LoaderOptions]) -> None:
        super().__init__(**loader)
        self.root = root

    def clips(self):
        return [Clip(f"{label}{fold}", label, fold=fold) for label in "xy" for fold in range(3)]

    def read(self, clip, sample_rate):
        rng = np.random.default_rng([ord(letter) for letter in clip.id])
        return Decoded(rng.standard_normal(self.n_samples).astype(np.float32), seconds=1.0)


class Short(Minimal):
    """Subclass with another default."""

    def __init__(self, root: str = ".", *, n_samples: int = 5000, **loader: Any) -> None:
        super().__init__(root, n_samples=n_samples, **loader)


class Shorter(Short):
    """Subclass that inherits the default of its base class."""

    def __init__(self, gain: float = 1.0, **options: Unpack[LoaderOptions]) -> None:
        super().__init__("fixed", **options)
        self.gain = gain


class Untyped(AudioFolder):
    """Subclass that passes on all arguments of its base class."""

    def __init__(self, root, gain=1.0, **options):
        super().__init__(root, **options)


class Written(Minimal):
    """Class with explicit arguments, whose base class has `**loader`."""

    def __init__(self, root: str = ".", seed: int = 0) -> None:
        super().__init__(root, seed=seed)


class Plain(Short):
    """Subclass that does not define `__init__`."""


def defaults(cls):
    return {name: parameter.default for name, parameter in inspect.signature(cls).parameters.items()}


def test_signatures_name_every_argument():
    loader = {name: defaults(AudioDataModule)[name] for name in LOADER}
    assert defaults(Minimal) == {"root": ".", **loader}
    assert defaults(Short) == defaults(Plain) == {"root": ".", **loader, "n_samples": 5000}
    assert defaults(Shorter) == {
        "gain": 1.0,
        **loader,
        "n_samples": 5000,
    }  # without root, which the class does not pass on
    assert defaults(Untyped) == {**defaults(AudioFolder), "gain": 1.0}
    assert defaults(Written) == {"root": ".", "seed": 0}
    annotation = inspect.signature(Shorter).parameters["on_error"].annotation
    assert annotation == LoaderOptions.__annotations__["on_error"]


def test_all_arguments_of_a_signature_are_accepted():
    for cls in (Minimal, Short, Shorter, Untyped):
        arguments = {**defaults(cls), "seed": 3, **({"root": "."} if "root" in defaults(cls) else {})}
        assert cls(**arguments).seed == 3
    assert Shorter().n_samples == 5000
    with pytest.raises(TypeError, match="unexpected keyword argument 'fold'"):
        Minimal(fold=3)


def test_options_of_a_typed_dictionary_are_its_keys():
    class Narrow(TypedDict, total=False):
        seed: int

    class Parent:
        def __init__(self, root: str, *, seed: int = 0, folds: int = 5) -> None: ...

    class Child(Parent):
        def __init__(self, **options: Unpack[Narrow]) -> None: ...

    spell_out(Child)
    assert list(inspect.signature(Child).parameters) == ["seed"]


def test_options_of_a_mixin_are_unchanged():
    class Mixin:
        def __init__(self, *args: Any, **more: Any) -> None: ...

    class Child(Mixin):
        def __init__(self, root: str, **options: Any) -> None: ...

    spell_out(Child)
    assert list(inspect.signature(Child).parameters) == ["root", "options"]


@pytest.mark.parametrize("names", [[], ["--data.sample_rate", "8000", "--data.on_error", "skip"]])
@pytest.mark.parametrize("cls", [Minimal, Short, Shorter])
def test_saved_configurations_hold_every_argument_and_can_be_read(cls, names):
    parser = Parser()
    parser.add_subclass_arguments(AudioDataModule, "data")
    config = parser.parse_args(["--data", f"{cls.__module__}.{cls.__qualname__}", *names])
    saved = parser.dump(config, skip_none=False)
    assert set(yaml.safe_load(saved)["data"]) == {"class_path", "init_args"}  # without dict_kwargs
    assert list(yaml.safe_load(saved)["data"]["init_args"]) == list(defaults(cls))
    again = parser.instantiate(parser.parse_string(saved)).data
    assert type(again) is cls
    assert again.on_error == ("skip" if names else "raise")


@pytest.fixture
def beeps():
    DATAMODULES.register("beeps")(Minimal)


def test_the_command_line_describes_and_checks_the_options(untrained, beeps, capsys):
    description = "Length of every waveform in s, instead of `n_samples`."
    for name in ("beeps", "gtzan"):
        with pytest.raises(SystemExit, match="0"):
            untrained("predict", "--data.help", name)
        assert description in " ".join(capsys.readouterr().out.split())
    for option, message in (
        (["--data.fold", "3"], "--data: Option 'fold' is not accepted; --data.help NAME lists its options"),
        (["--data.n_samples", "many"], "--data.n_samples: Expected int; Given value: many"),
        (["--data.on_error", "stop"], "--data.on_error: Expected one of 'raise', 'skip'"),
    ):
        status, _, err = untrained("predict", "--data", "beeps", *option, "--model.frontend", "vgg", "--print_config")
        assert status == 2
        assert message in err
    with pytest.raises(SystemExit, match="0"):
        untrained("predict", "--data", "beeps", "--model.frontend", "vgg", "--print_config")
    assert yaml.safe_load(capsys.readouterr().out)["data"]["init_args"] == defaults(Minimal)


def test_a_study_varies_the_options(untrained, beeps):
    study = ["--datamodules", "[beeps]", "--frontends", "[mfcc]", "--backends", "[nearest_class]", "--dry_run"]
    status, out, err = untrained("compare", *study, "--vary.datamodules.n_samples", "[4000, 6000]")
    assert status == 0, err
    assert "n_samples=4000" in out
    assert "n_samples=6000" in out
    status, _, err = untrained("compare", *study, "--vary.datamodules.fold", "[3]")
    assert status == 2
    assert "vary.datamodules.fold: none of the datamodules has this argument" in err
