"""What a shell and a terminal have of the commands: completion, colours, Ctrl-C."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from rich.table import Table
from untrained import FRONTENDS, terminal
from untrained.frontends.baselines import MFCC
from untrained.terminal import console

ASK = """
source ./completion.bash
COMP_WORDS=(untrained {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=()
_shtab_untrained untrained "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"
echo "${{COMPREPLY[*]}}"
"""


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs a bash to ask")
def test_completion_in_a_shell(untrained, tmp_path):
    status, script, _ = untrained("completion", "bash")
    assert status == 0
    assert len(script) < 100_000  # or a shell would start slowly
    (tmp_path / "completion.bash").write_text(script)

    def completed(words):
        asked = subprocess.run(["bash", "-c", ASK.format(words=words)], capture_output=True, text=True, check=True)
        return asked.stdout.split()

    assert completed("'co'") == ["compare", "config", "completion"]
    assert completed("fit --model.frontend v") == ["vertical_7x86", "vertical_7x96", "vgg"]
    assert completed("fit --model.frontend.help t") == ["tempo", "temporal", "timbral", "timbral_temporal"]
    assert completed("fit --model.frontend.si") == ["--model.frontend.size"]
    assert completed("fit --model.frontend.size ''") == ["small", "large"]
    assert completed("fit --model.pooling ''") == ["mean", "mean_std", "max"]
    assert completed("predict --data.fo") == ["--data.folds"]
    assert "bf16-mixed" in completed("predict --trainer.precision ''")
    assert completed("predict --trainer.devices ''") == []  # any number
    assert completed("compare sy") == ["synthetic-full", "synthetic"]
    assert completed("compare --proto") == ["--protocol"]
    assert completed("config p") == ["paper"]
    assert completed("check backend kn") == ["knn"]
    assert completed("check data --data g") == ["gtzan"]
    assert completed("list e") == ["embeddings"]
    assert completed("list --de") == ["--details"]
    assert completed("test --ckpt_path comp") == ["completion.bash"]
    for shell in ("zsh", "fish"):
        assert "temporal" in untrained("completion", shell)[1]
    status, _, err = untrained("completion", "basch")
    assert status == 2
    assert "completion needs the name of a shell, of bash, zsh" in err


class Helpful(MFCC):
    """Has an argument of the name of an option that every plug-in has."""

    def __init__(self, help: str = "", *, seed: int = 0) -> None:
        super().__init__(seed=seed)


def test_no_plug_in_takes_completion_from_others(untrained):
    FRONTENDS.register("helpful")(Helpful)
    status, script, _ = untrained("completion", "bash")
    assert status == 0
    assert "helpful" in script


def test_output_may_be_closed():
    for closed, status in ((">&-", 0), (">&- 2>&-", 0), ("2>&-", 0)):
        command = f"{sys.executable} -m untrained list {closed}"
        assert subprocess.run(command, shell=True, capture_output=True).returncode == status


def test_a_shipped_study_is_found_by_name(untrained, capsys):
    with pytest.raises(SystemExit):
        untrained("compare", "--config", "gtzan", "--config=synthetic", "--print_config")
    out = capsys.readouterr().out
    assert "gtzan: null" in out  # of the first
    assert "name: synthetic\n" in out  # of the second, which is laid over it
    status, _, err = untrained("compare", "--config", "gtsan")
    assert status == 2
    assert "no study 'gtsan': no such file, and none of the bundled ones (extended_ballroom, gtzan" in err
    status, _, err = untrained("fit", "--config", "gtzan", "--data", "synthetic")
    assert status == 2
    assert "--config gtzan: that is a study, which compare runs: untrained compare gtzan" in err


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
    assert "x" * 150 in shown(io.StringIO())  # which no narrow terminal cuts
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in shown(Terminal())


def test_ctrl_c_ends_a_command_that_is_still_being_imported():
    command = [sys.executable, "-X", "importtime", "-m", "untrained", "fit", "--help"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while "untrained.errors" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT  # 130 in a shell
    assert all(line.startswith("import time:") for line in err.splitlines())


def test_a_process_that_another_started_leaves_ctrl_c_to_that_one(monkeypatch):
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
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as of a job in the background
        terminal.delay_interrupts()
        terminal.raise_interrupts()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, handler)
