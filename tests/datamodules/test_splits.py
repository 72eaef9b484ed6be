"""Splits and folds keep groups together: excerpts of one recording are never in both training and test data."""

from collections import Counter

import numpy as np
import pytest
import soundfile
from untrained.backends.svm import SVMClassifier
from untrained.datamodules import Clip
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.splits import fold_by_class, split_by_class
from untrained.errors import DataError, UsageError
from untrained.probes.selection import select


class SmallSVM(SVMClassifier):
    param_grid = {"C": [1.0, 100.0], "gamma": [0.1, 1.0]}


def excerpts(n_recordings, n_each, n_classes=2):
    return [
        Clip(f"{recording:02d}-{index}", str(recording % n_classes), group=str(recording))
        for recording in range(n_recordings)
        for index in range(n_each)
    ]


def places(clips):
    found = {}
    for clip in clips:
        found.setdefault(clip.group, set()).add(clip.split or clip.fold)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_no_group_is_divided(seed):
    clips = excerpts(30, 4)
    folded, split = fold_by_class(clips, 5, seed), split_by_class(clips, seed)
    for assigned in (folded, split):
        assert all(len(found) == 1 for found in places(assigned).values())
    assert Counter((clip.fold, clip.label) for clip in folded) == {(f, c): 12 for f in range(5) for c in "01"}
    assert Counter(clip.split for clip in split) == {"train": 72, "validation": 24, "test": 24}
    assert fold_by_class(clips[::-1], 5, seed) == folded
    assert fold_by_class(clips, 5, seed + 10) != folded


def test_clips_without_a_group_are_assigned_separately():
    clips = [*excerpts(10, 3), *(Clip(f"alone{i}", str(i % 2)) for i in range(10))]
    folded = fold_by_class(clips, 5, 0)
    assert all(len(found) == 1 for group, found in places(folded).items() if group is not None)
    assert len(places(folded)[None]) > 1


def test_too_few_groups_raise():
    with pytest.raises(DataError, match=r"too few groups of clips for 5 folds.*'0' has 3"):
        fold_by_class(excerpts(6, 9), 5, 0)
    with pytest.raises(DataError, match=r"too few groups of clips for a split"):
        split_by_class(excerpts(4, 9), 0)


@pytest.mark.parametrize("protocol", ["holdout", "holdout-on-folds", "nested"])
def test_random_labels_of_recordings_give_chance(protocol):
    """Excerpts of a recording are nearly the same, so a search that divides recordings can learn random labels."""
    rng = np.random.default_rng(0)
    kept, divided = [], []
    for seed in range(20):
        clips = excerpts(40, 5)
        X = np.repeat(rng.standard_normal((40, 6)), 5, axis=0) + 0.01 * rng.standard_normal((200, 6))
        for scores, grouped in ((kept, True), (divided, False)):
            given = clips if grouped else [Clip(clip.id, clip.label) for clip in clips]
            scores.append(_score(protocol, given, X, seed))
    assert np.mean(kept) == pytest.approx(0.5, abs=0.1)
    assert np.mean(divided) > 0.8


def _score(protocol, clips, X, seed):
    y = np.array([int(clip.label) for clip in clips])
    if protocol == "nested":
        return select(SmallSVM(), X, y, fold_by_class(clips, 4, seed), "nested").score
    split = split_by_class(clips, seed)
    part = np.array([clip.split for clip in split])
    if protocol == "holdout":
        learned = part != "test"
        model = select(SmallSVM(), X[learned], y[learned], [c for c in split if c.split != "test"], "holdout").model
        return model.score(X[~learned], y[~learned])
    train = part == "train"  # without a validation split, candidates are selected on folds of train
    return select(SmallSVM(), X[train], y[train], [c for c in split if c.split == "train"], "holdout").score


