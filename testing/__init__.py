"""Contract checks of frontends, backends, datamodules and proxies, for use in the tests of any package.

Example:
    In the tests of a package::

        from untrained.testing import parametrize_with_checks

        @parametrize_with_checks(MyFrontend, MyBackend(C=3), MyData("tests/data"))
        def test_contract(check):
            check()
"""

from .checks import (
    Check,
    Result,
    check_backend,
    check_datamodule,
    check_frontend,
    check_proxy,
    checks_of,
    parametrize_with_checks,
    results_of,
)

__all__ = [
    "Check",
    "Result",
    "check_backend",
    "check_datamodule",
    "check_frontend",
    "check_proxy",
    "checks_of",
    "parametrize_with_checks",
    "results_of",
]
