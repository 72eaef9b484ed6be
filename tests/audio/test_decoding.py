import tracemalloc

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st
from untrained import audio
from untrained.errors import AudioError

RATE = 12_000


def load(path, n_samples=6000, **arguments):
    return audio.load(path, sample_rate=RATE, n_samples=n_samples, **arguments)


def sine(seconds, rate, pitch=440.0):
    return 0.5 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)


@pytest.mark.parametrize(
    ("name", "rate", "arguments", "tolerance"),
    [
        ("a.wav", 12_000, {}, 1e-4),
        ("a.WAV", 44_100, {"subtype": "PCM_24"}, 1e-3),
        ("a.wav", 192_000, {"subtype": "FLOAT"}, 1e-3),
        ("a.wav", 22_050, {"subtype": "IMA_ADPCM"}, 2e-2),
        ("a.wav", 8_000, {"subtype": "PCM_U8"}, 2e-2),
        ("a.flac", 22_050, {}, 1e-3),
        ("a.ogg", 44_100, {}, 5e-2),
        ("a.opus", 48_000, {"format": "OGG", "subtype": "OPUS"}, 5e-2),
        ("a.mp3", 44_100, {}, 5e-2),
        ("a.aiff", 11_025, {}, 1e-3),
        ("a.au", 22_050, {}, 1e-3),
    ],
)
def test_decodes_resamples_and_averages_channels(tmp_path, name, rate, arguments, tolerance):
    path = tmp_path / name
    left = sine(1.5, rate)
    soundfile.write(path, np.stack([left, np.zeros_like(left)], axis=1), rate, **arguments)
    waveform, seconds, _ = load(path, n_samples=RATE)
    assert waveform.shape == (RATE,)
    assert waveform.dtype == np.float32
    assert seconds == pytest.approx(1.5, rel=0.05)  # of the whole file; the waveform holds only its start
    # Codecs shift by a few samples: compare spectra, away from the edges.
    spectrum = np.abs(np.fft.rfft(waveform[2000:-2000] * np.hanning(8000))) / 2000
    expected = np.abs(np.fft.rfft(sine(1, RATE)[2000:-2000] / 2 * np.hanning(8000))) / 2000
    assert np.abs(spectrum - expected).max() < tolerance


@pytest.mark.parametrize("rate", [8000, 44_100, 192_000])
def test_reading_the_first_part_equals_reading_all(tmp_path, rate):
    path = tmp_path / "long.wav"
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 3 * rate).astype(np.float32)
    soundfile.write(path, noise, rate, subtype="FLOAT")
    whole = soxr.resample(noise, rate, RATE)[:6000]
    np.testing.assert_allclose(load(path).waveform, whole, atol=1e-6)


def test_reads_no_more_than_needed(tmp_path, monkeypatch):
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(100 * 44_100, np.int16), 44_100)
    asked = []
    read = soundfile.SoundFile.read
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda file, n, **k: asked.append(n) or read(file, n, **k))
    load(path)
    assert sum(asked) < 44_100


@settings(deadline=None)
@given(n=st.integers(1, 50), n_samples=st.integers(1, 200))
def test_fit_length(n, n_samples):
    waveform = np.arange(1, n + 1, dtype=np.float32)
    repeated, padded = audio.fit(waveform, n_samples), audio.fit(waveform, n_samples, "zero")
    assert [repeated[i] for i in range(n_samples)] == [waveform[i % n] for i in range(n_samples)]
    assert [padded[i] for i in range(n_samples)] == [waveform[i] if i < n else 0 for i in range(n_samples)]


def damaged(tmp_path, name, keep):
    whole = tmp_path / f"whole.{name}"
    soundfile.write(whole, np.random.default_rng(0).uniform(-0.3, 0.3, 44_100), 44_100)
    path = tmp_path / f"cut.{name}"
    content = whole.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    return path


@pytest.mark.parametrize("name", ["wav", "flac", "ogg", "mp3", "aiff", "au"])
@pytest.mark.parametrize("keep", [0.01, 0.4])
def test_truncated_files_raise(tmp_path, name, keep):
    path = damaged(tmp_path, name, keep)
    with pytest.raises(AudioError, match=r"truncated|cannot be decoded|contains no audio") as caught:
        load(path, n_samples=RATE)
    assert str(path) in str(caught.value)
    assert "--data.on_error skip" in str(caught.value)


def test_truncation_after_the_requested_part_is_harmless(tmp_path):
    assert load(damaged(tmp_path, "wav", 0.9), n_samples=1000).waveform.shape == (1000,)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "the file does not exist"),
        (lambda path: path.symlink_to("nowhere.wav"), "the file does not exist"),
        (lambda path: path.mkdir(), "is a directory"),
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_text("these are words\n" * 100), "is text, not audio"),
        (lambda path: path.write_bytes(bytes(range(1, 255)) * 9), "cannot be decoded"),
        (lambda path: soundfile.write(path, np.zeros(0), 44_100), "contains no audio"),
        (lambda path: soundfile.write(path, np.float32([0, np.nan, 0]), 44_100, subtype="FLOAT"), "not finite"),
        (lambda path: soundfile.write(path, np.float32([0, np.inf, 0]), 44_100, subtype="FLOAT"), "not finite"),
    ],
)
def test_the_error_states_the_problem_of_a_file(tmp_path, make, message):
    path = tmp_path / "bad.wav"
    make(path)
    with pytest.raises(AudioError, match=message) as caught:
        load(path)
    assert str(caught.value).startswith(f"cannot use {path}: the ")


def test_mp3_without_a_declared_number_of_frames(tmp_path):
    path = tmp_path / "whole.mp3"
    soundfile.write(path, np.random.default_rng(0).uniform(-0.3, 0.3, 3 * 44_100), 44_100)
    content = path.read_bytes()
    for mark in (b"Xing", b"Info"):
        content = content.replace(mark, b"\0" * 4)  # as written by older encoders
    picture = b"ID3\x04\x00\x00" + bytes([0, 2, 0, 0]) + b"\x55" * (2 << 14)
    path.write_bytes(picture + content)
    assert load(path, n_samples=2 * RATE)[1] > 2  # the length in the header is an estimate


def test_one_sample_is_repeated(tmp_path):
    path = tmp_path / "one.wav"
    soundfile.write(path, np.float32([0.5]), RATE, subtype="FLOAT")
    assert (load(path, n_samples=10).waveform == 0.5).all()


def test_memory_stays_flat_on_an_hours_long_file(tmp_path):
    path = tmp_path / "hours.wav"
    soundfile.write(path, np.zeros(44_100, np.int16), 44_100)
    n_bytes = 2 * 44_100 * 3600 * 5
    content = bytearray(path.read_bytes()[:44])
    content[4:8], content[40:44] = (n_bytes + 36).to_bytes(4, "little"), n_bytes.to_bytes(4, "little")
    with path.open("wb") as file:
        file.write(content)
        file.truncate(44 + n_bytes)  # a sparse file, which takes no disk space
    tracemalloc.start()
    try:
        waveform = load(path, n_samples=350_000).waveform
        assert audio.header(path).seconds == pytest.approx(5 * 3600)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert waveform.shape == (350_000,)
    assert peak < 40e6  # bytes; the whole decoded file would take 1600 MB
