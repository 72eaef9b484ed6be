import shutil

import numpy as np
import soundfile
from untrained.datamodules import Clip
from untrained.datamodules.listing import Clips
from untrained.embeddings.remarks import notes_on
from untrained.embeddings.shards import StoredClip
from untrained.embeddings.store import EmbeddingStore

FIT = ["--data.n_samples", "4000", "--model.frontend", "mfcc", "--model.backend", "nearest_class"]


class Data:
    listed = Clips.of(Clip(name, "x") for name in ("a", "b", "c", "d", "odd, name"))


def test_clips_that_are_most_likely_faulty_are_noted(tmp_path):
    odd = {"a": "loud clipped", "c": "cancelling", "d": "clipped", "odd, name": "loud", "gone": "loud"}
    names = ("a", "b", "c", "d", "odd, name", "gone")
    store = EmbeddingStore(tmp_path, {}, 1)
    for remarks, expected in ((odd, {"a, odd, name", "c"}), ({}, set())):
        rows = [StoredClip(name, 1, 2, 0.5, remarks=remarks.get(name, "")) for name in names]
        store.append(rows, np.zeros((6, 1)), {})
        store.commit()
        assert {note.partition(": ")[2] for note in notes_on(store, Data)} == expected


def test_each_run_notes_clips_that_are_most_likely_faulty(untrained, sounds, tmp_path):
    root = tmp_path / "data"
    shutil.copytree(sounds, root)
    path = root / "low" / "low 00.wav"
    sound, rate = soundfile.read(path)
    soundfile.write(path, sound * [1, -1], rate)
    soundfile.write(root / "mid" / "mid 00.wav", np.clip(9 * sound, -1, 1), rate)
    note = "note: 1 of 36 clips have channels in opposite phase"
    for _ in range(2):  # the second run only reads the store
        status, out, err = untrained("fit", "--data", "folder", "--data.root", root, *FIT)
        assert status == 0
        assert note in out + err
        assert "low/low 00.wav" in out + err
        assert "clipped" not in out + err
    root = root.rename(tmp_path / "moved")  # its clips are recognised, with their remarks
    out = "".join(untrained("fit", "--data", "folder", "--data.root", root, *FIT)[1:])
    assert "not computed again" in out
    assert note in out
    soundfile.write(root / "low" / "low 00.wav", sound, rate)
    assert note not in "".join(untrained("fit", "--data", "folder", "--data.root", root, *FIT)[1:])
