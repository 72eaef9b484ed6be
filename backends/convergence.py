"""Detection of fits that stop before they converge, so that they can be counted instead of printed one by one."""

import contextlib
import threading
import warnings
from collections.abc import Iterator
from functools import partial
from typing import Any

from sklearn.exceptions import ConvergenceWarning

_lock = threading.Lock()
_n_watching = 0
_restore = contextlib.ExitStack()
_of_thread = threading.local()


@contextlib.contextmanager
def watch_convergence() -> Iterator[list[str]]:
    """Collect scikit-learn's ConvergenceWarnings raised in this thread inside the block, instead of showing them.

    Several threads and processes may do so at the same time; each collects only the warnings of its own fits. Other
    warnings are shown as usual.

    Yields:
        Messages of the warnings; the list grows while the block runs.

    Example:
        >>> with watch_convergence() as found:
        ...     warnings.warn("too few iterations", ConvergenceWarning)
        >>> found
        ['too few iterations']
    """
    outer: list[str] | None = getattr(_of_thread, "found", None)
    found: list[str] = []
    _of_thread.found = found
    _begin()
    try:
        yield found
    finally:
        _end()
        _of_thread.found = outer


def _begin() -> None:
    """Redirect the warnings of the process, unless another thread has done so: `catch_warnings` is not thread-safe."""
    global _n_watching
    with _lock:
        _n_watching += 1
        if _n_watching == 1:
            _restore.enter_context(warnings.catch_warnings())
            warnings.simplefilter("always", ConvergenceWarning)
            warnings.showwarning = partial(_collect, warnings.showwarning)


def _end() -> None:
    global _n_watching
    with _lock:
        _n_watching -= 1
        if _n_watching == 0:
            _restore.close()


def _collect(show: Any, message: Warning | str, category: type[Warning], *args: Any, **kwargs: Any) -> None:
    found: list[str] | None = getattr(_of_thread, "found", None)
    if found is not None and issubclass(category, ConvergenceWarning):
        found.append(str(message))
    else:
        show(message, category, *args, **kwargs)
