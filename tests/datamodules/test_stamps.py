import numpy as np
import pytest
from untrained.datamodules.clip import Clip, Stamp
from untrained.datamodules.digests import stamp_of
from untrained.datamodules.listing import Clips
from untrained.datamodules.manifest import Manifest
from untrained.datamodules.stamps import Stamps, stamps_of

PAIRS = {f"kläng/{number}.wav": Stamp(number, -number) for number in range(20)}


def test_stamps_are_found_by_the_id_of_their_clip():
    stamps = Stamps.of(PAIRS.items())
    assert dict(stamps) == PAIRS
    assert list(stamps) == sorted(PAIRS)
    assert list(stamps.items()) == sorted(PAIRS.items())
    assert ("kläng/3.wav", Stamp(3, -3)) in stamps.items()
    assert stamps.sizes.dtype == stamps.mtimes_ns.dtype == np.int64


@pytest.mark.parametrize("unknown", ["", "kläng/1", "z"])
def test_an_unknown_id_is_not_found(unknown):
    stamps = Stamps.of(PAIRS.items())
    assert unknown not in stamps
    assert unknown not in Stamps.of([])


def test_stamps_of_clips_are_those_of_their_files(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"123")
    clips = [Clip(f"{name}.wav", "x", tmp_path / f"{name}.wav") for name in ("a", "gone", "nul\0l")]
    others = [*clips, Clip("z", "x", None), Clip("zz", "x", tmp_path / "a.wav")]
    for listed in (clips, others):
        assert dict(stamps_of(Clips.of(listed))) == {clip.id: stamp_of(clip) for clip in listed}
    assert stamps_of(Clips.of(clips))["a.wav"].size == 3
    assert stamps_of(Clips.of(clips), lambda clip: Stamp(7, 8))["gone.wav"] == Stamp(7, 8)


def test_stamps_are_those_of_each_clip_wherever_its_file_is(tmp_path):
    for name in ("root/a.wav", "else/b.wav", "root/sub/ü c.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    lines = ["path,label", "a.wav,x", f"{tmp_path}/else/b.wav,y", "sub/ü c.wav,x", "absent.wav,y"]
    (tmp_path / "clips.csv").write_text("\n".join(lines))
    data = Manifest(str(tmp_path / "clips.csv"), str(tmp_path / "root"), folds=2)
    stamps = {clip.id: data.stamp(clip) for clip in data.listed}
    assert dict(data.stamps()) == stamps
    assert [stamp.size for stamp in stamps.values()] == [10, 10, 0, 17]
