import csv
import io
import os

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from untrained.datamodules.manifest import Manifest
from untrained.datamodules.table import read_table
from untrained.errors import DataError
from untrained.testing import check_datamodule


def write(folder, text, name="clips.csv", encoding="utf-8"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return str(path)


def listed(path, **arguments):
    data = Manifest(path, **arguments)
    data.require_classes()
    return data.listed


def test_columns(tmp_path):
    text = "path,label,split,group,Mood\na/1.wav,x,train,s1,calm\na/2.wav,y,VAL,s2,\n/else/3.wav,x,test,,wild\n"
    first, second, third = listed(write(tmp_path, text))
    assert (first.id, third.id) == ("/else/3.wav", "a/2.wav")
    assert (second.id, second.path, second.label, second.split) == ("a/1.wav", tmp_path / "a/1.wav", "x", "train")
    assert (second.group, second.metadata) == ("s1", {"mood": "calm"})
    assert (first.group, third.split) == (None, "validation")


def test_the_contract_of_datamodules(tmp_path):
    for number in range(6):
        soundfile.write(tmp_path / f"{number}.wav", np.sin(np.arange(500) * (number + 1)), 12_000)
    lines = [f"{number}.wav,{'ab'[number % 2]},{number // 2}" for number in range(6)]
    check_datamodule(Manifest(write(tmp_path, "\n".join(["path,label,fold", *lines])), n_samples=900))


def test_spaces_around_cells_are_ignored(tmp_path):
    (tmp_path / " b.wav").write_bytes(b"")
    clips = listed(write(tmp_path, "path, label ,fold,group\n a.wav, x ,1,s\n b.wav,x , 1 ,s \nc.wav,y,2, \n"))
    found = [(clip.id, clip.label, clip.group) for clip in clips]
    assert found == [(" b.wav", "x", "s"), ("a.wav", "x", "s"), ("c.wav", "y", None)]


def test_paths_that_the_system_rejects_are_skipped(untrained, tmp_path):
    lines = ["path,label,fold"]
    for number in range(12):
        soundfile.write(tmp_path / f"{number}.wav", np.full(100, 0.1), 12_000)
        lines.append(f"{number}.wav,{number % 2},{number % 3}")
    lines += [f"{'x' * 300}.wav,0,1", "a\0b.wav,1,2", "a\rb.wav,1,2"]
    (tmp_path / "a\rb.wav").write_bytes(b"")
    path = tmp_path / "clips.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([line.split(",") for line in lines])
    data = ["--data", "manifest", "--data.path", path, "--data.n_samples", "4000", "--data.on_error", "skip"]
    for _ in range(2):
        status, out, _ = untrained("fit", *data, "--model.frontend", "mfcc", "--model.backend", "elm")
        assert status == 0
        assert "3 clips could not be read" in out
    status, out, _ = untrained("check", "data", *data)
    assert status == 0
    assert "12 clips can be used, 3 are skipped" in out


def test_splits_or_folds_are_drawn_if_there_are_none(tmp_path):
    path = write(tmp_path, "path,label\n" + "".join(f"{i}.wav,{i % 2}\n" for i in range(20)))
    assert {clip.split for clip in listed(path)} == {"train", "validation", "test"}
    assert {clip.fold for clip in listed(path, folds=4)} == {0, 1, 2, 3}
    grouped = write(tmp_path, "path,label,group\n" + "".join(f"{i}.wav,{i % 2},{i // 4}\n" for i in range(40)))
    fold_of = {}
    for clip in listed(grouped, folds=4):
        assert fold_of.setdefault(clip.group, clip.fold) == clip.fold


@pytest.mark.parametrize("given_path", ["../x.wav", "a/../../x.wav", "..", "./../x.wav"])
def test_paths_that_lead_out_of_the_root_raise(tmp_path, given_path):
    path = write(tmp_path, f"path,label\nok.wav,a\n{given_path},b\n")
    with pytest.raises(DataError, match=r"line 3: path=.* is outside root=.*--data.root"):
        listed(path)


def test_paths_are_relative_to_the_given_root(tmp_path):
    path = write(tmp_path / "tables", f"path,label,fold\na/../1.wav,a,1\n{tmp_path}/sounds/2.wav,b,2\n")
    clips = listed(path, root=str(tmp_path / "sounds"))
    assert [clip.id for clip in clips] == ["1.wav", "2.wav"]
    assert [clip.path for clip in clips] == [tmp_path / "sounds" / "1.wav", tmp_path / "sounds" / "2.wav"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no lines below its header"),
        ("path,label\n", "has no lines below its header"),
        ("file,label\na.wav,x\n", "has no column path: its first line has 'file', 'label'"),
        ("path;label\na.wav;x\n", "has no column path: .*separated by commas"),
        ("path,label,path\na,b,c\n", "has several columns of the same name, path"),
        ("path,label\na.wav\n", r"line 2: 1 cells, but the header has 2 columns"),
        ("path,label\n\n\nx, y.wav,b\n", r"line 4: 3 cells, .*\"quotes\""),
        ("path,label\na.wav,\n", "none of which has a label"),
        ("path,label\n ,a\n", "line 2: path is empty"),
        ('path,label\n"a\nb.wav",x\nc.wav,\n', "line 4: no label, but other lines have one; give a label for all"),
        ('path,label\n"a.wav,x\n', "unexpected end of data"),
        ("path,label,split\na.wav,x,dev\n", "line 2: split='dev'; expected train, validation or test"),
        ("path,label,fold\na.wav,x,one\n", "line 2: fold='one'; expected a whole number"),
        ("path,label,split\na.wav,x,train\nb.wav,y,\n", "line 3: no split, but other lines have one"),
        ("path,label\na.wav,x\na.wav,y\n", "line 3: 'a.wav' has label 'y' here and 'x' on line 2"),
        ("path,label\na.wav,x\na.wav,x\n", "line 3: 'a.wav' is already listed on line 2, with the same label"),
        ("path,label\na.wav,x\nb.wav,x\n", "all of class 'x'; fit and test need at least two"),
        ("path,label,split\na.wav,x,train\nb.wav,y,val\n", "its splits are train, validation; expected train and test"),
        (
            "path,label,fold,group\na.wav,x,1,s\nb.wav,y,2,s\n",
            "group 's' is divided: 'a.wav' is in fold 1, 'b.wav' in fold 2",
        ),
    ],
)
def test_errors_name_the_line(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        listed(write(tmp_path, text))


def test_files_that_are_not_a_table_raise(tmp_path):
    with pytest.raises(DataError, match=r"no table at .*gone.csv \(found nothing\)"):
        listed(str(tmp_path / "gone.csv"))
    with pytest.raises(DataError, match=r"found a folder"):
        listed(str(tmp_path))
    with pytest.raises(DataError, match="is not UTF-8 text"):
        listed(write(tmp_path, "path,label\ncafé.wav,x\n", encoding="latin-1"))
    with pytest.raises(DataError, match=r"leave out --data.folds=3"):
        listed(write(tmp_path, "path,label,fold\na.wav,x,1\nb.wav,y,2\n"), folds=3)


# Text that a spreadsheet or a script can write into a cell: surrogates are not text, and paths cannot hold a null byte.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(str.strip)


@settings(deadline=None, max_examples=200)
@given(
    cells=st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8),
    bom=st.booleans(),
    blank=st.booleans(),
    style=st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)]),
)
def test_every_cell_is_read_as_written(tmp_path_factory, cells, bom, blank, style):
    end, quoting = style
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end + end * blank, quoting=quoting).writerows([("Path ", "label"), *cells])
    path = tmp_path_factory.mktemp("table") / "t.csv"
    path.write_bytes(b"\xef\xbb\xbf" * bom + text.getvalue().encode())
    rows = read_table(path, ("path", "label"))
    assert [(row["path"], row["label"]) for row in rows] == cells


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=40)


@settings(deadline=None, max_examples=100)
@given(name=NAMES.filter(lambda name: name.strip() and len(os.fsencode(name)) < 200))
def test_any_file_name_can_be_read(tmp_path_factory, name):
    root = tmp_path_factory.mktemp("names")
    sound = np.full(50, 0.25, np.float32)
    soundfile.write(os.fsencode(root / f"{name}.wav"), sound, 12_000, format="WAV", subtype="FLOAT")
    with (root / "clips.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("path", "label", "fold"), (f"{name}.wav", "a", 1), ("other.wav", "b", 2)])
    data = Manifest(str(root / "clips.csv"), n_samples=50)
    (clip,) = (clip for clip in data.listed if clip.label == "a")
    assert (data.read(clip, 12_000).waveform == sound).all()
