"""The checks of a plug-in as a list, all at once, or as parameters of a test."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..backends import Backend
from ..datamodules import AudioDataModule
from ..errors import ContractError
from ..frontends import Frontend
from . import backend, datamodule, frontend


@dataclass(frozen=True)
class Check:
    """One promise of a contract, of one plug-in; calling it raises a `ContractError` where it is not kept.

    Args:
        subject: Name of the plug-in's class.
        name: Of the check.
        promise: What is promised, in one line.
        run: Raises whatever is wrong.
    """

    subject: str
    name: str
    promise: str
    run: Callable[[], None] = field(repr=False)

    def __call__(self) -> None:
        """Run it."""
        try:
            self.run()
        except ContractError:
            raise
        except Exception as error:  # of the plug-in
            raise ContractError(f"{self.subject} raised {type(error).__name__}: {error}") from error

    def __str__(self) -> str:
        return f"{self.subject}-{self.name}"


def checks_of(plugin: Any) -> list[Check]:
    """All checks of a plug-in.

    Args:
        plugin: A class of a frontend or backend whose arguments have defaults, or an object of one; an object of a
            datamodule.

    Raises:
        ContractError: It is a class that cannot be made without arguments.

    Example:
        >>> from untrained.frontends.vgg import VGG
        >>> print(checks_of(VGG)[0].promise)
        Has a docstring whose first line says what it is
    """
    cls = plugin if isinstance(plugin, type) else type(plugin)
    for contract, found in ((Frontend, frontend), (Backend, backend), (AudioDataModule, datamodule)):
        if issubclass(cls, contract):
            needed = [
                name
                for name, parameter in inspect.signature(cls).parameters.items()
                if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
            ]
            if needed and isinstance(plugin, type):
                raise ContractError(f"{cls.__name__} cannot be made without {needed[0]}; give an object, not the class")
            return [
                Check(
                    cls.__name__, name, (function.__doc__ or "").splitlines()[0].rstrip("."), partial(function, plugin)
                )
                for name, function in vars(found).items()
                if inspect.isfunction(function) and function.__module__ == found.__name__ and not name.startswith("_")
            ]
    raise TypeError(f"{cls.__name__} is no Frontend, Backend or AudioDataModule; derive it from one of these")


def check_frontend(plugin: type[Frontend] | Frontend) -> None:
    """Check that a frontend keeps its contract.

    Args:
        plugin: The class, or a frontend with other arguments than the defaults.

    Raises:
        ContractError: It does not; the message lists all that is wrong.

    Example:
        >>> from untrained.frontends.baselines import MFCC
        >>> check_frontend(MFCC)
    """
    _run_all(plugin)


def check_backend(plugin: type[Backend] | Backend) -> None:
    """Check that a backend keeps its contract, scikit-learn's conventions for classifiers among it.

    Args:
        plugin: The class, or a backend with other arguments than the defaults.

    Raises:
        ContractError: It does not; the message lists all that is wrong.
    """
    _run_all(plugin)


def check_datamodule(plugin: AudioDataModule) -> None:
    """Check that a datamodule keeps its contract.

    Args:
        plugin: With data that it can read, as a small copy of the real.

    Raises:
        ContractError: It does not; the message lists all that is wrong.
    """
    _run_all(plugin)


def parametrize_with_checks(*plugins: Any) -> Any:
    """Mark a test that takes a `check` to be run for every check of some plug-ins; needs pytest.

    Args:
        plugins: As `checks_of` takes them.
    """
    import pytest

    return pytest.mark.parametrize("check", [check for plugin in plugins for check in checks_of(plugin)], ids=str)


def results_of(plugin: Any) -> Iterator[tuple[Check, str]]:
    """Run all checks of a plug-in, one after another.

    Args:
        plugin: As `checks_of` takes it.

    Yields:
        Each check, and what is wrong; empty if nothing is.
    """
    for check in checks_of(plugin):
        try:
            check()
        except ContractError as error:
            yield check, str(error)
        else:
            yield check, ""


def _run_all(plugin: Any) -> None:
    problems = [f"{check.name}: {problem}" for check, problem in results_of(plugin) if problem]
    if problems:
        raise ContractError("\n".join(problems))
