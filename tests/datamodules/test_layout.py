"""Names of folders are class labels unless they are those of splits or folds."""

from pathlib import Path

import pytest
from untrained.datamodules.layout import Layout, layout_of
from untrained.errors import DataError

ROOT = Path("root")


def under(tops, inner=("high", "low")):
    return [Path(top, name, "0.wav") for top in tops for name in inner]


def flat(*tops):
    return [Path(top, "0.wav") for top in tops]


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["fold1", "fold2", "fold10"], [1, 2, 10]),
        (["Fold_01", "Fold_02"], [1, 2]),
        (["k0", "k1", "k2"], [0, 1, 2]),
        (["cv-1", "cv-2"], [1, 2]),
        (["split 1", "split 2"], [1, 2]),
        (["kfold1", "kfold2"], [1, 2]),
        (["fold1", "fold_1"], [0, 1]),
    ],
)
def test_folders_named_as_folds_are_folds(names, numbers):
    outer = layout_of(ROOT, under(names))
    assert (outer.label_level, outer.part_level) == (1, 0)
    assert outer.folds == dict(zip(names, numbers, strict=True))
    assert "read as folds of the classes below them, 'high', 'low'; " in outer.note
    assert outer.note.endswith("give --data.layout classes")
    inner = layout_of(ROOT, under(["high", "low"], names))
    assert (inner.label_level, inner.part_level, inner.folds) == (0, 1, outer.folds)
    assert "read as folds inside each class; " in inner.note


def test_splits_are_found_at_either_level():
    names = {"Training": "train", "valid": "validation", "TEST": "test"}
    assert layout_of(ROOT, under(names)) == Layout(1, 0, names)
    inner = layout_of(ROOT, under(["high", "low"], names))
    assert (inner.label_level, inner.part_level, inner.splits) == (0, 1, names)
    assert "read as splits inside each class" in inner.note


@pytest.mark.parametrize(
    "files",
    [
        flat("high", "low"),
        flat("train", "car"),  # classes of vehicles
        under(["high"], ["a", "b"]) + flat("low"),
        under(["high"], ["a", "b"]) + under(["low"], ["b", "c"]),
        under(["high", "mid", "low"], ["wav"]),
        under(["fold1"], ["high", "low"]),
    ],
)
def test_other_folders_are_classes(files):
    assert layout_of(ROOT, files) == Layout()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (under(["anna", "bob"]), "'anna', 'bob' hold the same sub-folders, 'high', 'low', .*--data.layout folds"),
        (under(["s1", "s2"]) + under(["s3"], ["high"]), "the same sub-folders, 'high', 'low', so"),
        (under(["0", "1"], ["jackson", "theo"]), "so that either level may be the classes"),
        (
            under(["fold1", "fold2", "test"]),
            """'fold1', 'fold2', but also 'test'; .*exclude '\\["test"\\]'""",
        ),
        (under(["train", "valid"]), "like splits, 'train', 'valid', but no test/"),
        (under(["val", "test"]), "but no train/"),
        (under(["train_clean", "test_clean"]), "not all train, val or test; rename 'test_clean', 'train_clean'"),
        (under(["train", "eval"]), "rename 'eval'"),
        (under(["train", "test", "noise"]), """but also 'noise'; .*--data.exclude '\\["noise"\\]'"""),
        (under(["high", "low"], ["train", "test", "extra"]), "but also 'extra'"),
        (under(["train"]) + flat("test"), "files in 'test' are not in class folders; give --data.root root/train"),
        (
            under(["train", "test"]) + flat("val"),
            """'val' are not in .*leave them out with --data.exclude '\\["val"\\]'""",
        ),
        (flat("train", "test"), "files in 'test', 'train' are not in class folders; give --data manifest"),
        (flat("fold1", "fold2"), "'fold1', 'fold2' are not in class folders; .*--data urbansound8k"),
    ],
)
def test_ambiguous_names_raise(files, message):
    with pytest.raises(DataError, match=message) as error:
        layout_of(ROOT, files)
    assert "--data.layout classes" in str(error.value)
    assert layout_of(ROOT, files, "classes") == Layout()


def test_layout_folds_reads_any_folders_as_folds():
    assert layout_of(ROOT, under(["bob", "anna"]), "folds").folds == {"anna": 0, "bob": 1}
    with pytest.raises(DataError, match="files in 'bob' are not in class folders"):
        layout_of(ROOT, under(["anna"]) + flat("bob"), "folds")
