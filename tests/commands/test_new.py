import subprocess
import sys

import pytest


def install(package, target):
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--target", target, package], check=True, capture_output=True)


@pytest.mark.slow
def test_a_package_to_begin_with(untrained, start, tmp_path):
    status, out, _ = untrained("new", "frontend", "my_idea")
    assert status == 0
    folder = tmp_path / "untrained-my-idea"
    assert f"next: pip install -e '{folder.name}[test]' && untrained check frontend my_idea" in out
    install(folder, tmp_path / "site")
    # All checks of its contract are among its tests.
    tested = start("-q", folder / "tests", what="pytest", PYTHONPATH=str(tmp_path / "site")).end()
    assert tested.returncode == 0, tested.stdout
    assert "33 passed" in tested.stdout
    for name, message in (
        ("my_idea", "untrained-my-idea is there already"),
        ("vgg", "frontend 'vgg' is registered by untrained; give another name"),
        ("7x96", "'7x96' cannot be the name of a package"),
        ("log_mel", "'log_mel' cannot be the name of a package"),
        ("_x", "'_x' cannot be the name of a package"),
        ("Ünï", "'Ünï' cannot be the name of a package"),
    ):
        status, _, err = untrained("new", "frontend", name)
        assert status == 2
        assert message in err
