import torch
from untrained.probes.observers import Observers
from untrained.studies.rank.items import Item
from untrained.training.pool import Place


def test_values_are_those_of_the_finished_study(copied, planned, known):
    plan = planned(root=copied)
    name = plan.design.architectures[0]
    place = Place(torch.device("cpu"), lambda: Observers(loggers=[]), lambda text: None, {})
    for arm, values in (("proxies", {"naswot", "synflow", "jacob_cov", "zico"}), ("nngp", {"nngp"})):
        (record,) = plan.job(Item("synthetic-events", name, arm, None, 0)).carry_out(place)
        assert set(record.values) == set(record.times) == values
        assert record.agrees_with(known.records[record.item])
    assert sum(key[0] == "batches" for key in place.read) == 1  # drawn once
