from dataclasses import replace

from untrained.studies.rank_report.document import Section, as_markdown
from untrained.studies.rank_report.state import machine_table, progress_table, state


def as_text(study):
    return as_markdown("", [Section("state", "State", state(study))])


def test_progress_is_counted_by_arm_and_task(whole, parts):
    rows = {row[0]: row[1:] for row in progress_table(whole).rows}
    assert rows["trained: the whole network (y)"] == ["81 of 81", "81 of 81"]
    assert rows["architectures with both scores"] == ["24", "24"]
    half = parts(lambda record: record.item.task == "task-0")
    rows = {row[0]: row[1:] for row in progress_table(half).rows}
    assert rows["trained: the whole network (y)"] == ["81 of 81", "0 of 81"]


def test_machines_are_listed_with_their_number_of_results(whole, nothing):
    (row,) = machine_table(whole).rows
    assert row[:3] == ["cpu", "2.4.0", "Linux x86_64"]
    assert machine_table(nothing).rows == []


def test_failures_and_results_that_differ_are_listed(whole):
    text = as_text(whole)
    assert "task-0 timbral trained-last at 0.001 seed 100 | ValueError: &lt;script&gt;" in text
    assert "50.00 | cpu, torch 2.4.0 | 25.00 | NVIDIA H100, torch 2.5.0" in text


def test_tasks_and_architectures_that_are_left_out_are_named(parts, made):
    name = made[0]["architectures"][0]["name"]
    text = as_text(parts(lambda record: record.item.architecture != name or record.item.arm == "random"))
    assert "Task rhythm: with 160 training clips" in text
    assert f"task-0: {name} has no untrained or no trained score." in text
    other = as_text(parts(lambda record: record.item.architecture != name))
    assert "1 architecture of the protocol has no result yet." in other


def test_networks_that_did_not_train_are_named(whole):
    task = whole.analysis.tasks[0]
    flags = replace(task.flags, not_trained=["vgg-0"])
    study = replace(whole, analysis=replace(whole.analysis, tasks=[replace(task, flags=flags)]))
    text = as_text(study)
    assert "task-0: 1 of 24 networks did not train (vgg-0)." in text
    assert "With 2 learning rates, every choice is an end of the grid" in text


def test_a_study_without_results_has_a_state(nothing):
    assert "0 of 486 items are done." in as_text(nothing)
    assert "did not train" not in as_text(nothing)


def test_lines_that_cannot_be_read_are_counted(whole):
    study = replace(whole, known=replace(whole.known, unreadable=[3, 5]))
    assert "2 lines of the results cannot be read" in as_text(study)
