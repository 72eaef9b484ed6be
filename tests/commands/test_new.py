import subprocess
import sys

import pytest


@pytest.mark.slow
def test_new_packages(untrained, start, tmp_path):
    """Packages of all kinds are installed at once and tested in one process, because each step takes seconds."""
    folders = {}
    for kind in ("frontend", "backend", "datamodule", "proxy"):
        status, out, _ = untrained("new", kind, f"my_{kind}")
        assert status == 0
        folders[kind] = tmp_path / f"untrained-my-{kind}"
        assert f"next: pip install -e '{folders[kind].name}[test]' && untrained check {kind} my_{kind}" in out
        status, _, err = untrained("new", kind, f"my_{kind}")
        assert status == 2
        assert f"untrained-my-{kind} exists already" in err
    site = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", site]
    subprocess.run([*command, *folders.values()], check=True, capture_output=True)
    # Their tests include all checks of their contracts.
    tests = [folder / "tests" for folder in folders.values()]
    tested = start("-q", "-p", "no:cacheprovider", *tests, what="pytest", PYTHONPATH=str(site)).end()
    assert tested.returncode == 0, tested.stdout
    assert f"{34 + 20 + 3 + 8} passed" in tested.stdout
    checked = start("check", "backend", "my_backend", PYTHONPATH=str(site)).end()
    assert checked.returncode == 0, checked.stdout
    assert "MyBackend meets 9 of 9 requirements" in checked.stdout


def test_invalid_names(untrained):
    for name, message in (
        ("vgg", "frontend 'vgg' is registered by untrained; give another name"),
        ("7x96", "'7x96' cannot be the name of a package"),
        ("log_mel", "'log_mel' cannot be the name of a package"),
        ("_x", "'_x' cannot be the name of a package"),
        ("Ünï", "'Ünï' cannot be the name of a package"),
    ):
        status, _, err = untrained("new", "frontend", name)
        assert status == 2
        assert message in err
    for kind, name in (("backend", "svm"), ("datamodule", "folder"), ("proxy", "naswot")):
        assert f"{kind} {name!r} is registered by untrained" in untrained("new", kind, name)[2]
    assert "'nngp' has the name of a score of untrained" in untrained("new", "proxy", "nngp")[2]
    for arguments in ([], ["study", "mine"], ["backend"], ["backend", "--mine"]):
        status, _, err = untrained("new", *arguments)
        assert status == 2
        assert "untrained new frontend|backend|datamodule|proxy NAME" in err
