"""Suffixes of audio files."""

_DECODED = (
    "wav wave bwf rf64 w64 flac ogg oga opus mp3 mp2 mp1 mpga aif aiff aifc au snd caf sph nist sf voc paf avr svx "
    "8svx pvf sds sd2 xi wve"
)
_OTHERS = (
    "m4a m4b m4p m4r mp4 m4v mov 3gp 3g2 3ga aac adts webm weba mka mkv wma wmv asf avi mpg mpeg flv ogv ac3 eac3 ec3 "
    "amr awb ape wv tta tak ofr mpc mp+ shn spx ra rm dsf dff gsm qcp g722 vox pcm raw"
)
DECODED = frozenset(f".{name}" for name in _DECODED.split())
"""Suffixes of audio files that libsndfile decodes, in lower case."""
SOUNDS = DECODED.union(f".{name}" for name in _OTHERS.split())
"""Suffixes of audio files, including formats that are not decoded, so that such files are reported."""
