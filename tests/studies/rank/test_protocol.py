import json
import re
import shutil

import pytest
from untrained.errors import UsageError
from untrained.studies.rank import protocol


def test_the_digest_depends_on_what_a_study_is_and_not_on_how_it_runs(planned):
    digest = protocol.protocol_of(planned())["digest"]
    same = ["--jobs", 2, "--first", 2, "--part", "1/2", "--max_seconds", 5, "--name", "other", "--left_out", "{}"]
    assert protocol.protocol_of(planned(*same))["digest"] == digest
    for words in (["--seeds.random", "[5]"], ["--training.max_steps", 21], ["--designs.max_flop", "2e6"]):
        assert protocol.protocol_of(planned(*words))["digest"] != digest


def test_the_digest_depends_on_what_makes_the_sounds(planned):
    """It does not depend on where they lie, see `test_the_same_files_in_another_folder`."""
    of = "[{{class_path: synthetic, init_args: {{task: events, sizes: [16, 8, 8, 16], n_samples: 2048{}}}}}]"
    digests = [
        protocol.protocol_of(planned("--datamodules", of.format(more)))["digest"]
        for more in ("", ", fit_length: zero", ", cache: int16", ", seed: 1")
    ]
    assert digests[0] == protocol.protocol_of(planned())["digest"]
    assert len(set(digests)) == 4


def test_the_same_files_in_another_folder(planned, sounds, tmp_path):
    shutil.copytree(sounds, tmp_path / "elsewhere" / sounds.name)
    digests = []
    for root in (sounds, tmp_path / "elsewhere" / sounds.name):
        data = f"[{{class_path: folder, init_args: {{root: {root}, n_samples: 2048}}}}]"
        digests.append(protocol.protocol_of(planned("--datamodules", data))["digest"])
    assert digests[0] == digests[1]


def test_results_without_their_protocol_are_refused(planned, tmp_path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / protocol.RESULTS).write_text("{}")
    with pytest.raises(UsageError, match=r"has results but no protocol\.json"):
        protocol.freeze(planned(root=tmp_path))


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
