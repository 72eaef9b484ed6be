import copy
import os

import numpy as np
import pytest
import soundfile
from untrained.datamodules.clip import Clip, Stamp
from untrained.datamodules.digests import (
    HEAD_BYTES,
    Digests,
    audio_digest,
    file_digest,
    known_file_digest,
    n_bytes_known_by,
    stamp_of,
)
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.loader import ClipLoader


@pytest.fixture
def read():
    return AudioFolder("nowhere", n_samples=1000).read


def batch_of(read, *paths):
    (batch,) = ClipLoader(read).load([Clip(str(path), "", path) for path in paths], 8000, len(paths))
    return batch


def test_the_same_audio_in_different_formats_has_the_same_audio_digest(tmp_path, read):
    samples = np.random.default_rng(0).integers(-9000, 9000, 1500).astype(np.int16)
    for name in ("a.wav", "b.flac", "c.aiff"):
        soundfile.write(tmp_path / name, samples, 8000)
    soundfile.write(tmp_path / "d.wav", np.stack([samples, samples], 1), 8000)
    soundfile.write(tmp_path / "e.wav", samples / np.float32(2**15), 8000, subtype="FLOAT")
    samples[700] += 1
    soundfile.write(tmp_path / "other.wav", samples, 8000)
    found = batch_of(read, *sorted(tmp_path.iterdir())).digests
    assert len({each.audio for each in found[:5]}) == 1
    assert len({each.file for each in found}) == 6
    assert found[5].audio != found[0].audio


def test_every_sample_and_the_length_affect_the_digest():
    waveform = np.zeros(100, np.float32)
    found = {audio_digest(waveform), audio_digest(waveform[:-1])}
    for index in range(100):
        changed = waveform.copy()
        changed[index] = 1e-5
        found.add(audio_digest(changed))
    assert len(found) == 102
    assert audio_digest(-waveform) == audio_digest(waveform)
    assert audio_digest(np.tile(np.float32([1, 2, 3, 4]), 8)) != audio_digest(np.tile(np.float32([2, 1, 3, 4]), 8))


def test_a_file_is_read_once_while_its_stamp_is_unchanged(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"one")
    stamp = stamp_of(Clip("a", "", path))
    first = known_file_digest(path, stamp, 3)
    path.write_bytes(b"two")
    os.utime(path, ns=(stamp.mtime_ns, stamp.mtime_ns))
    assert known_file_digest(path, stamp, 3) == first  # cached, because the stamp is unchanged
    assert file_digest(path, stamp, 3) != first
    assert file_digest(tmp_path / "absent", stamp, 3) == ""
    assert stamp_of(Clip("b", "", tmp_path / "absent")) == Stamp(0, 0)


def test_the_digest_of_a_long_recording_covers_a_part_of_it():
    assert n_bytes_known_by(HEAD_BYTES, 3600, 29) == HEAD_BYTES
    assert n_bytes_known_by(10**9, 3600, 29) < 0.04 * 10**9
    assert n_bytes_known_by(10**9, 30, 29) == 10**9
    assert n_bytes_known_by(10**9, 3600.0004, 29) == n_bytes_known_by(10**9, 3600.0, 29)  # stores round the duration


def test_a_file_that_changes_while_it_is_read_has_no_file_digest(tmp_path, read):
    soundfile.write(tmp_path / "a.wav", np.zeros(100), 8000)

    def changing(clip, rate):
        decoded = read(clip, rate)
        os.utime(clip.path, (1, 1))
        return decoded

    (found,) = batch_of(changing, tmp_path / "a.wav").digests
    assert found.file == ""
    assert found.audio == audio_digest(np.zeros(1000, np.float32))
    assert copy.deepcopy(found) == found  # by the same protocol as between processes
    assert Digests() == ("", "")