@pytest.fixture
def root(tmp_path):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for recording in range(6):
            for take in range(3):
                soundfile.write(tmp_path / label / f"rec{recording}_take{take}.wav", np.zeros(10), 12_000)
    return tmp_path


def test_a_folder_is_grouped_by_a_pattern_in_its_file_names(root):
    data = AudioFolder(str(root), folds=3, group_by=r"([ab]/rec\d+)_take")
    assert {clip.group for clip in data.listed} == {f"{label}/rec{number}" for label in "ab" for number in range(6)}
    assert all(len(found) == 1 for found in places(data.listed).values())
    whole = AudioFolder(str(root), folds=3, group_by=r"[ab]/rec\d+")
    assert [clip.group for clip in whole.listed] == [clip.group for clip in data.listed]
    partly = AudioFolder(str(root), folds=3, group_by=r"a/rec\d+")
    assert partly.listed
    assert partly.notes == ["18 of 36 clips do not match --data.group_by; each of them is a separate group"]


def test_invalid_and_unmatched_patterns_raise(root):
    with pytest.raises(UsageError, match=r"group_by='\(' is not a valid regular expression"):
        AudioFolder(str(root), group_by="(").listed  # noqa: B018
    with pytest.raises(DataError, match=r"group_by='song' matches none of 36 clip ids, for example 'a/rec0_take0.wav'"):
        AudioFolder(str(root), group_by="song").listed  # noqa: B018


def test_split_folders_that_divide_a_recording_raise(tmp_path):
    for split in ("train", "test"):
        for label in ("a", "b"):
            (tmp_path / split / label).mkdir(parents=True)
            soundfile.write(tmp_path / split / label / "rec1.wav", np.zeros(10), 12_000)
    with pytest.raises(DataError, match=r"is divided: 'test/a/rec1.wav' is in split test, 'train/a/rec1.wav'"):
        AudioFolder(str(tmp_path), group_by=r"^(.*)\.wav").listed  # noqa: B018


def test_a_small_class_does_not_change_the_splits_of_others():
    clips = [*(Clip(f"a{i}-{j}", "a", group=f"a{i}") for i in range(100) for j in range(2))]
    clips += [Clip(f"b{i}-{j}", "b", group=f"b{i}") for i in range(3) for j in range(2)]
    counts = Counter((clip.label, clip.split) for clip in split_by_class(clips, 0))
    assert counts["a", "train"] == 120
    assert counts["a", "test"] == counts["a", "validation"] == 40
    assert counts["b", "train"] == counts["b", "test"] == counts["b", "validation"] == 2


def test_a_random_split_without_train_clips_of_a_class_raises():
    """Class b has clips only in three groups of class a; with some seeds, none of these groups is in train."""
    clips = [Clip(f"a{i}", "a", group=str(i)) for i in range(10)] + [Clip(f"b{i}", "b", group=str(i)) for i in range(3)]
    refused = 0
    for seed in range(200):
        try:
            split = split_by_class(clips, seed)
        except DataError as error:
            refused += 1
            assert "puts no clip of class 'b' in train" in str(error)  # noqa: PT017
        else:
            assert {clip.label for clip in split if clip.split == "train"} == {"a", "b"}
    assert 0 < refused < 50


@pytest.mark.parametrize(
    ("folders", "refused"),
    [(["train", "val"], True), (["train", "val", "test", "extra"], True), (["train", "car"], False)],
)
def test_folders_named_as_splits(tmp_path, folders, refused):
    for folder in folders:
        for number in range(4):
            (tmp_path / folder / "x").mkdir(parents=True, exist_ok=True)
            soundfile.write(tmp_path / folder / "x" / f"{number}.wav", np.zeros(10), 12_000)
    if refused:
        with pytest.raises(DataError, match="holds folders named like splits"):
            AudioFolder(str(tmp_path)).listed  # noqa: B018
    else:
        assert AudioFolder(str(tmp_path)).class_names == ["car", "train"]  # both are classes of vehicles
