import json
import re

import pytest
from untrained.errors import UsageError
from untrained.studies.rank import protocol


def test_the_digest_depends_on_what_a_study_is_and_not_on_how_it_runs(planned):
    digest = protocol.protocol_of(planned())["digest"]
    same = ["--jobs", 2, "--first", 2, "--part", "1/2", "--max_seconds", 5, "--name", "other", "--left_out", "{}"]
    assert protocol.protocol_of(planned(*same))["digest"] == digest
    for words in (["--seeds.random", "[5]"], ["--training.max_steps", 21], ["--designs.max_flop", "2e6"]):
        assert protocol.protocol_of(planned(*words))["digest"] != digest


def test_a_protocol_is_written_once_and_another_is_refused(planned, tmp_path):
    found = protocol.freeze(planned(root=tmp_path))
    path = tmp_path / "tiny" / protocol.FILE
    written = path.read_bytes()
    assert protocol.freeze(planned(root=tmp_path)) == found == protocol.read(tmp_path / "tiny")
    with pytest.raises(UsageError) as error:
        protocol.freeze(planned("--training.max_steps", 30, "--seeds.random", "[7]", root=tmp_path))
    assert "training.max_steps is 20 there and 30 here" in str(error.value)
    assert "seeds.random[0] is 0 there and 7 here" in str(error.value)
    assert f"was frozen with the protocol {found['digest']}" in str(error.value)
    assert path.read_bytes() == written


def test_a_protocol_that_was_changed_is_refused(planned, tmp_path):
    protocol.freeze(planned(root=tmp_path))
    path = tmp_path / "tiny" / protocol.FILE
    content = json.loads(path.read_text())
    content["rules"]["conditions"]["headline"] = "above 0"
    path.write_text(json.dumps(content))
    with pytest.raises(UsageError, match="was changed after it was frozen"):
        protocol.read(tmp_path / "tiny")
    path.write_text(path.read_text()[:100])
    with pytest.raises(UsageError, match=re.escape(f"{path} cannot be read")):
        protocol.read(tmp_path / "tiny")


def test_a_folder_without_a_rank_study_names_those_inside(planned, tmp_path):
    protocol.freeze(planned(root=tmp_path))
    with pytest.raises(UsageError, match=re.escape(f"found {tmp_path / 'tiny'}")):
        protocol.read(tmp_path)


def test_the_protocol_has_all_that_the_analysis_reads(planned):
    found = protocol.protocol_of(planned())
    (task,) = found["tasks"]
    assert (task["n_train"], task["n_validation"], len(task["test"]["ids"])) == (16, 8, 24)
    assert sorted(task["test"]["sets"]) == [0] * 8 + [1] * 16
    assert found["left_out"] == {"rhythm": "clips of this length have no rhythm"}
    assert {"name", "family", "design", "input", "n_parameters", "flop"} <= found["architectures"][0].keys()
    assert json.loads(json.dumps(found)) == found
