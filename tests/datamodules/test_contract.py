import numpy as np
import pytest
from untrained.audio import Decoded
from untrained.datamodules import AudioDataModule, Clip
from untrained.datamodules.contract import listed_by
from untrained.errors import DataError, PluginError

CLIP = [Clip("a", "x", fold=0), Clip("b", "y", fold=1)]
GOOD = np.zeros(8, np.float32)


class Odd(AudioDataModule):
    """Datamodule whose clips and results of `read` are set by a test; exceptions are raised."""

    def __init__(self, listed=CLIP, given=None, **loader):
        super().__init__(n_samples=8, **loader)
        self.all, self.given = listed, given

    def clips(self):
        if isinstance(self.all, Exception):
            raise self.all
        return self.all

    def read(self, clip, sample_rate):
        if isinstance(self.given, Exception):
            raise self.given
        return self.given


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (KeyError("genre"), r"datamodule Odd: clips\(\) raises KeyError: 'genre'"),
        (["a.wav"], r"clips\(\) returns str 'a.wav'; expected a Clip"),
        ([Clip("a", 3)], "label=3 of clip 'a' is of type int; expected str"),
        (
            [Clip("a", "x", split=["train"])],
            r"split=\['train'\] of clip 'a' is of type list; expected a text",
        ),
        ([Clip("a\udc80", "x")], r"clip id 'a\\udc80' is not valid Unicode text; escape such characters"),
    ],
)
def test_listed_clips_are_checked(listed, message):
    with pytest.raises(PluginError, match=message):
        listed_by(Odd(listed))


def test_ids_must_be_unique():
    with pytest.raises(DataError, match="clip id 'a' occurs 2 times"):
        listed_by(Odd([CLIP[0], CLIP[0]]))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (KeyError("rate"), "raises KeyError: 'rate'"),
        (GOOD, r"returns float32 of shape \(8,\); expected Decoded"),
        (Decoded(GOOD.astype(float), 1.0), r"a waveform of float64 of shape \(8,\); expected float32 of shape \(8,\)"),
        (Decoded(GOOD.astype(np.int16), 1.0), "a waveform of int16"),
        (Decoded(np.stack([GOOD, GOOD]), 1.0), r"a waveform of float32 of shape \(2, 8\)"),
        (Decoded(GOOD[:3], 1.0), r"of shape \(3,\)"),
        (Decoded([0.0] * 8, 1.0), "a waveform of list"),
        (Decoded(GOOD, None), "seconds=None"),
        (Decoded(GOOD, float("nan")), "seconds=nan"),
    ],
)
def test_results_of_read_are_checked(given, message):
    data = Odd(given=given)
    with pytest.raises(PluginError, match=rf"datamodule Odd: read\(\) of clip 'a'.*{message}"):
        list(data.predict_dataloader())


def test_non_finite_samples_are_an_error_of_the_clip():
    (batch,) = Odd(given=Decoded(np.full(8, np.nan, np.float32), 1.0)).predict_dataloader()
    assert batch.ids == []
    assert "returns samples that are NaN or infinite" in batch.failed[0][1].reason


def test_only_a_fit_needs_classes():
    for listed, message in (
        ([Clip("a", "")], "none of which has a label"),
        ([Clip("a", "x")], "all of class 'x'"),
        ([Clip("a", "x"), Clip("b", "")], "clip 'b' has no label"),
    ):
        data = Odd(listed)
        assert data.listed == listed
        with pytest.raises(DataError, match=message):
            data.require_classes()
