import pytest
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
