from untrained.studies.results import append, start


def test_failed_runs_are_named_and_the_status_says_so(untrained, tmp_path):
    names = {"dataset": "synthetic", "frontend": "vgg", "backend": "svm", "seed": 0, "run": "synthetic/vgg/svm/seed0"}
    error = tmp_path / "mine" / names["run"] / "error.txt"
    error.parent.mkdir(parents=True)
    error.write_text("ValueError: too loud\n\nTraceback of it\n")
    start(tmp_path / "mine", [names], [])
    append(tmp_path / "mine", names)
    status, out, err = untrained("report", "mine")
    assert (status, out) == (1, "")
    assert f"{names['run']}: ValueError: too loud; see mine/{names['run']}/error.txt" in err
    assert "## Failed: 1 runs" in (tmp_path / "mine" / "report.md").read_text()
