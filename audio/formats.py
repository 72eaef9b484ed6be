"""Detection of unsupported formats by the first bytes of a file, whatever its suffix."""

from typing import NamedTuple

from .fetching import Source

NO_HEADER = (
    "the file has no header that states its format: if it contains raw samples, convert it, for example with "
    "ffmpeg -f s16le -ar 44100 -ac 1 -i in.raw out.wav"
)
"""Reason of the error for a file that has no header."""


class Foreign(NamedTuple):
    """A format that libsndfile does not decode.

    Args:
        name: Name of the format.
        suffix: Usual suffix of such files, which ffmpeg can convert; empty if the format is not audio.
        hint: Likely origin of such a file, or a way to obtain its audio, if the format is not audio.
    """

    name: str
    suffix: str = ""
    hint: str = ""

    @property
    def reason(self) -> str:
        """Reason of the error for a file of this format, with the remedy."""
        if not self.suffix:
            return f"the file is {self.name}, not audio{f' ({self.hint})' if self.hint else ''}"
        convert = f"convert it, for example with ffmpeg -i in.{self.suffix} out.wav"
        return f"the file is {self.name}, which cannot be read: {convert}"


_BY_START: tuple[tuple[int, bytes, Foreign], ...] = (
    (4, b"ftyp", Foreign("MPEG-4 (AAC or ALAC)", "m4a")),
    (4, b"moov", Foreign("QuickTime or MPEG-4", "mov")),
    (4, b"mdat", Foreign("QuickTime or MPEG-4", "mov")),
    (4, b"wide", Foreign("QuickTime or MPEG-4", "mov")),
    (0, b"\x1a\x45\xdf\xa3", Foreign("WebM or Matroska", "webm")),
    (0, bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c"), Foreign("ASF (WMA)", "wma")),
    (0, b"#!AMR", Foreign("AMR", "amr")),
    (0, b"MAC ", Foreign("Monkey's Audio", "ape")),
    (0, b"wvpk", Foreign("WavPack", "wv")),
    (0, b"MPCK", Foreign("Musepack", "mpc")),
    (0, b"MP+", Foreign("Musepack", "mpc")),
    (0, b"TTA1", Foreign("True Audio", "tta")),
    (0, b"tBaK", Foreign("TAK", "tak")),
    (0, b"DSD ", Foreign("DSD", "dsf")),
    (0, b"FRM8", Foreign("DSD", "dff")),
    (0, b".RMF", Foreign("RealMedia", "rm")),
    (0, b".ra\xfd", Foreign("RealAudio", "ra")),
    (0, b"FLV\x01", Foreign("Flash video", "flv")),
    (0, b"ADIF", Foreign("AAC", "aac")),
    (0, b"\x0b\x77", Foreign("AC-3 (Dolby Digital)", "ac3")),
    (0, b"\x7f\xfe\x80\x01", Foreign("DTS", "dts")),
    (0, b"\x00\x00\x01\xba", Foreign("an MPEG program stream", "mpg")),
    (0, b"MThd", Foreign("MIDI", hint="notes; render them to audio with a synthesiser")),
    (0, b"\x89PNG", Foreign("a PNG image")),
    (0, b"\xff\xd8\xff", Foreign("a JPEG image")),
    (0, b"GIF8", Foreign("a GIF image")),
    (0, b"%PDF", Foreign("a PDF document")),
    (0, b"PK\x03\x04", Foreign("a ZIP archive", hint="unpack it")),
    (0, b"\x1f\x8b", Foreign("a gzip archive", hint="unpack it")),
    (0, b"7z\xbc\xaf", Foreign("a 7z archive", hint="unpack it")),
    (0, b"Rar!", Foreign("a RAR archive", hint="unpack it")),
    (0, b"BZh", Foreign("a bzip2 archive", hint="unpack it")),
    (0, b"\xfd7zXZ", Foreign("an xz archive", hint="unpack it")),
    (0, b"\x93NUMPY", Foreign("a NumPy array")),
    (0, b"\x89HDF", Foreign("an HDF5 file")),
    (0, b"\x00\x05\x16\x07", Foreign("an AppleDouble file", hint="macOS metadata; the audio is in another file")),
    (0, b"version https://git-lfs", Foreign("a Git LFS pointer", hint="fetch the files with git lfs pull")),
    (0, b"/annex/objects", Foreign("a git-annex pointer", hint="fetch the files with git annex get")),
)
_CODINGS = {
    0x0160: "WMA", 0x0161: "WMA", 0x0162: "WMA", 0x0163: "WMA", 0x00FF: "AAC", 0x1600: "AAC", 0x1610: "AAC",
    0x706D: "AAC", 0xA106: "AAC", 0x2000: "AC-3", 0x2001: "DTS", 0x0270: "ATRAC3", 0x0042: "G.723.1", 0x0083: "G.729",
    0x0022: "TrueSpeech", 0x0401: "Intel Music Coder", 0x674F: "Vorbis", 0x6750: "Vorbis", 0x6751: "Vorbis",
    0x566F: "Vorbis", 0xF1AC: "FLAC", 0x5756: "WavPack",
}  # fmt: skip
"""Encodings of WAV files that libsndfile does not support, by format tag (RFC 2361 and ffmpeg's list)."""
_IN_OGG = {b"Speex   ": ("Speex", "spx"), b"\x80theora": ("Theora video", "ogv"), b"fishead": ("Ogg video", "ogv")}


def foreign(path: Source) -> Foreign | None:
    """Return the unsupported format of a file; None if its first bytes match none."""
    with path.open("rb") as file:
        start = file.read(512)
        if start[:3] == b"ID3" and len(start) >= 10:
            file.seek(10 + sum(byte << (7 * place) for place, byte in enumerate(reversed(start[6:10]))))
            start = file.read(512)
    return foreign_start(start)


def mistaken(path: Source, form: str) -> str:
    """Return why a file does not have the format that libsndfile assumes; empty if it may have it.

    libsndfile falls back on the suffix for unknown content, and reads it as mp3 or as samples without a header.

    Args:
        path: Source of the file.
        form: Format that libsndfile assumes.
    """
    if form not in ("RAW", "MP3"):
        return ""
    with path.open("rb") as file:
        start = file.read(64)
    if form == "MP3":
        is_mpeg = start[:1] == b"\xff" and start[1] & 0xE0 == 0xE0 and start[1] & 6 > 0
        kind = None if is_mpeg else foreign(path)
        return kind.reason if kind is not None and kind.suffix else ""
    kind = foreign(path)
    if kind is not None:
        return kind.reason
    suffix = path.suffix.lower()
    is_gsm = suffix == ".gsm" and all(byte >> 4 == 0xD for byte in start[::33])  # each 33-byte frame starts with 0xD
    return "" if is_gsm or suffix == ".vox" else NO_HEADER


def foreign_start(start: bytes) -> Foreign | None:
    """Return the unsupported format that starts with these bytes; None if there is none.

    Example:
        >>> foreign_start(bytes.fromhex("0000001866747970") + b"M4A ").reason
        'the file is MPEG-4 (AAC or ALAC), which cannot be read: convert it, for example with ffmpeg -i in.m4a out.wav'
        >>> foreign_start(b"RIFF") is None
        True
    """
    known = next((kind for at, mark, kind in _BY_START if start[at : at + len(mark)] == mark), None)
    if known is not None:
        return known
    if start[:1] == b"\xff" and start[1:2] in (b"\xf0", b"\xf1", b"\xf8", b"\xf9"):  # layer 0, which mp3 does not use
        return Foreign("AAC (ADTS)", "aac")
    if start[:1] == b"\x56" and len(start) > 1 and start[1] & 0xE0 == 0xE0:
        return Foreign("AAC (LATM)", "aac")
    if start[:1] == b"\x47" and start[188:189] == b"\x47" and start[376:377] == b"\x47":
        return Foreign("an MPEG transport stream", "ts")
    if start[:4] in (b"RIFF", b"RIFX", b"RF64"):
        return _in_riff(start)
    if start[:4] == b"caff":
        return Foreign("CAF with AAC", "caf") if start[28:31] == b"aac" else None
    if start[:4] == b"OggS":
        return next((Foreign(f"Ogg with {n}", end) for mark, (n, end) in _IN_OGG.items() if mark in start[:64]), None)
    return _text_or_nothing(start)


def _in_riff(start: bytes) -> Foreign | None:
    if start[8:12] == b"AVI ":
        return Foreign("AVI", "avi")
    if start[8:12] == b"WEBP":
        return Foreign("a WebP image")
    if start[8:12] == b"RMID":
        return Foreign("MIDI", hint="notes; render them to audio with a synthesiser")
    at = start.find(b"fmt ")
    tag = int.from_bytes(start[at + 8 : at + 10], "big" if start[:4] == b"RIFX" else "little")
    return Foreign(f"WAV with {_CODINGS[tag]}", "wav") if at >= 0 and tag in _CODINGS else None


def _text_or_nothing(start: bytes) -> Foreign | None:
    if start and not any(start):
        return Foreign("a file of zeros", hint="an incomplete copy or download")
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head")):
        return Foreign("a web page", hint="a failed download")
    if text.startswith(b"<?xml"):
        return Foreign("XML", hint="a failed download, or metadata of the audio")
    is_text = len(start) > 16 and all(byte >= 32 or byte in b"\t\n\r\f" for byte in start) and max(start) < 127
    return Foreign("text") if is_text else None
