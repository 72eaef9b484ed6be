import sys
import warnings

import pytest

SMALL = ["--data.n_samples", "8000"]
TEMPORAL = ["--model.frontend", "temporal", "--model.frontend.n_filters", "4"]


def folder(sounds, *more):
    return ["--data", "folder", "--data.root", sounds, *SMALL, *more]


@pytest.mark.parametrize("command", ["report", "new", "new frontend", "config", "check", "check frontend", "list"])
def test_every_command_has_help(untrained, command, capsys):
    try:
        status, out, _ = untrained(*command.split(), "--help")
    except SystemExit as end:  # raised by a parser
        status, out = end.code, capsys.readouterr().out
    assert status == 0
    assert out.startswith("usage: untrained ")


@pytest.mark.filterwarnings("default::UserWarning")
def test_our_warnings_are_lines_without_code(untrained, sounds, monkeypatch):
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)  # restored after the test
    theirs = (UserWarning("of others"), UserWarning, "/somewhere/else.py", 3)
    before = warnings.formatwarning(*theirs)

    def show(message, category, filename, lineno, file=None, line=None):
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))

    monkeypatch.setattr(warnings, "showwarning", show)  # because pytest collects warnings
    more = ["--model.backend", "svm", "--model.backend.max_memory", 0]
    for _ in range(2):  # a second command changes nothing
        status, _, err = untrained("fit", *folder(sounds), *TEMPORAL, *more)
        assert status == 0
    assert [line for line in err.splitlines() if "max_memory" in line] == [
        "untrained: warning: max_memory=0.0 GiB is too small for the kernels of 30 clips: every fit computes its own "
        "kernel, which takes far longer; give --model.backend.max_memory 0.1"
    ]
    assert "warnings.warn" not in err
    assert warnings.formatwarning(*theirs) == before
