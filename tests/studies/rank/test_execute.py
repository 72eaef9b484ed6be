import time

import pytest
import torch
from untrained.errors import TrainingError
from untrained.studies.rank import results
from untrained.studies.rank.execute import ERRORS, Schedule, _refuse_broken_device, execute, threads
from untrained.studies.rank.items import Item
from untrained.studies.rank.results import Record, Results

CPU = [torch.device("cpu")]


def without_times(record):
    return {name: value for name, value in vars(record).items() if name not in ("seconds", "times")}


def test_a_finished_study_has_every_item(finished, planned, known):
    plan = planned()
    design = plan.design
    ready = list(design.ready(lambda task, name: known.chosen(design.searched(task, name))))
    assert all(known.done(item) for item in ready)
    assert len(ready) == design.count_of(design.architectures) == 4 * 7
    assert Schedule(plan, known, lambda name: True).take() is None
    changes = {item.arm for item in known.records} - {item.arm for item in ready}
    assert changes == {"random-raw", "random-mean_std", "random-last", "random-columns"}
    assert "[28/28] synthetic-events " in finished[2]
    assert not (finished[0] / "tiny" / "unfinished").exists()


def test_what_was_interrupted_ends_equal_to_what_was_not(copied, planned, known):
    """Half of the file is lost, with a line that is cut off in the middle."""
    path = copied / "tiny" / results.FILE
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[: len(lines) - 6]) + lines[-6][:40])
    plan = planned(root=copied)
    again = results.read(copied / "tiny", lambda text: None)
    assert len(again.records) == len(known.records) - 6
    execute(plan, Schedule(plan, again, lambda name: True), CPU, lambda text: None)
    found = results.read(copied / "tiny", lambda text: None)
    assert {item: without_times(record) for item, record in found.records.items()} == {
        item: without_times(record) for item, record in known.records.items()
    }


def test_an_item_that_fails_is_recorded_and_the_others_go_on(copied, planned, monkeypatch):
    path = copied / "tiny" / results.FILE
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if '"linear"' not in line))
    plan = planned("--jobs", 1, root=copied)
    broken = plan.design.architectures[1]
    of_plan = type(plan).job

    class Broken:
        def __init__(self, item):
            self.item = item

        def carry_out(self, place):
            raise RuntimeError("broken\non purpose")

    monkeypatch.setattr(
        type(plan), "job", lambda self, item: (Broken if item.architecture == broken else of_plan.__get__(self))(item)
    )
    said = []
    known = results.read(copied / "tiny", said.append)
    execute(plan, Schedule(plan, known, lambda name: True), CPU, said.append)
    (failure,) = known.failures
    assert (failure.item.arm, failure.item.architecture) == ("linear", broken)
    assert failure.error == "RuntimeError: broken on purpose"
    assert "Traceback" in (copied / "tiny" / ERRORS).read_text()
    assert said[-1].startswith("[27/28]")
    assert results.read(copied / "tiny", said.append).failures == [failure]


def test_nothing_new_is_started_when_the_time_is_up(planned):
    schedule = Schedule(planned(), Results(), lambda name: True, ends=0.0)
    assert schedule.is_over
    assert schedule.take() is None
    assert next(schedule.waiting(), None) is not None
    assert not Schedule(planned(), Results(), lambda name: True, ends=time.monotonic() + 60).is_over


def test_a_machine_carries_out_its_own_architectures(planned):
    plan = planned()
    mine = plan.design.architectures[1::2]
    schedule = Schedule(plan, Results(), mine.__contains__)
    assert {item.architecture for item in schedule.waiting()} == set(mine)
    assert schedule.count() == (0, 2 * 7)


def test_later_items_wait_for_the_choice_of_the_learning_rate(planned):
    plan, known = planned(), Results()
    schedule = Schedule(plan, known, lambda name: True)
    task, name = plan.design.tasks[0], plan.design.architectures[0]
    assert "linear" not in {item.arm for item in schedule.waiting()}
    for item in plan.design.searched(task, name):
        known.add(Record(item, validation=0.5))
    assert Item(task, name, "linear", 0.001, 200) in list(schedule.waiting())


def test_the_number_of_threads_is_restored():
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    with threads(None):
        assert torch.get_num_threads() == before


def test_an_item_whose_job_cannot_be_made_fails_alone(planned, monkeypatch):
    plan = planned()

    def broken(self, item):
        raise ValueError("no such layer")

    monkeypatch.setattr(type(plan), "job", broken)
    job = Schedule(plan, Results(), lambda name: True).take()
    with pytest.raises(ValueError, match="no such layer"):
        job.carry_out(None)


def test_a_gpu_that_has_failed_ends_the_study():
    _refuse_broken_device("RuntimeError: CUDA error: out of memory\n")
    _refuse_broken_device("ValueError: no")
    with pytest.raises(TrainingError, match=r"the GPU has failed .*illegal memory access"):
        _refuse_broken_device("RuntimeError: CUDA error: an illegal memory access was encountered\n")
