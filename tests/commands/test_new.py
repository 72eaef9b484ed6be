import subprocess
import sys

import pytest


def install(package, target):
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--target", target, package], check=True, capture_output=True)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "n_tests"), [("frontend", 33), ("backend", 17), ("datamodule", 3)])
def test_a_package_to_begin_with(untrained, start, tmp_path, kind, n_tests):
    status, out, _ = untrained("new", kind, "my_idea")
    assert status == 0
    folder = tmp_path / "untrained-my-idea"
    assert f"next: pip install -e '{folder.name}[test]' && untrained check {kind} my_idea" in out
    install(folder, tmp_path / "site")
    # All checks of its contract are among its tests.
    tested = start("-q", folder / "tests", what="pytest", PYTHONPATH=str(tmp_path / "site")).end()
    assert tested.returncode == 0, tested.stdout
    assert f"{n_tests} passed" in tested.stdout
    if kind == "backend":
        checked = start("check", kind, "my_idea", PYTHONPATH=str(tmp_path / "site")).end()
        assert checked.returncode == 0, checked.stdout
        assert "MyIdea keeps 8 of 8 promises" in checked.stdout
    status, _, err = untrained("new", kind, "my_idea")
    assert status == 2
    assert "untrained-my-idea is there already" in err


def test_names_that_are_refused(untrained):
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
    for kind, name in (("backend", "svm"), ("datamodule", "folder")):
        assert f"{kind} {name!r} is registered by untrained" in untrained("new", kind, name)[2]
    for arguments in ([], ["study", "mine"], ["backend"], ["backend", "--mine"]):
        status, _, err = untrained("new", *arguments)
        assert status == 2
        assert "untrained new frontend|backend|datamodule NAME" in err
