import numpy as np
import pytest
from untrained.audio.rounding import to_int16
from untrained.datamodules.digests import audio_digest
from untrained.embeddings import waveform_file
from untrained.embeddings.checked import DamagedError
from untrained.embeddings.waveform_file import OtherError, StoredWaveform, pack, unpack


@pytest.fixture
def made(tmp_path):
    """File of two waveforms, and these waveforms."""
    waveforms = np.random.default_rng(0).normal(0, 0.1, (2, 50)).astype(np.float32)
    rows = [
        StoredWaveform(name, 5, 2**60 + 1, 1 / 3, "f", audio_digest(waveform), ["clipped"])
        for name, waveform in zip(["a", "b\udcff"], waveforms, strict=True)
    ]
    path = tmp_path / "x.safetensors"
    path.write_bytes(pack("key", rows, waveforms))
    return path, waveforms


def test_waveforms_are_read_as_they_were_written(made):
    path, waveforms = made
    places = unpack(path, "key", "float32", 50)
    assert [place.row.id for place in places] == ["a", "b\udcff"]
    for place, waveform in zip(places, waveforms, strict=True):
        decoded, digests = place.read()
        np.testing.assert_array_equal(decoded.waveform, waveform)
        assert (decoded.seconds, decoded.remarks) == (1 / 3, ("clipped",))
        assert (digests.file, digests.audio) == ("f", audio_digest(waveform))
        assert place.row.stamp == (5, 2**60 + 1)


def test_waveforms_of_16_bits(made, tmp_path):
    codes, step = to_int16(made[1][0])
    audio = audio_digest(codes * np.float32(step))
    path = tmp_path / "y.safetensors"
    path.write_bytes(pack("key", [StoredWaveform("a", 0, 0, 1.0, "", audio, (), step)], codes[None]))
    (place,) = unpack(path, "key", "int16", 50)
    decoded, _ = place.read()
    np.testing.assert_array_equal(decoded.waveform, codes * np.float32(step))
    with pytest.raises(DamagedError, match="it holds I16"):
        unpack(path, "key", "float32", 50)


def test_files_of_others_are_told_from_damaged_ones(made, tmp_path, monkeypatch):
    path, _ = made
    with pytest.raises(OtherError, match="other data or settings"):
        unpack(path, "another", "float32", 50)
    with pytest.raises(DamagedError, match="expected"):
        unpack(path, "key", "float32", 51)
    content = path.read_bytes()
    for name, changed in {"cut": content[:-9], "empty": b"", "edited": content.replace(b"0.333", b"0.444")}.items():
        (tmp_path / name).write_bytes(changed)
        with pytest.raises(DamagedError) as found:
            unpack(tmp_path / name, "key", "float32", 50)
        assert not isinstance(found.value, OtherError)
    monkeypatch.setattr(waveform_file, "FORMAT", 2)
    with pytest.raises(OtherError, match="it has format '1', and this version reads 2"):
        unpack(path, "key", "float32", 50)


def test_a_waveform_that_has_changed_is_not_read(made):
    path, _ = made
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    first, second = unpack(path, "key", "float32", 50)
    assert first.read() is not None
    assert second.read() is None
    path.unlink()
    assert first._replace(stamp=(0, 0)).read() is None
