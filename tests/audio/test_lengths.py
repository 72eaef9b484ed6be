"""An estimated length neither limits decoding nor proves truncation; an exact length detects a truncated file."""

import numpy as np
import pytest
import soundfile
from untrained import audio
from untrained.audio import decoding, mpeg
from untrained.errors import AudioError

RATE = 22_050


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Bytes of a clip of 4 s that gets louder towards its end, in several formats."""
    folder = tmp_path_factory.mktemp("files")
    sound = np.linspace(0, 0.5, 4 * RATE) * np.random.default_rng(0).uniform(-1, 1, 4 * RATE)
    vbr = {"bitrate_mode": "VARIABLE", "compression_level": 0.5}
    for name, options in {"a.flac": {}, "a.ogg": {}, "b.ogg": {}, "a.mp3": vbr}.items():
        soundfile.write(folder / name, sound, RATE, **options)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def mp3(files):
    """Header frame of an mp3 (which declares the number of frames), and its audio frames."""
    content = files["a.mp3"]
    size = mpeg.frame_of(content[:4]).n_bytes
    return content[:size], content[size:]


def in_wav(mp3):
    form = (
        (0x55).to_bytes(2, "little") + b"\1\0" + RATE.to_bytes(4, "little") + bytes(4) + b"\1\0\0\0\x0c\0" + bytes(12)
    )
    chunks = b"fmt \x1e\0\0\0" + form + b"data" + len(mp3).to_bytes(4, "little") + mp3
    return b"RIFF" + (len(chunks) + 4).to_bytes(4, "little") + b"WAVE" + chunks


def seconds(path, content, read=5.0):
    """Durations in s: by the header of a file, by decoding it, and up to the last loud sample of the waveform."""
    path.write_bytes(content)
    waveform, total, _ = audio.load(path, sample_rate=RATE, n_samples=int(read * RATE), fit_length="zero")
    return audio.header(path).seconds, total, np.flatnonzero(np.abs(waveform) > 0.01).max() / RATE


@pytest.mark.parametrize("read", [1.0, 5.0])
@pytest.mark.parametrize(
    "make",
    [
        lambda header, frames: frames,
        lambda header, frames: bytes(3000) + frames,
        lambda header, frames: b"ID3\x04\0\0\0\1\0\0" + b"\x55" * (1 << 14) + frames + b"TAG" + bytes(125),
        lambda header, frames: header[:21] + (9).to_bytes(4, "big") + header[25:] + frames,
        lambda header, frames: header[:21] + (10**6).to_bytes(4, "big") + header[25:] + frames,
        lambda header, frames: in_wav(frames),
    ],
    ids=["no count", "garbage", "tags", "count too low", "count too high", "in wav"],
)
def test_mp3_is_decoded_to_its_end(tmp_path, mp3, make, read):
    header, frames = mp3
    assert header[13:17] == b"Xing"
    name = "a.wav" if make(header, frames)[:4] == b"RIFF" else "a.mp3"
    by_header, total, heard = seconds(tmp_path / name, make(header, frames), read)
    assert by_header == pytest.approx(4, abs=0.1)
    assert total == pytest.approx(4, abs=0.1)
    assert heard == pytest.approx(min(read, 4), abs=0.1)


def test_mp3_decoded_beyond_the_estimate_starts_with_the_same_samples(tmp_path, mp3):
    path = tmp_path / "a.mp3"
    path.write_bytes(mp3[1])
    (short, *_), (whole, *_) = decoding._decode(path, 0.5), decoding._decode(path, 5.0)
    np.testing.assert_array_equal(short, whole[: len(short)])


def test_concatenated_mp3_files_are_decoded_as_a_whole(tmp_path, mp3):
    assert seconds(tmp_path / "a.mp3", 2 * b"".join(mp3), read=9.0)[1:] == pytest.approx((8, 8), abs=0.2)


def test_short_mp3_in_wav_is_not_truncated(tmp_path, mp3):
    _, frames = mp3
    cut = 0
    for _ in range(20):  # half a second
        cut += mpeg.frame_of(frames[cut : cut + 4]).n_bytes
    assert seconds(tmp_path / "a.wav", in_wav(frames[:cut]))[1] == pytest.approx(20 * 576 / RATE, abs=0.03)


def test_flac_of_unknown_length(tmp_path, files):
    content = bytearray(files["a.flac"])
    content[21] &= 0xF0  # the last 36 bits before the MD5 sum
    content[22:26] = bytes(4)
    for read in (1.0, 5.0):
        by_header, total, _ = seconds(tmp_path / "a.flac", bytes(content), read)
        assert by_header is None
        assert total == 4
    with pytest.raises(AudioError, match="lost sync"):
        seconds(tmp_path / "a.flac", bytes(content[: len(content) // 2]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda a, b: a[: a.rfind(b"OggS")], r"its last page is missing \(\d\.\d\d s of audio can be read\)"),
        (
            lambda a, b: a + b,
            r"several streams in sequence, .* ffmpeg -i in\.ogg out\.wav \(4\.00 s of audio can be read\)",
        ),
        (lambda a, b: a + a, "several streams"),
    ],
    ids=["no last page", "two streams", "same stream twice"],
)
def test_ogg_that_is_not_a_single_complete_stream(tmp_path, files, make, message):
    content = make(files["a.ogg"], files["b.ogg"])
    assert seconds(tmp_path / "a.ogg", content, read=1.0)[2] == pytest.approx(1, abs=0.1)
    with pytest.raises(AudioError, match=message):
        seconds(tmp_path / "a.ogg", content, read=9.0)


def test_an_excessive_declared_length_takes_no_memory(tmp_path, monkeypatch, files):
    monkeypatch.setattr(decoding, "_MOST_AT_ONCE", 10_000)  # samples
    asked = []
    read = soundfile.SoundFile.read
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda file, n, **k: asked.append(n) or read(file, n, **k))
    content = bytearray(files["a.flac"])
    content[21:26] = b"\xff" * 5  # days
    path = tmp_path / "a.flac"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=r"truncated|cannot be decoded"):
        audio.load(path, sample_rate=RATE, n_samples=10**9)
    assert max(asked) <= 10_000
