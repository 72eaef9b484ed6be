import sys
import warnings

import pytest

SMALL = ["--data.n_samples", "8000"]
TEMPORAL = ["--model.frontend", "temporal", "--model.frontend.n_filters", "4"]


def folder(sounds, *more):
    return ["--data", "folder", "--data.root", sounds, *SMALL, *more]


@pytest.mark.parametrize("command", ["report", "new", "new frontend", "config", "check", "check frontend", "list"])
def test_every_command_explains_itself(untrained, command, capsys):
    try:
        status, out, _ = untrained(*command.split(), "--help")
    except SystemExit as end:  # of a parser
        status, out = end.code, capsys.readouterr().out
    assert status == 0
    assert out.startswith("usage: untrained ")


@pytest.mark.filterwarnings("default::UserWarning")
def test_a_warning_of_ours_is_a_line_without_code(untrained, sounds, monkeypatch):
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)  # which is another in what follows
    theirs = (UserWarning("of others"), UserWarning, "/somewhere/else.py", 3)
    before = warnings.formatwarning(*theirs)

    def show(message, category, filename, lineno, file=None, line=None):
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))

    monkeypatch.setattr(warnings, "showwarning", show)  # as pytest collects them
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
