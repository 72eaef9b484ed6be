"""Commands in real processes of their own, without the seconds that imports take.

Each is forked from a process that has imported what commands need (the standard library's fork server), has its own
working folder, environment, output and exit status, and can be interrupted and killed like any other. The processes of
other devices, which Lightning starts by a command, are forked as well, except with REAL_RANKS=1 in the environment.
"""

import gc
import importlib
import multiprocessing
import multiprocessing.forkserver
import multiprocessing.process
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
import time
import types
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

_turn = threading.Lock()  # starting one process asks for the status of the others, which can be read only once


def preloaded() -> multiprocessing.context.ForkServerContext:
    """Return the context of processes that are forked from one that has imported what commands need."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["warmed", "torch.utils.tensorboard"])
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)  # which has `warmed`
        multiprocessing.forkserver.ensure_running()
    return context


class Started:
    """A process that runs a module, or a script."""

    def __init__(self, what: str, arguments: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._output = [tempfile.NamedTemporaryFile("r", errors="replace") for _ in range(2)]  # noqa: SIM115
        files = [file.name for file in self._output]
        self.command = [what, *arguments]
        if "forkserver" not in multiprocessing.get_all_start_methods():
            pytest.skip("this system cannot fork processes")
        with _turn:
            context = preloaded()
            self.process = context.Process(target=_run, args=(what, arguments, str(folder), dict(environment), files))
            self.process.start()

    @property
    def is_running(self) -> bool:
        with _turn:
            return self.process.exitcode is None

    def send(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def stop(self) -> None:
        """Kill it if it still runs, so that nothing waits for it."""
        while self.is_running:
            self.process.kill()
            time.sleep(0.01)

    def end(self, timeout: float = 250) -> subprocess.CompletedProcess:
        """Wait for its end; return its status and what it has printed."""
        stop = time.monotonic() + timeout
        while self.is_running:
            if time.monotonic() > stop:
                self.stop()
                raise subprocess.TimeoutExpired(self.command, timeout)
            time.sleep(0.01)
        return subprocess.CompletedProcess(self.command, self.process.exitcode, *(file.read() for file in self._output))


class Rank:
    """A process of another device, with the part of `subprocess.Popen` that Lightning uses."""

    def __init__(self, files: list[str], command: list[str], env: dict[str, str], cwd: None) -> None:
        what, *arguments = command[2:] if command[1] == "-m" else command[1:]
        multiprocessing.forkserver._forkserver.ensure_running = lambda: None  # it runs; another would import anew
        context = multiprocessing.get_context("forkserver")
        self._process = context.Process(target=_run, args=(what, arguments, os.getcwd(), env, files))
        self._process.start()
        multiprocessing.process._children.discard(self._process)  # do not wait for it at the end, as for any command
        self.pid, self.returncode = self._process.pid, None

    def poll(self) -> int | None:
        self.returncode = self._process.exitcode
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


def _run(what: str, arguments: list[str], folder: str, environment: dict[str, str], files: list[str]) -> None:
    """Become what `python -m MODULE` or `python SCRIPT` would be."""
    for number, file in enumerate(files, 1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_APPEND), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = [folder, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    importlib.invalidate_caches()
    if any(list(Path(path).glob("*.dist-info")) for path in sys.path[:2]):
        _forget_names()
    if any(Path(path, "sitecustomize.py").is_file() for path in sys.path[:2]):
        sys.modules.pop("sitecustomize", None)
        importlib.import_module("sitecustomize")
    if "OMP_NUM_THREADS" in environment:
        import torch

        torch.set_num_threads(int(environment["OMP_NUM_THREADS"]))
    if "REAL_RANKS" not in environment:
        launcher = importlib.import_module("pytorch_lightning.strategies.launchers.subprocess_script")
        launcher.subprocess = types.SimpleNamespace(Popen=partial(Rank, files))
    sys.argv[:] = [what, *arguments]
    try:
        if what.endswith(".py"):
            runpy.run_path(what, run_name="__main__")
        else:
            runpy.run_module(what, run_name="__main__", alter_sys=True)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _forget_names() -> None:
    """Forget the names that `warmed` has made, which may be those of plug-ins of other installed packages, too."""
    for room in ("frontends", "backends", "datamodules"):
        names = importlib.import_module(f"untrained.{room}.names")
        for name, value in list(vars(names).items()):
            if isinstance(value, type) and value.__module__ == names.__name__:
                delattr(names, name)
        del value
    gc.collect()  # until then, parsers find them among the subclasses of the contracts
