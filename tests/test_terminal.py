"""Terminal output and Ctrl-C."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.table import Table
from untrained import terminal
from untrained.terminal import console


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.slow
def test_output_may_be_closed():
    for closed, status in ((">&-", 0), (">&- 2>&-", 0), ("2>&-", 0)):
        command = f"{sys.executable} -m untrained list {closed}"
        assert subprocess.run(command, shell=True, capture_output=True).returncode == status


def test_colours_are_for_terminals(monkeypatch):
    table = Table("name", style="red", title="a table")
    table.add_row("x" * 150)

    def shown(file):
        console(file, soft_wrap=False).print(table)
        return file.getvalue()

    for variable in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b[31m" in shown(Terminal())
    assert "\x1b" not in shown(io.StringIO())
    assert "x" * 150 in shown(io.StringIO())  # a file is not cut to the width of a terminal
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in shown(Terminal())


@pytest.mark.slow
def test_ctrl_c_ends_a_command_that_is_still_being_imported():
    command = [sys.executable, "-X", "importtime", "-m", "untrained", "fit", "--help-all"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while "untrained.errors" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT  # 130 in a shell
    assert all(line.startswith("import time:") for line in err.splitlines())


def test_a_child_process_leaves_ctrl_c_to_its_parent(monkeypatch):
    handler = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        monkeypatch.setenv("LOCAL_RANK", "1")
        terminal.delay_interrupts()
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        terminal.raise_interrupts()
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # like a background job
        terminal.delay_interrupts()
        terminal.raise_interrupts()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, handler)


def test_characters_that_an_encoding_lacks_are_escaped(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    terminal.print_what_an_encoding_lacks()
    print("café ±\udcff", flush=True)
    assert stream.buffer.getvalue() == b"caf\\xe9 \\xb1\\udcff\n"


ORPHAN = """
import multiprocessing
import os
import time
from pathlib import Path

from untrained.terminal import end_with_parent


def wait(queue):
    end_with_parent()
    queue.put(os.getpid())
    time.sleep(60)


if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    context.Process(target=wait, args=(queue,)).start()
    print(queue.get(), flush=True)
    os.kill(os.getpid(), 9)
"""


def test_a_process_ends_with_the_one_that_started_it(tmp_path):
    """A scheduler may kill a command alone; its processes would otherwise wait for ever."""
    (tmp_path / "orphan.py").write_text(ORPHAN)
    done = subprocess.run([sys.executable, "orphan.py"], cwd=tmp_path, capture_output=True, text=True)
    child = int(done.stdout)
    stop = time.monotonic() + 10
    while Path(f"/proc/{child}/stat").exists() and time.monotonic() < stop:
        if Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()
