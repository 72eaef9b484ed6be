from untrained.studies.results import Failure, append, start


def test_failed_runs_are_named_and_the_status_says_so(untrained, tmp_path):
    run = "synthetic/vgg/svm/seed0"
    start(tmp_path / "mine", [], [run])
    append(tmp_path / "mine", Failure("synthetic", "vgg", "svm", 0, run, "ValueError: too loud"))
    status, out, err = untrained("report", "mine")
    assert (status, out) == (1, "")
    assert f"{run}: ValueError: too loud; see mine/{run}/error.txt" in err
    assert "## Failed: 1 runs" in (tmp_path / "mine" / "report.md").read_text()
