import numpy as np
import pytest
from untrained import AudioDataModule, Clip
from untrained.audio import Decoded
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.synthetic import Synthetic
from untrained.errors import ContractError
from untrained.testing import check_datamodule, checks_of, parametrize_with_checks


@parametrize_with_checks(Synthetic(clips_per_class=3, n_samples=20_000))
def test_our_data(check):
    check()


def test_a_folder(sounds):
    check_datamodule(AudioFolder(str(sounds), n_samples=8000))
    check_datamodule(AudioFolder(str(sounds), n_samples=8000, folds=3))


class Sounds(AudioDataModule):
    """Twelve sounds."""

    def clips(self):
        return [Clip(f"{index:02d}", "ab"[index % 2], fold=index % 3) for index in range(12)]

    def read(self, clip, sample_rate):
        sound = np.random.default_rng(int(clip.id)).normal(size=self.n_samples).astype(np.float32)
        return Decoded(sound, self.n_samples / sample_rate)


class Shuffled(Sounds):
    """Lists clips in a random order."""

    def clips(self):
        return list(np.random.default_rng().permutation(np.array(super().clips(), dtype=object)))


class Absolute(Sounds):
    """Uses absolute paths as ids."""

    def clips(self):
        return [Clip(f"/data/{clip.id}", clip.label, fold=clip.fold) for clip in super().clips()]


class Placeless(Sounds):
    """Assigns clips to no split or fold."""

    def clips(self):
        return [Clip(clip.id, clip.label) for clip in super().clips()]


class Long(Sounds):
    """Reads waveforms of the wrong length."""

    def read(self, clip, sample_rate):
        return Decoded(np.zeros(2 * sample_rate, np.float32), 2.0)


class Fickle(Sounds):
    """Reads a different waveform each time."""

    def read(self, clip, sample_rate):
        return Decoded(np.random.default_rng().normal(size=self.n_samples).astype(np.float32), 1.0)


class Stuck(Sounds):
    """Cannot be sent to a worker."""

    def __init__(self) -> None:
        super().__init__(n_samples=100)
        self.key = lambda clip: clip.id


class Everything(Sounds):
    """Returns batches of all clips, whatever is selected."""

    def select(self, ids):
        pass


class Nameless(Sounds):
    """Has a name with a slash."""

    dataset_name = "a/b"


BROKEN_DATA = {
    Shuffled: r"lists_its_clips: clips\(\) returns different clips the second time; sort",
    Absolute: "lists_its_clips: id '/data/00'; expected a path relative to the root",
    Placeless: "places_its_clips: clip '00' has split None and fold None",
    Long: r"reads_waveforms: clip '00' at 12000 Hz is float32 \(24000,\); expected float32 \(100,\)",
    Fickle: "reads_waveforms: clip '00' has a different waveform the second time",
    Stuck: "is_read_by_workers: it cannot be sent to another process",
    Everything: r"makes_batches: .* are selected, but .* do not override predict_dataloader or select",
    Nameless: "has_a_name: dataset_name is 'a/b'",
}


@pytest.mark.parametrize("cls", BROKEN_DATA, ids=lambda cls: cls.__name__)
def test_data_that_violates_a_requirement(cls):
    with pytest.raises(ContractError, match=BROKEN_DATA[cls]):
        check_datamodule(cls() if cls is Stuck else cls(n_samples=100))


def test_good_data_passes_and_other_objects_are_refused():
    check_datamodule(Sounds(n_samples=100))
    with pytest.raises(TypeError, match="dict is not a Frontend, Backend, AudioDataModule or Proxy"):
        checks_of({})
