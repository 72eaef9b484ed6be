import webbrowser

import pytest
from untrained.commands.report import opened
from untrained.studies.results import append, start


def test_failed_runs_are_reported_with_status_1(untrained, no_display, tmp_path):
    names = {"dataset": "synthetic", "frontend": "vgg", "backend": "svm", "seed": 0, "run": "synthetic/vgg/svm/seed0"}
    error = tmp_path / "mine" / names["run"] / "error.txt"
    error.parent.mkdir(parents=True)
    error.write_text("ValueError: too loud\n\nTraceback of it\n")
    start(tmp_path / "mine", [names], [])
    append(tmp_path / "mine", names)
    status, out, err = untrained("report", "mine", "--open")
    assert "untrained: no browser was found; open mine/report.html in a browser" in err
    assert (status, out) == (1, "")
    assert f"{names['run']}: ValueError: too loud; see mine/{names['run']}/error.txt" in err
    assert "## Failed: 1 runs" in (tmp_path / "mine" / "report.md").read_text()
    assert "ValueError: too loud" in (tmp_path / "mine" / "report.html").read_text("utf-8")


@pytest.fixture
def no_display(monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_display_no_browser_is_tried(no_display, monkeypatch, tmp_path):
    """A text browser would take over the terminal."""
    tried = []
    monkeypatch.setattr(webbrowser, "open", lambda address: tried.append(address) or True)
    assert not opened(tmp_path)
    assert tried == []
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert opened(tmp_path / "a b.html")
    assert tried == [f"{tmp_path.as_uri()}/a%20b.html"]


@pytest.mark.parametrize("error", [webbrowser.Error("none"), OSError("none")])
def test_a_browser_that_fails_raises_no_error(monkeypatch, tmp_path, error):
    def fails(address):
        raise error

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", fails)
    assert not opened(tmp_path)
