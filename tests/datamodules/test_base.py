import pytest
from untrained.datamodules import AudioDataModule, Clip
from untrained.errors import DataError


def test_ids_that_stand_twice():
    class Doubled(AudioDataModule):
        def clips(self):
            return [Clip("a", "x"), Clip("b", "y"), *[Clip("c", "y")] * 3]

    with pytest.raises(DataError, match="clip id 'c' stands 3 times"):
        Doubled().listed  # noqa: B018


def test_a_plug_in_s_data_of_other_arguments_has_another_store():
    class Pitch(AudioDataModule):
        def __init__(self, pitch: float) -> None:
            super().__init__()
            self.pitch = pitch

    assert Pitch(1.0).source != Pitch(2.0).source
    assert Pitch(1.0).source == Pitch(1.0).source
