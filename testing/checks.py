"""Contract checks of a plug-in: as a list, run all at once, or as parameters of a test.

The requirements of one kind of plug-in are imported when a plug-in of that kind is checked.
"""

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import SkipTest

from ..errors import ContractError
from ..registry import BACKENDS, DATAMODULES, FRONTENDS, PROXIES

if TYPE_CHECKING:
    from ..backends import Backend
    from ..datamodules import AudioDataModule
    from ..frontends import Frontend
    from ..proxies import Proxy


@dataclass(frozen=True)
class Check:
    """Check of one requirement of the contract of one plug-in.

    Calling it raises a `ContractError` if the requirement is violated, and `unittest.SkipTest` if it does not apply.

    Args:
        subject: Name of the plug-in's class.
        name: Name of the check.
        promise: The requirement, in one line.
        run: Function that raises an error if the requirement is violated or does not apply, and otherwise returns
            which parts of the requirement do not apply and why, or None.
    """

    subject: str
    name: str
    promise: str
    run: Callable[[], str | None] = field(repr=False)

    def __call__(self) -> str:
        """Run the check; return which parts of the requirement do not apply and why, empty if all apply."""
        try:
            return self.run() or ""
        except (ContractError, SkipTest):
            raise
        except Exception as error:  # raised by the plug-in
            raise ContractError(f"{self.subject} raised {type(error).__name__}: {error}") from error

    def __str__(self) -> str:
        return f"{self.subject}-{self.name}"


class Result(NamedTuple):
    """Outcome of a check.

    Args:
        check: Check that was run.
        problem: Error message; empty if the requirement is met or does not apply.
        skipped: Reason why the requirement, or a part of it, does not apply; empty if it does.
        is_kept: Whether the requirement applies and is met.
    """

    check: Check
    problem: str
    skipped: str
    is_kept: bool


def checks_of(plugin: Any) -> list[Check]:
    """Return all checks of a plug-in.

    Args:
        plugin: Class of a frontend, backend or proxy whose arguments have defaults, or an instance of one; or an
            instance of a datamodule.

    Raises:
        ContractError: The plug-in is a class that cannot be created without arguments.
        TypeError: The plug-in is not a frontend, backend, datamodule or proxy.

    Example:
        >>> from untrained.frontends.vgg import VGG
        >>> print(checks_of(VGG)[0].promise)
        Has a docstring whose first line describes it
    """
    cls = plugin if isinstance(plugin, type) else type(plugin)
    for registry in (FRONTENDS, BACKENDS, DATAMODULES, PROXIES):
        if registry.keeps_to(cls):
            found = importlib.import_module(f".{registry.kind}", __package__)
            needed = [
                name
                for name, parameter in inspect.signature(cls).parameters.items()
                if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
            ]
            if needed and isinstance(plugin, type):
                raise ContractError(
                    f"{cls.__name__} cannot be created without {needed[0]}; pass an instance instead of the class"
                )
            return [
                Check(
                    cls.__name__, name, (function.__doc__ or "").splitlines()[0].rstrip("."), partial(function, plugin)
                )
                for name, function in vars(found).items()
                if inspect.isfunction(function) and function.__module__ == found.__name__ and not name.startswith("_")
            ]
    raise TypeError(
        f"{cls.__name__} is not a Frontend, Backend, AudioDataModule or Proxy; derive it from one of these classes"
    )


def check_frontend(plugin: "type[Frontend] | Frontend") -> None:
    """Check that a frontend meets its contract.

    Args:
        plugin: Class, or an instance with arguments other than the defaults.

    Raises:
        ContractError: The contract is violated; the message lists all violated requirements.

    Example:
        >>> from untrained.frontends.baselines import MFCC
        >>> check_frontend(MFCC)
    """
    _run_all(plugin)


def check_backend(plugin: "type[Backend] | Backend") -> None:
    """Check that a backend meets its contract, which includes scikit-learn's conventions for classifiers.

    Args:
        plugin: Class, or an instance with arguments other than the defaults.

    Raises:
        ContractError: The contract is violated; the message lists all violated requirements.
    """
    _run_all(plugin)


def check_datamodule(plugin: "AudioDataModule") -> None:
    """Check that a datamodule meets its contract.

    Args:
        plugin: Instance whose data can be read, for example a small copy of the data set.

    Raises:
        ContractError: The contract is violated; the message lists all violated requirements.
    """
    _run_all(plugin)


def check_proxy(plugin: "type[Proxy] | Proxy") -> None:
    """Check that a proxy meets its contract, on a small network over the waveform and one over spectrograms.

    Args:
        plugin: Class, or an instance with arguments other than the defaults.

    Raises:
        ContractError: The contract is violated; the message lists all violated requirements.
    """
    _run_all(plugin)


def parametrize_with_checks(*plugins: Any) -> Any:
    """Run a test once for each check of some plug-ins, which is its argument `check`; needs pytest.

    Args:
        plugins: Plug-ins, as for `checks_of`.
    """
    import pytest

    return pytest.mark.parametrize("check", [check for plugin in plugins for check in checks_of(plugin)], ids=str)


def results_of(plugin: Any) -> Iterator[Result]:
    """Run all checks of a plug-in one after another.

    Args:
        plugin: Plug-in, as for `checks_of`.

    Yields:
        Outcome of each check.
    """
    for check in checks_of(plugin):
        try:
            skipped = check()
        except ContractError as error:
            yield Result(check, str(error), "", is_kept=False)
        except SkipTest as reason:
            yield Result(check, "", str(reason), is_kept=False)
        else:
            yield Result(check, "", skipped, is_kept=True)


def _run_all(plugin: Any) -> None:
    problems = [f"{check.name}: {problem}" for check, problem, *_ in results_of(plugin) if problem]
    if problems:
        raise ContractError("\n".join(problems))
