import json
import shutil
from dataclasses import replace

import pytest
from untrained.errors import UsageError
from untrained.studies.rank import protocol, results
from untrained.studies.rank.merge import merge


@pytest.fixture
def halves(finished, known, tmp_path):
    """Two folders, each with the results of every second architecture."""
    names = list(dict.fromkeys(item.architecture for item in known.records))
    folders = [tmp_path / "first", tmp_path / "second"]
    for number, folder in enumerate(folders):
        folder.mkdir()
        shutil.copy(finished[0] / "tiny" / protocol.FILE, folder)
        mine = names[number::2]
        results.append(folder, [record for item, record in known.records.items() if item.architecture in mine])
    return folders


def test_two_halves_make_the_whole(halves, known, tmp_path):
    said = []
    found = merge(halves, tmp_path / "both", said.append)
    assert found.records == known.records
    assert found.differing == []
    assert results.read(tmp_path / "both", said.append).records == known.records
    assert protocol.read(tmp_path / "both") == protocol.read(halves[0])
    assert [line.rpartition(" results")[0] for line in said] == [f"{folder}: 22" for folder in halves]
    merge(halves, tmp_path / "both", said.append)  # again, which changes nothing
    assert len((tmp_path / "both" / results.FILE).read_text().splitlines()) == len(known.records)


def test_results_that_differ_are_both_kept_and_shown(halves, tmp_path):
    other = results.read(halves[0], print)
    record = next(iter(other.of_arm("trained")))
    results.append(halves[1], [replace(record, validation=0.0, predicted=[7] * len(record.predicted))])
    said = []
    found = merge(halves, tmp_path / "both", said.append)
    assert found.done(record.item) == record  # the first is used
    assert len(found.differing) == 1
    shown = f"two results of {record.item} differ: {100 * record.validation:.2f} % of the validation clips on cpu"
    assert said[-1].startswith(shown)
    assert "and 0.00 % of the validation clips" in said[-1]
    assert len(results.read(tmp_path / "both", said.append).differing) == 1
    size = (tmp_path / "both" / results.FILE).stat().st_size
    merge(halves, tmp_path / "both", said.append)  # again
    assert (tmp_path / "both" / results.FILE).stat().st_size == size
    assert len(merge([tmp_path / "both"], tmp_path / "new", said.append).differing) == 1


def test_machines_with_other_versions_of_torch_are_named(halves, tmp_path):
    path = halves[1] / results.FILE
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps({**line, "machine": {"torch": "9.9"}}) + "\n" for line in lines))
    said = []
    found = merge(halves, tmp_path / "both", said.append)
    notes = [line for line in said if "several versions of torch" in line]
    assert len(notes) == 1
    assert f"9.9 in {halves[1]}" in notes[0]
    assert len(found.records) == 44
    said.clear()
    merge(halves[1:], tmp_path / "both", said.append)  # into a folder with other results
    assert len([line for line in said if "several versions of torch" in line]) == 1


def test_another_study_is_refused_and_nothing_is_changed(halves, tmp_path, planned):
    protocol.freeze(planned("--training.max_steps", 30, root=tmp_path))
    with pytest.raises(UsageError, match=r"tiny is another study than .*first: training.max_steps is 20 there and 30"):
        merge([*halves, tmp_path / "tiny"], tmp_path / "both", print)
    assert not (tmp_path / "both").exists()
    with pytest.raises(UsageError, match=r"no protocol.json in .*nowhere"):
        merge([tmp_path / "nowhere"], tmp_path / "both", print)
