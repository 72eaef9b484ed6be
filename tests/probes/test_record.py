import pytest
from untrained.errors import UsageError
from untrained.probes.record import (
    FORMAT,
    Candidate,
    Predictions,
    keep_damaged_metrics,
    predictions_file,
    read_candidates,
    read_metrics,
    read_predictions,
    units,
    update_metrics,
    write_candidates,
    write_predictions,
)

FOUND = Predictions(["a, b", 'quo"te', "new\nline"], ["0", "", "1"], ["g", "", "g"], ["x", "ÿ", "x"], ["x", "x", " "])


def test_predictions_with_any_text_are_written_and_read(tmp_path):
    path = tmp_path / "run" / predictions_file("cv/accuracy")
    write_predictions(path, FOUND)
    assert path.name == "predictions-cv.csv"
    assert read_predictions(path) == FOUND


def test_predictions_of_an_earlier_version_are_read(tmp_path):
    path = tmp_path / predictions_file("cv/accuracy")
    write_predictions(path, FOUND)
    now = path.read_bytes()
    assert now.startswith(b"ids,folds,groups,labels,predicted\n")
    path.write_bytes(now.replace(b"predicted", b"given", 1))
    assert read_predictions(path) == FOUND


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"ids,folds,groups,labels,predicted\n1,2\n", b"\xff"])
def test_damaged_predictions_are_named(tmp_path, content):
    path = tmp_path / "predictions-cv.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"predictions-cv.csv cannot be read"):
        read_predictions(path)


def test_clips_of_a_group_are_one_unit():
    of_a, alone, of_c = units(FOUND)
    assert of_a == of_c != alone
    assert units(Predictions(["g"], [""], [""], [""], [""])) != [of_a]  # a clip and a group may have the same name


def test_metrics_are_added_to_existing_metrics(tmp_path):
    update_metrics(tmp_path, {"val/accuracy": 0.5, "layers": (0, 1)})
    update_metrics(tmp_path, {"test/accuracy": 0.25})
    assert read_metrics(tmp_path) == {"format": FORMAT, "val/accuracy": 0.5, "layers": [0, 1], "test/accuracy": 0.25}


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": ', b"\xff"])
def test_damaged_metrics_are_empty(tmp_path, content):
    (tmp_path / "metrics.json").write_bytes(content)
    assert read_metrics(tmp_path) == read_metrics(tmp_path / "gone") == {}
    update_metrics(tmp_path, {"a": 1})
    assert read_metrics(tmp_path)["a"] == 1


def test_metrics_that_cannot_be_read_are_named_and_kept(tmp_path):
    keep_damaged_metrics(tmp_path)  # no file exists yet
    (tmp_path / "metrics.json").write_text('{"identity": ')
    with pytest.warns(
        UserWarning, match=r"metrics.json cannot be read; it is kept as metrics.json.damaged, and the run"
    ):
        keep_damaged_metrics(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.json.damaged"]
    update_metrics(tmp_path, {"seed": 0})
    keep_damaged_metrics(tmp_path)
    assert read_metrics(tmp_path)["seed"] == 0


def test_candidates_are_read_best_first(tmp_path):
    candidates = [Candidate("C=1", 0.5, False), Candidate('C=2, "x"', 0.75, True), Candidate("C=3", 0.75, False)]
    write_candidates(tmp_path, candidates)
    assert read_candidates(tmp_path) == [candidates[1], candidates[2], candidates[0]]


@pytest.mark.parametrize("content", [None, b"", b"a,b,c\n", b"\xff", b"arguments,accuracy,is_chosen\nC=1,high,1\n"])
def test_candidates_that_cannot_be_read_are_empty(tmp_path, content):
    if content is not None:
        (tmp_path / "candidates.csv").write_bytes(content)
    assert read_candidates(tmp_path) == []
