import numpy as np
from untrained.studies.rank import protocol
from untrained.studies.rank.items import Item
from untrained.studies.rank.load import load
from untrained.studies.rank.results import Record, Results


def test_results_become_arrays(finished, known):
    frozen = protocol.read(finished[0] / "tiny")
    data = load(frozen, known)
    (task,) = data.tasks
    assert len(data.architectures) == 4
    assert data.apart.tolist() == [False] * 4
    assert set(task.right) >= {"random", "linear", "trained", "trained-common", "trained-last", "random-raw"}
    assert {right.shape for right in task.right.values()} == {(4, 1, 24)}
    assert not task.shares_clips
    assert set(task.rivals) == {
        *("n_parameters", "flop", "n_features", "naswot", "synflow", "jacob_cov", "zico", "nngp", "one_epoch")
    }
    name = data.architectures[2]
    record = known.done(Item(task.name, name, "random", None, 0))
    truth = frozen["tasks"][0]["test"]["labels"]
    classes = frozen["tasks"][0]["classes"]
    expected = [classes[index] == label for index, label in zip(record.predicted, truth, strict=True)]
    assert task.right["random"][2, 0].tolist() == expected
    assert np.isfinite(task.rivals["one_epoch"]).all()
    assert not task.at_grid_end.any()  # two rates have no middle


def test_what_is_missing_is_not_a_number(finished, known):
    frozen = protocol.read(finished[0] / "tiny")
    (name, other, *_), some = [row["name"] for row in frozen["architectures"]], Results()
    for item, record in known.records.items():
        if item.architecture == name or (item.architecture == other and item.arm == "random"):
            some.add(record)
    some.add(Record(Item("synthetic-events", other, "trained", 0.001, 100), error="no"))
    data = load(frozen, some)
    assert data.architectures == [name, other]
    task = data.tasks[0]
    assert np.isnan(task.right["trained"][1]).all()
    assert np.isfinite(task.right["random"]).all()
    assert np.isnan(task.rivals["zico"][1])
    item = Item("synthetic-events", name, "proxies", None, 0)
    some.records[item] = Record(item, values={**known.records[item].values, "zico": None})  # computed, not finite
    assert load(frozen, some).tasks[0].rivals["zico"][0] == -np.inf


def test_a_study_without_results_has_no_architectures(finished):
    data = load(protocol.read(finished[0] / "tiny"), Results())
    assert data.architectures == []
    assert data.tasks[0].right["random"].shape == (0, 1, 24)
