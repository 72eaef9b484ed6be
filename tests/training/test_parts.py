import pytest
from untrained.datamodules import Clip
from untrained.datamodules.synthetic import Synthetic
from untrained.errors import DataError
from untrained.training.parts import parts_of


def clips(*splits, labels="xy"):
    return [Clip(f"{label}{split}{n}", label, split=split) for split in splits for label in labels for n in range(3)]


def test_splits_are_those_of_the_data():
    listed = Synthetic("events", clips_per_class=5).listed
    (part,) = parts_of(listed, seed=0)
    assert part.train == [clip for clip in listed if clip.split == "train"]
    assert part.validation == [clip for clip in listed if clip.split == "validation"]
    assert part.scored == []


def test_each_fold_is_scored_once_and_never_learned_from():
    listed = Synthetic("events", clips_per_class=6, folds=3).listed
    *folds, final = parts_of(listed, seed=0)
    assert sorted(clip.id for part in folds for clip in part.scored) == [clip.id for clip in listed]
    for part in folds:
        assert not {clip.id for clip in part.scored} & {clip.id for clip in (*part.train, *part.validation)}
    for part in (*folds, final):
        assert {clip.label for clip in part.validation} == {clip.label for clip in listed}
        assert len(part.train) + len(part.validation) + len(part.scored) == len(listed)
    assert final.name == "all"
    assert not final.scored


def test_groups_are_held_out_together():
    listed = [Clip(f"{n}", "xy"[n % 2], fold=n % 4 // 2, group=f"g{n // 8}{n % 4}") for n in range(64)]
    for part in parts_of(listed, seed=1):
        assert not {clip.group for clip in part.train} & {clip.group for clip in part.validation}


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        (clips("train", "test"), "train needs a validation split"),
        (
            clips("train", "validation", "test", labels="x"),
            "the train split needs .* two classes: all 3",
        ),
        (
            [*clips("train"), *clips("validation", labels="y")],
            "the validation split needs .*all 3 .* 'y'",
        ),
        (clips("validation", "test"), "the train split needs .* it contains no readable clip"),
        (clips(None), "needs clips with train, validation and test splits, or every clip in one of at least two folds"),
    ],
)
def test_too_few_clips_are_refused(listed, message):
    with pytest.raises(DataError, match=message):
        parts_of(listed, seed=0)
