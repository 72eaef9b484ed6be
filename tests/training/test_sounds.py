import numpy as np
import pytest
import torch
from untrained.audio import Decoded
from untrained.datamodules import AudioDataModule, Clip
from untrained.errors import AudioError, DataError, UsageError
from untrained.training.sounds import Sounds


class Noise(AudioDataModule):
    broken = ("b",)

    def clips(self):
        return [Clip(name, label, split="train") for name, label in zip("abc", "xyx", strict=True)]

    def read(self, clip, sample_rate):
        if clip.id in self.broken:
            raise AudioError(clip.id, "it is broken", "replace it")
        value = np.float32(ord(clip.id))
        return Decoded(np.full(self.samples_at(sample_rate), value, np.float32), 1.0)


def test_clips_that_cannot_be_read_are_skipped_or_raised():
    sounds = Sounds(Noise(n_samples=10, on_error="skip"), 8000)
    assert [clip.id for clip in sounds.clips] == ["a", "c"]
    assert sounds.failed == {"b": "it is broken"}
    assert len(set(sounds.audio.values())) == 2
    with pytest.raises(AudioError, match="b: it is broken"):
        Sounds(Noise(n_samples=10), 8000)


def test_nothing_that_can_be_read_is_an_error():
    class Broken(Noise):
        broken = "abc"

    with pytest.raises(DataError, match="none of its 3 clips can be read"):
        Sounds(Broken(n_samples=10, on_error="skip"), 8000)


def test_what_has_no_room_is_read_again():
    sounds = Sounds(Noise(n_samples=10, on_error="skip"), 8000, max_kept=40)
    assert not sounds.keeps_all
    (batch,) = sounds.batches(sounds.clips)
    assert batch[:, 0].tolist() == [ord("a"), ord("c")]


def test_batches_are_read_several_times_and_none_has_one_clip(events):
    _, sounds = events
    batches = sounds.batches(sounds.clips[:9], batch_size=8)
    assert [len(batch) for batch in batches] == [len(batch) for batch in batches] == [5, 4]


def test_another_sample_rate_is_refused():
    with pytest.raises(UsageError, match=r"--data.sample_rate 8000 does not match .* 12000 Hz"):
        Sounds(Noise(n_samples=10, sample_rate=8000), 12_000)


def test_waveforms_are_read_from_the_cache_on_disk(tmp_path):
    said = []
    options = {"stores": tmp_path, "say": said.append, "max_kept": 0}
    first = Sounds(Noise(n_samples=10, on_error="skip"), 8000, **options)
    again = Sounds(Noise(n_samples=10, on_error="skip"), 8000, **options)
    assert said[0].startswith("waveforms: 3 clips x 10 samples float32 = 0.0 MB -> ")
    assert said[1].startswith("waveforms: 2 of 3 clips from the cache")
    (path,) = tmp_path.rglob("*.safetensors")
    for sounds in (first, again):
        assert sounds.keeps_all
        assert sounds.audio == first.audio
        assert [float(sounds.waveform(clip)[0]) for clip in sounds.clips] == [ord("a"), ord("c")]
    path.unlink()
    other = Sounds(Noise(n_samples=10, on_error="skip"), 8000, **options)
    for path in tmp_path.rglob("*.safetensors"):
        path.write_bytes(b"")
    assert float(other.waveform(other.clips[1])[0]) == ord("c")


@pytest.mark.parametrize("writes", [True, False])
def test_damaged_waveforms_are_not_trained_on(tmp_path, writes):
    options = {"stores": tmp_path, "say": print}
    Sounds(Noise(n_samples=10, on_error="skip"), 8000, **options)
    (path,) = tmp_path.rglob("*.safetensors")
    content = bytearray(path.read_bytes())
    content[-1] ^= 64
    path.write_bytes(content)
    sounds = Sounds(Noise(n_samples=10, on_error="skip"), 8000, **options, writes=writes)
    whole = Sounds(Noise(n_samples=10, on_error="skip", cache="off"), 8000)
    for clip in sounds.clips:
        assert torch.equal(sounds.waveform(clip), whole.waveform(clip))


def test_longer_clips_must_be_longer():
    sounds = Sounds(Noise(n_samples=10, on_error="skip"), 8000, random_crop=1)
    assert [len(sounds.longer.waveform(clip)) for clip in sounds.longer.clips] == [8000, 8000]
    with pytest.raises(UsageError, match=r"random_crop=0.001 is not longer than the clips, which last 0.00125 s"):
        Sounds(Noise(n_samples=10, on_error="skip"), 8000, random_crop=0.001)
