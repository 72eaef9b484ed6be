from collections import Counter

import pytest
import soundfile
import torch
from untrained.datamodules import Clip
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.synthetic import Synthetic
from untrained.errors import AudioError, DataError, UsageError
from untrained.proxies.batches import draw_batches, evenly


def test_batches_are_fixed_disjoint_and_stratified():
    data = Synthetic("events", clips_per_class=10, n_samples=500)  # of which 6 are training clips
    (first, second), names = draw_batches(data, 12_000, n_clips=16)
    assert names == data.class_names
    for waveforms, labels in (first, second):
        assert waveforms.shape == (16, 500)
        assert Counter(labels.tolist()) == dict.fromkeys(range(8), 2)
    assert not any(torch.equal(a, b) for a in first[0] for b in second[0])
    ((again, _),), _ = draw_batches(data, 12_000, n_clips=16, n_batches=1)
    assert torch.equal(first[0], again)
    train = {clip.id for clip in data.listed if clip.split == "train"}
    sounds = [torch.from_numpy(data.read(clip, 12_000).waveform) for clip in data.listed if clip.id in train]
    assert all(any(torch.equal(waveform, sound) for sound in sounds) for waveform in first[0])


def test_fewer_clips_than_classes_are_of_the_same_classes_in_all_batches():
    data = Synthetic("events", clips_per_class=10, n_samples=500)
    found, _ = draw_batches(data, 12_000, n_clips=4, n_batches=3)
    assert [labels.tolist() for _, labels in found] == [[0, 1, 2, 3]] * 3
    found, _ = draw_batches(data, 12_000, n_clips=19, n_batches=3)  # 6 of a class are enough for 2 in each batch
    assert [Counter(labels.tolist()) for _, labels in found] == [dict.fromkeys(range(8), 2)] * 3


def test_batches_of_little_data_are_smaller():
    data = Synthetic("events", clips_per_class=4, n_samples=500, folds=2)
    found, _ = draw_batches(data, 12_000)
    assert [len(labels) for _, labels in found] == [16, 16]  # all 32 clips


def test_every_beginning_of_the_order_is_stratified():
    clips = [Clip(f"{label}{number}", label) for label in "abc" for number in range(5)] + [Clip("d0", "d")]
    order = evenly(clips, 0)
    assert sorted(clip.id for clip in order) == sorted(clip.id for clip in clips)
    assert [clip.label for clip in order[:7]] == list("abcdabc")
    assert evenly(clips[::-1], 0) == order
    assert evenly(clips, 1) != order


def test_broken_clips(tmp_path):
    for label in "ab":
        (tmp_path / label).mkdir()
        for number in range(4):
            soundfile.write(tmp_path / label / f"{number}.wav", torch.rand(900).numpy(), 12_000)
    broken = [clip for clip in AudioFolder(str(tmp_path), folds=2).listed if clip.label == "a"][:2]
    for clip in broken:
        clip.path.write_bytes(b"")
    with pytest.raises(AudioError, match="empty"):
        draw_batches(AudioFolder(str(tmp_path), folds=2, n_samples=500), 12_000)
    data = AudioFolder(str(tmp_path), folds=2, n_samples=500, on_error="skip")
    found, _ = draw_batches(data, 12_000, n_clips=3)
    assert [len(labels) for _, labels in found] == [3, 3]


def test_impossible_batches():
    data = Synthetic("events", clips_per_class=3, n_samples=500)
    for options, message in (({"n_clips": 0}, "n_clips=0; expected"), ({"n_batches": 0}, "n_batches=0; expected")):
        with pytest.raises(UsageError, match=message):
            draw_batches(data, 12_000, **options)
    with pytest.raises(DataError, match="has 8 training clips for 9 batches; add clips, or give a smaller --n_batches"):
        draw_batches(data, 12_000, n_batches=9)
    with pytest.raises(
        UsageError, match=r"--data.sample_rate 8000 does not match the frontend, which expects 12000 Hz"
    ):
        draw_batches(Synthetic("events", sample_rate=8000), 12_000)
