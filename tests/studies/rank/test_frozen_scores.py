import pytest
import torch
from untrained.probes.observers import Observers
from untrained.studies.rank.items import Item
from untrained.training.pool import Place


@pytest.fixture
def place():
    return Place(torch.device("cpu"), lambda: Observers(loggers=[]), lambda text: None, {})


def test_frozen_scores_have_all_changes_and_repeat(copied, planned, known, place):
    plan = planned(root=copied)
    item = Item("synthetic-events", plan.design.architectures[0], "random", None, 0)
    records = plan.job(item).carry_out(place)
    assert records[-1].item == item  # last, because with it the item counts as done
    assert {record.item.arm for record in records[:-1]} == {
        *("random-mean_std", "random-columns", "random-last", "random-raw")
    }
    for record in records:
        assert record.agrees_with(known.records[record.item])
    n_features = plan.frontend(item).made.embedding_size
    columns = next(record for record in records if record.item.arm == "random-columns")
    same = columns.predicted == records[-1].predicted
    assert same is True or n_features > 112  # all columns, where there are no more


def test_classes_are_those_of_the_protocol_even_if_one_cannot_be_read(planned, known, place, tmp_path):
    plan = planned(root=tmp_path)
    job = plan.job(Item("synthetic-events", plan.design.architectures[1], "random", None, 0))
    (record,) = type(job)(**{**vars(job), "changes": [], "names": ["another", *job.names]}).carry_out(place)
    assert record.predicted == [index + 1 for index in known.records[record.item].predicted]


def test_a_change_that_fails_leaves_the_others(planned, known, place, tmp_path, monkeypatch):
    plan = planned(root=tmp_path)
    job = plan.job(Item("synthetic-events", plan.design.architectures[1], "random", None, 0))

    def broken(*arguments):
        raise ValueError("no layers")

    monkeypatch.setattr(type(job.frontend), "columns", broken)
    failed, whole = type(job)(**{**vars(job), "changes": ["last"]}).carry_out(place)
    assert (failed.item.arm, failed.error) == ("random-last", "ValueError: no layers")
    assert whole.agrees_with(known.records[whole.item])


def test_a_clip_that_cannot_be_read_has_no_prediction(planned, known, place, monkeypatch, tmp_path):
    plan = planned(root=tmp_path)
    job = plan.job(Item("synthetic-events", plan.design.architectures[0], "random", None, 0))
    job = type(job)(**{**vars(job), "tested": ["missing", *job.tested], "changes": []})
    (record,) = job.carry_out(place)
    assert record.predicted[0] == -1
    assert record.predicted[1:] == list(known.records[record.item].predicted)
