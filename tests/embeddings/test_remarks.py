import shutil

import numpy as np
import soundfile
from untrained.datamodules import Clip
from untrained.embeddings.remarks import keep_remarks, notes_on, read_remarks

FIT = ["--data.n_samples", "4000", "--model.frontend", "mfcc", "--model.backend", "nearest_class"]


class Data:
    listed = [Clip(name, "x") for name in ("a", "b", "c", "d", "odd, name")]


def test_remarks_are_kept_until_a_clip_is_read_again(tmp_path):
    keep_remarks(tmp_path, {"a": ("loud", "clipped"), "b": (), "odd, name": ("loud",)})
    keep_remarks(tmp_path, {"c": ("cancelling",), "gone": ("loud",)})
    assert read_remarks(tmp_path)["a"] == ["loud", "clipped"]
    loud, cancelling = notes_on(read_remarks(tmp_path), Data)
    assert loud.startswith("2 of 5 clips have a peak far above full scale")
    assert loud.endswith(": a, odd, name")
    assert cancelling.endswith(": c")
    keep_remarks(tmp_path, {"a": (), "c": (), "odd, name": ()})
    assert notes_on(read_remarks(tmp_path), Data) == []


def test_a_damaged_file_holds_no_remarks(tmp_path):
    assert read_remarks(tmp_path) == {}
    (tmp_path / "remarks.csv").write_bytes(b"\xff\0\nid")
    assert read_remarks(tmp_path) == {}
    keep_remarks(tmp_path, {"a": ("loud",)})
    assert read_remarks(tmp_path) == {"a": ["loud"]}


def test_each_run_notes_what_most_likely_is_a_mistake(untrained, sounds, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(sounds, root)
    path = root / "low" / "low 00.wav"
    sound, rate = soundfile.read(path)
    soundfile.write(path, sound * [1, -1], rate)
    soundfile.write(root / "mid" / "mid 00.wav", np.clip(9 * sound, -1, 1), rate)
    note = "note: 1 of 36 clips have channels that cancel"
    for _ in range(2):  # the second one reads the store alone
        status, out, err = untrained("fit", "--data", "folder", "--data.root", root, *FIT)
        assert status == 0
        assert note in out + err
        assert "low/low 00.wav" in out + err
        assert "clipped" not in out + err
    soundfile.write(path, sound, rate)
    assert note not in "".join(untrained("fit", "--data", "folder", "--data.root", root, *FIT)[1:])
