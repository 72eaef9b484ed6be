import numpy as np
import pytest
from untrained import audio
from untrained.audio.formats import foreign_start
from untrained.errors import AudioError

NOISE = np.random.default_rng(0).integers(0, 255, 20_000, np.uint8).tobytes()
STARTS = {
    "m4a": b"\0\0\0\x18ftypM4A \0\0\2\0M4A isom",
    "aac": b"\xff\xf1\x5c\x40\x20\x1f\xfc",
    "webm": bytes.fromhex("1a45dfa39f4286810142f7810142f2810442f381084282847765626d"),
    "wma": bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"),
    "amr": b"#!AMR\n",
    "ape": b"MAC \x96\x0f",
    "wv": b"wvpk",
}


@pytest.mark.parametrize("suffix", ["wav", "mp3", "au", "flac", None])
@pytest.mark.parametrize("name", STARTS)
def test_an_unsupported_audio_format_is_named_whatever_the_suffix(tmp_path, name, suffix):
    path = tmp_path / f"a.{suffix or name}"
    path.write_bytes(STARTS[name] + NOISE)
    for read in (audio.header, lambda path: audio.load(path, sample_rate=12_000, n_samples=6000)):
        with pytest.raises(
            AudioError, match=rf"cannot be read: convert it, for example with ffmpeg -i in\.{name} out\.wav"
        ):
            read(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"these are words\n" * 500, "is text, not audio"),
        (b"<!DOCTYPE html><p>404", r"is a web page, not audio \(a failed download\)"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", r"Git LFS pointer.*git lfs pull"),
        (bytes(9000), "is a file of zeros"),
        (b"\x89PNG\r\n\x1a\n" + NOISE, "is a PNG image, not audio"),
        (b"PK\x03\x04" + NOISE, r"is a ZIP archive, not audio \(unpack it\)"),
    ],
)
@pytest.mark.parametrize("suffix", ["wav", "au", "snd", "gsm", "vox", "raw"])
def test_content_that_is_not_audio_is_named(tmp_path, content, message, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    with pytest.raises(AudioError, match=message):
        audio.header(path)


@pytest.mark.parametrize("suffix", ["au", "snd", "raw", "gsm"])
def test_samples_without_a_header_are_refused(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(NOISE)
    with pytest.raises(AudioError, match=r"has no header .* ffmpeg -f s16le"):
        audio.header(path)


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"ID3", None),
        (b"", None),
        (b"RIFF\0\0\0\0WAVEfmt \x12\0\0\0\x61\1", "WAV with WMA"),
        (b"RIFF\0\0\0\0WAVEfmt \x12\0\0\0\1\0", None),
        (b"RIFF\0\0\0\0AVI LIST", "AVI"),
        (b"OggS" + bytes(24) + b"Speex   ", "Ogg with Speex"),
        (b"OggS" + bytes(24) + b"\x01vorbis", None),
        (b"\x56\xe0\xff", "AAC (LATM)"),
        ((b"G" + bytes(187)) * 3, "an MPEG transport stream"),
    ],
)
def test_formats_are_detected_by_their_first_bytes(start, name):
    found = foreign_start(start)
    assert (found.name if found else None) == name
