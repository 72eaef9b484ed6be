import torch
from untrained.probes.observers import Observers
from untrained.studies.rank.items import Item
from untrained.training.pool import Place


def test_scores_are_kept_and_files_are_not(finished, known, planned):
    for name in planned().design.architectures:
        first = known.done(Item("synthetic-events", name, "trained", 0.001, 100))
        other = known.done(Item("synthetic-events", name, "trained", 0.003, 100))
        assert len(first.predicted) == 24
        assert set(first.predicted) <= set(range(8))
        assert first.first_epoch is not None
        assert other.first_epoch is None
        assert 0 <= first.train <= 1
    assert list((finished[0] / "tiny").rglob("*.ckpt")) == []


def test_a_training_whose_record_was_lost_is_not_repeated(copied, planned, known, monkeypatch):
    plan = planned(root=copied)
    item = next(item for item in known.records if item.arm == "linear")
    job, place = plan.job(item), Place(torch.device("cpu"), lambda: Observers(loggers=[]), lambda text: None, {})
    (record,) = job.carry_out(place)
    assert record.agrees_with(known.records[item])
    monkeypatch.setattr(type(job.job), "carry_out", None)
    assert job.carry_out(place)[0].agrees_with(record)
    job.forget()
    assert not job.job.folder.exists()
