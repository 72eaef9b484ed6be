import numpy as np
import pytest
from untrained.audio import Decoded
from untrained.datamodules import AudioDataModule, Clip
from untrained.errors import DataError


def test_repeated_ids_raise():
    class Doubled(AudioDataModule):
        def clips(self):
            return [Clip("a", "x"), Clip("b", "y"), *[Clip("c", "y")] * 3]

    with pytest.raises(DataError, match="clip id 'c' occurs 3 times"):
        Doubled().listed  # noqa: B018


def test_the_source_depends_on_the_arguments_of_a_plug_in():
    class Pitch(AudioDataModule):
        def __init__(self, pitch: float) -> None:
            super().__init__()
            self.pitch = pitch

    assert Pitch(1.0).source != Pitch(2.0).source
    assert Pitch(1.0).source == Pitch(1.0).source


class Tones(AudioDataModule):
    """Ten clips, some of which have no label."""

    def clips(self):
        return self.divided([Clip(f"{n}", "xy"[n % 2]) for n in range(10)], None)

    def read(self, clip, sample_rate):
        return Decoded(np.full(self.n_samples, 0.5, np.float32), 1.0)


@pytest.mark.parametrize(
    ("chosen", "loaded"),
    [
        (["7", "2", "unknown"], ["2", "7"]),
        (np.array([7, 2, 7]), ["2", "7"]),
        (np.array([], np.int64), []),
        ([], []),
        (None, [f"{n}" for n in range(10)]),
    ],
)
def test_clips_are_selected_by_ids_or_positions(chosen, loaded):
    data = Tones(n_samples=4, batch_size=3)
    data.select(chosen)
    batches = list(data.predict_dataloader())
    assert [clip_id for batch in batches for clip_id in batch.ids] == loaded
    assert len(batches) == len(data.predict_dataloader()) == -(-len(loaded) // 3)


def test_a_plug_in_divides_a_list():
    clips = Tones().clips()
    assert isinstance(clips, list)
    assert {clip.split for clip in clips} == {"train", "validation", "test"}
