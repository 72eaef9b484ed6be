import numpy as np
import pytest
from synthetic_controls import control, onset_autocorrelation
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.synthesis import RHYTHMS
from untrained.datamodules.synthetic import CLASSES, Synthetic
from untrained.errors import UsageError
from untrained.frontends.baselines import LogMelStats

CHANCE = 1 / 8


@pytest.mark.parametrize("task", CLASSES)
def test_clips_are_reproducible_and_differ(task):
    data, again = (Synthetic(task, clips_per_class=5, n_samples=24_000) for _ in range(2))
    assert len(data.class_names) == 8
    first, second = data.listed[:2]
    waveform = data.read(first, 12_000).waveform
    assert waveform.shape == (24_000,)
    assert waveform.dtype == np.float32
    assert np.isfinite(waveform).all()
    assert 0.01 < np.abs(waveform).max() <= 1
    np.testing.assert_array_equal(waveform, again.read(again.listed[0], 12_000).waveform)
    assert not np.array_equal(waveform, data.read(second, 12_000).waveform)
    other = Synthetic(task, clips_per_class=5, n_samples=24_000, seed=1)
    assert not np.array_equal(waveform, other.read(other.listed[0], 12_000).waveform)
    assert data.source != other.source


def test_a_clip_does_not_depend_on_the_number_of_clips():
    few, many = Synthetic(clips_per_class=5, n_samples=9000), Synthetic(clips_per_class=9, n_samples=9000)
    clip = few.listed[3]
    assert clip.id in {other.id for other in many.listed}
    np.testing.assert_array_equal(few.read(clip, 12_000).waveform, many.read(clip, 12_000).waveform)


def test_events_last_half_a_second_to_four():
    data = Synthetic("events", clips_per_class=5)
    seconds = [data.read(clip, 12_000).seconds for clip in data.listed]
    assert min(seconds) >= 0.5 - 1e-3
    assert max(seconds) <= 4
    assert len({round(value, 2) for value in seconds}) > 20


def test_tempo_ranges_of_the_rhythms_overlap():
    for name, (_, _, (low, high), _) in RHYTHMS.items():
        others = [limits for other, (_, _, limits, _) in RHYTHMS.items() if other != name]
        assert any(low < other_high and other_low < high for other_low, other_high in others)


def test_timbre_does_not_reveal_the_rhythm():
    assert control("rhythm", LogMelStats(), clips_per_class=40) < 2 * CHANCE


def test_rhythm_does_not_reveal_the_timbre():
    assert control("timbre", onset_autocorrelation, clips_per_class=40) < 2 * CHANCE


def test_controls_recognise_their_own_task():
    """Otherwise, the two tests above would pass with controls that learn nothing."""
    assert control("rhythm", onset_autocorrelation, clips_per_class=40) > 3 * CHANCE
    assert control("events", LogMelStats(), clips_per_class=20) > 3 * CHANCE


def test_an_exported_folder_holds_the_same_clips(tmp_path):
    data = Synthetic("events", clips_per_class=5)
    folder = AudioFolder(str(data.export(tmp_path / "events")))
    assert [clip.id for clip in folder.listed] == [f"{clip.id}.wav" for clip in data.listed]
    for ours, theirs in zip(data.listed[::7], folder.listed[::7], strict=True):
        difference = data.read(ours, 12_000).waveform - folder.read(theirs, 12_000).waveform
        assert np.abs(difference).max() < 1e-4


def test_sizes_of_splits_and_test_sets():
    data = Synthetic("events", sizes=[32, 16, 8, 24], n_samples=2048)
    splits = [(clip.split, clip.metadata.get("test_set")) for clip in data.listed]
    counts = {found: splits.count(found) for found in splits}
    assert counts == {("train", None): 32, ("validation", None): 16, ("test", 0): 8, ("test", 1): 24}
    assert len({clip.id for clip in data.listed}) == 80
    same = Synthetic("events", clips_per_class=10, n_samples=2048)
    ours, theirs = ({clip.id: clip for clip in each.listed}[data.listed[-1].id] for each in (data, same))
    np.testing.assert_array_equal(data.read(ours, 12_000).waveform, same.read(theirs, 12_000).waveform)


@pytest.mark.parametrize("sizes", [[8, 8], [8, 8, 4], [8, 8, 0], []])
def test_sizes_are_multiples_of_the_classes(sizes):
    with pytest.raises(UsageError, match=r"expected the numbers of clips for training, .* a multiple of the 8 classes"):
        Synthetic("events", sizes=sizes)
    with pytest.raises(UsageError, match="give one of them"):
        Synthetic("events", sizes=[8, 8, 8], folds=2)
