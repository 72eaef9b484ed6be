import numpy as np
import pytest
import soundfile
from untrained import audio
from untrained.audio import containers
from untrained.errors import AudioError

SOUND = np.random.default_rng(0).uniform(-0.3, 0.3, 24_000).astype(np.float32)  # 2 s
# Field of the header that declares the size of the samples: mark, offset from the mark, length in bytes, byte order.
FIELDS = {
    "wav": (b"data", 4, 4, "little"),
    "aiff": (b"SSND", 4, 4, "big"),
    "au": (b".snd", 8, 4, "big"),
    "caf": (b"data", 4, 8, "big"),
    "w64": (b"data\xf3\xac", 16, 8, "little"),
    "rf64": (b"ds64", 16, 8, "little"),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Bytes of one intact file per container."""
    folder = tmp_path_factory.mktemp("whole")
    for name in FIELDS:
        soundfile.write(folder / f"a.{name}", SOUND, 12_000, format=name.upper(), subtype="PCM_16")
    return {name: (folder / f"a.{name}").read_bytes() for name in FIELDS}


def declaring(content, name, count):
    """Return the content of a file with another declared size of its samples."""
    mark, offset, length, order = FIELDS[name]
    at = content.index(mark) + offset
    return content[:at] + (count % 256**length).to_bytes(length, order) + content[at + length :]


def load(path):
    return audio.load(path, sample_rate=12_000, n_samples=36_000, fit_length="zero")


@pytest.mark.parametrize("count", [0, -1], ids=["not closed", "unknown"])
@pytest.mark.parametrize("name", FIELDS)
def test_samples_of_undeclared_size_are_read(tmp_path, whole, name, count):
    path = tmp_path / f"a.{name}"
    path.write_bytes(declaring(whole[name], name, count))
    waveform, seconds, remarks = load(path)
    assert seconds == audio.header(path).seconds == 2
    np.testing.assert_allclose(waveform[:24_000], SOUND, atol=1e-4)
    assert remarks == (("unclosed",) if count == 0 else ())


@pytest.mark.parametrize("name", FIELDS)
def test_declared_samples_that_are_missing_raise(tmp_path, whole, name):
    path = tmp_path / f"a.{name}"
    path.write_bytes(whole[name][:-24_000])
    with pytest.raises(AudioError, match="is truncated"):
        load(path)


@pytest.mark.parametrize(
    ("follows", "remarks"),
    [
        (b"LIST\x04\0\0\0INFO", ()),
        (b"TAG" + bytes(9000), ()),
        (b"\xf0\x01" * 9000, ("uncounted",)),
        (b"\xf0\x01" * 1000, ()),
    ],
    ids=["chunk", "tag", "many bytes", "few bytes"],
)
def test_many_bytes_after_the_declared_samples_give_a_remark(tmp_path, whole, follows, remarks):
    path = tmp_path / "a.wav"
    path.write_bytes(whole["wav"] + follows)
    assert load(path).remarks == remarks


def test_an_empty_recording_followed_by_other_chunks_is_empty(tmp_path, whole):
    path = tmp_path / "a.wav"
    path.write_bytes(declaring(whole["wav"][:44], "wav", 0) + b"LIST\x04\0\0\0INFO")
    assert containers.find_samples(path).counted == 0
    with pytest.raises(AudioError, match="contains no audio"):
        load(path)


@pytest.mark.parametrize("subtype", ["IMA_ADPCM", "GSM610", "ULAW", "FLOAT"])
def test_all_encodings_of_an_unclosed_file_are_read_to_the_end(tmp_path, subtype):
    path = tmp_path / "a.wav"
    soundfile.write(path, SOUND, 12_000, subtype=subtype)
    known = load(path)
    content = path.read_bytes()
    at = content.index(b"data")
    path.write_bytes(content[: at + 4] + bytes(4) + content[at + 8 :])
    found = load(path)
    assert found.seconds == known.seconds
    np.testing.assert_array_equal(found.waveform, known.waveform)


@pytest.mark.parametrize("head", [b"caff\0\1\0\0desc", b"riff.\x91\xcf\x11\xa5\xd6(\xdb\x04\xc1\0\0" + b"\xff" * 24])
def test_a_chunk_of_excessive_size_raises_an_audio_error(head, tmp_path):
    """The size exceeds the largest file offset of the system."""
    path = tmp_path / "a.caf"
    path.write_bytes(head + b"\xff" * 8 + b"\0" * 40)
    with pytest.raises(AudioError):
        audio.header(path)
