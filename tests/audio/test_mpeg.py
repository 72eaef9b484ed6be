import io

import numpy as np
import pytest
import soundfile
from untrained.audio import mpeg


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """VBR mp3 of 2 s at 22,050 Hz whose first frame declares the number of frames."""
    path = tmp_path_factory.mktemp("mp3") / "a.mp3"
    ramp = np.linspace(0, 0.3, 44_100)
    sound = ramp * np.random.default_rng(0).uniform(-1, 1, 44_100)
    soundfile.write(path, sound, 22_050, bitrate_mode="VARIABLE", compression_level=0.5)
    return path.read_bytes()


def count_in(content, at_most=None):
    file = io.BytesIO(content)
    stream = mpeg.find_stream(file, 0, len(content))
    return stream, mpeg.count_frames(file, stream, at_most)


def test_frames_are_counted_by_their_headers(counted):
    stream, count = count_in(counted)
    assert stream.is_consistent
    assert count.n == stream.n_counted
    assert count.n * 576 == pytest.approx(44_100, abs=4 * 576)  # the encoder pads the signal
    assert count.is_end
    assert count_in(counted, 5)[1][0::3] == (5, False)


@pytest.mark.parametrize("before", [b"", bytes(3000), b"\xff\xfb\x90\x00" * 9, b"ID3\x04\0\0\0\0\1\0" + b"\xff" * 128])
@pytest.mark.parametrize("after", [b"", b"TAG" + bytes(125), b"\xff\xf3"])
def test_tags_and_garbage_are_not_counted_as_frames(counted, before, after):
    whole = count_in(counted)[1]
    audio = counted[count_in(counted)[0].frame.n_bytes :]
    stream, count = count_in(before + audio + after)
    assert stream.first == len(before)
    assert count.n == whole.n
    assert count.stop == len(before) + len(audio)


def test_noise_contains_no_stream():
    noise = np.random.default_rng(0).integers(0, 256, 20_000, np.uint8).tobytes()
    assert mpeg.find_stream(io.BytesIO(noise), 0, len(noise)) is None


@pytest.mark.parametrize(
    ("header", "n_bytes", "n_samples"),
    [
        ("fffb9064", 417, 1152),  # MPEG 1 layer III, 128 kbit/s, 44.1 kHz
        ("fff384c4", 144, 576),  # MPEG 2 layer III, 64 kbit/s, 24 kHz, mono
        ("fffd8404", 576, 1152),  # MPEG 1 layer II, 128 kbit/s, 48 kHz would be 384
        ("ffe344c4", 144, 576),  # MPEG 2.5 layer III, 32 kbit/s, 12 kHz
    ],
)
def test_lengths_of_frames(header, n_bytes, n_samples):
    frame = mpeg.frame_of(bytes.fromhex(header))
    assert (frame.n_bytes, frame.n_samples) in {(n_bytes, n_samples), (384, 1152), (192, 576)}
