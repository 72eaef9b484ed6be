"""The contracts of plug-ins: ours keep them, and what breaks a promise is told which, and what to do."""

from typing import ClassVar

import numpy as np
import pytest
from untrained import BACKENDS, FRONTENDS, AudioDataModule, Backend, Clip
from untrained.audio import Decoded
from untrained.backends.nearest_class import NearestClass
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.synthetic import Synthetic
from untrained.errors import ContractError
from untrained.frontends.hear import Hear
from untrained.testing import check_backend, check_datamodule, checks_of, parametrize_with_checks

OURS = [FRONTENDS.get(name) for name in FRONTENDS.names() if name != "hear"]
# scikit-learn's conventions are tried one by one in tests/backends.
SEARCHED = [
    check
    for name in BACKENDS.names()
    if name != "sklearn"
    for check in checks_of(BACKENDS.get(name))
    if check.name != "follows_scikit_learn"
]


@parametrize_with_checks(*OURS, Hear("untrained.hear", "temporal"))
def test_our_frontends(check):
    check()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("check", SEARCHED, ids=str)
def test_our_backends(check):
    check()


@parametrize_with_checks(Synthetic(clips_per_class=3, n_samples=20_000))
def test_our_data(check):
    check()


def test_a_folder(sounds):
    check_datamodule(AudioFolder(str(sounds), n_samples=8000))
    check_datamodule(AudioFolder(str(sounds), n_samples=8000, folds=3))


class Candidates(NearestClass):
    """Names an argument that it lacks."""

    param_grid: ClassVar = {"width": [1]}


class Constant(NearestClass):
    """Gives one class to all."""

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Strange(NearestClass):
    """Gives classes that there are not."""

    def predict(self, X):
        return super().predict(X) + 100


class Random(NearestClass):
    """Draws when it predicts."""

    def predict(self, X):
        found = super().predict(X)
        return np.where(np.random.random(len(found)) < 0.05, self.classes_[0], found)  # noqa: NPY002


class Liar(NearestClass):
    """Searches otherwise than it fits."""

    def search(self, X, y, splits):
        found = super().search(X, y, splits)
        return type(found)(found.candidates, [[labels * 0 for labels in row] for row in found.predictions], found.truth)


class Backwards(NearestClass):
    """Gives its best class the lowest score."""

    def class_scores(self, X):
        scores, kind = super().class_scores(X)
        return -scores, kind


BROKEN_BACKENDS = {
    Candidates: "has_candidates: a candidate names 'width', which is no argument",
    Constant: "learns: of clips that a line tells apart it labels 33 % rightly",
    Strange: r"learns: predict gave \(60,\) labels .*; expected \(60,\) of those of y",
    Random: "repeats_itself: fitted twice to the same it predicts differently",
    Liar: "searches_as_it_fits: .* predicts other labels than a fit of {}",
    Backwards: "scores_classes: the class with the highest score is not the one that predict gives",
}


@pytest.mark.parametrize("cls", BROKEN_BACKENDS, ids=lambda cls: cls.__name__)
def test_backends_that_break_a_promise(cls):
    with pytest.raises(ContractError, match=BROKEN_BACKENDS[cls]):
        check_backend(cls)


def test_scikit_learn_s_conventions_are_among_the_promises():
    class Naive(Backend):
        """Keeps no number of features."""

        def fit(self, X, y):
            self.classes_ = np.unique(y)
            self.means_ = np.stack([np.asarray(X)[y == label].mean(axis=0) for label in self.classes_])
            return self

        def predict(self, X):
            return self.classes_[((np.asarray(X)[:, None] - self.means_) ** 2).sum(axis=2).argmin(axis=1)]

    with pytest.raises(ContractError, match=r"follows_scikit_learn: check_.*"):
        check_backend(Naive)


class Sounds(AudioDataModule):
    """Twelve sounds."""

    def clips(self):
        return [Clip(f"{index:02d}", "ab"[index % 2], fold=index % 3) for index in range(12)]

    def read(self, clip, sample_rate):
        sound = np.random.default_rng(int(clip.id)).normal(size=self.n_samples).astype(np.float32)
        return Decoded(sound, self.n_samples / sample_rate)


class Shuffled(Sounds):
    """Lists in any order."""

    def clips(self):
        return list(np.random.default_rng().permutation(np.array(super().clips(), dtype=object)))


class Absolute(Sounds):
    """Names a place of one machine."""

    def clips(self):
        return [Clip(f"/data/{clip.id}", clip.label, fold=clip.fold) for clip in super().clips()]


class Placeless(Sounds):
    """Puts clips nowhere."""

    def clips(self):
        return [Clip(clip.id, clip.label) for clip in super().clips()]


class Long(Sounds):
    """Reads what it likes."""

    def read(self, clip, sample_rate):
        return Decoded(np.zeros(2 * sample_rate, np.float32), 2.0)


class Fickle(Sounds):
    """Is another sound each time."""

    def read(self, clip, sample_rate):
        return Decoded(np.random.default_rng().normal(size=self.n_samples).astype(np.float32), 1.0)


class Stuck(Sounds):
    """Cannot be sent to a worker."""

    def __init__(self) -> None:
        super().__init__(n_samples=100)
        self.key = lambda clip: clip.id


class Everything(Sounds):
    """Gives all clips whatever is asked for."""

    def select(self, ids):
        pass


class Nameless(Sounds):
    """Has a name with a slash."""

    dataset_name = "a/b"


BROKEN_DATA = {
    Shuffled: r"lists_its_clips: clips\(\) gives other clips the second time; sort",
    Absolute: "lists_its_clips: id '/data/00'; expected a path relative to the root",
    Placeless: "places_its_clips: clip '00' has split None and fold None",
    Long: r"reads_waveforms: clip '00' at 12000 Hz is float32 \(24000,\); expected float32 \(100,\)",
    Fickle: "reads_waveforms: clip '00' is another sound the second time",
    Stuck: "is_read_by_workers: it cannot be sent to another process",
    Everything: r"makes_batches: asked for .* do not override predict_dataloader, or heed select",
    Nameless: "has_a_name: dataset_name is 'a/b'",
}


@pytest.mark.parametrize("cls", BROKEN_DATA, ids=lambda cls: cls.__name__)
def test_data_that_breaks_a_promise(cls):
    with pytest.raises(ContractError, match=BROKEN_DATA[cls]):
        check_datamodule(cls() if cls is Stuck else cls(n_samples=100))


def test_good_data_passes_and_what_is_no_plug_in_is_refused():
    check_datamodule(Sounds(n_samples=100))
    with pytest.raises(TypeError, match="dict is no Frontend, Backend or AudioDataModule"):
        checks_of({})
