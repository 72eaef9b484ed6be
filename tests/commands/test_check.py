"""`untrained check data` on data with planted faults of every known kind."""

import io
import re
import shutil

import numpy as np
import pytest
import soundfile
from untrained.commands.check import render
from untrained.commands.examination import Examination, Finding
from untrained.datamodules import Clip
from untrained.datamodules.synthetic import Synthetic
from untrained.terminal import console


@pytest.fixture
def root(sounds, tmp_path):
    """Folder with splits and with one file for each kind of fault."""
    root = tmp_path / "planted"
    for split, files in (("train", slice(0, 6)), ("val", slice(6, 8)), ("test", slice(8, 12))):
        for label in ("high", "low", "mid"):
            for file in sorted((sounds / label).glob(f"{label} *"))[files]:
                (root / split / label).mkdir(parents=True, exist_ok=True)
                shutil.copy(file, root / split / label)
    low = root / "train" / "low"
    (low / "empty.wav").write_bytes(b"")
    (low / "words.wav").write_text("these are words\n" * 100)
    (low / "header.wav").write_bytes((low / "low 00.wav").read_bytes()[:44])
    (low / "half.flac").write_bytes((low / "low 01.flac").read_bytes()[: (low / "low 01.flac").stat().st_size // 2])
    (low / "folder.wav").mkdir()
    (low / "folder.wav" / "inside.txt").write_text("")
    (low / "loop").symlink_to(root)
    (low / "gone.wav").symlink_to("nowhere.wav")
    soundfile.write(low / "nan.wav", np.float32([0, np.nan]), 12_000, subtype="FLOAT")
    soundfile.write(low / "infinite.wav", np.float32([0, np.inf]), 12_000, subtype="FLOAT")
    soundfile.write(low / "silent.wav", np.zeros(1000), 12_000)
    soundfile.write(low / "one sample.wav", np.float32([0.5]), 12_000)
    tone = 0.3 * np.sin(np.arange(6000) / 5)
    soundfile.write(low / "cancelling.wav", np.stack([tone, -0.99 * tone], axis=1), 12_000)
    soundfile.write(low / "loud.wav", 20_000 * tone[::-1], 12_000, subtype="FLOAT")
    soundfile.write(low / "unclosed.wav", 0.9 * tone, 12_000)
    content = (low / "unclosed.wav").read_bytes()
    (low / "unclosed.wav").write_bytes(content[:40] + bytes(4) + content[44:])
    shutil.copy(root / "test" / "mid" / "mid 08.ogg", root / "train" / "mid" / "copy.ogg")
    samples, rate = soundfile.read(root / "train" / "high" / "high 01.flac", dtype="int16")
    soundfile.write(root / "train" / "high" / "other format.wav", samples, rate)
    return root


def section(out, title):
    """Return the lines of a list, without indentation."""
    lines = out.splitlines()
    start = next(number for number, line in enumerate(lines) if re.fullmatch(rf"{re.escape(title)} \(\d+.*\):", line))
    n = int(re.search(r" \((\d+)", lines[start])[1])
    return [line.strip() for line in lines[start + 1 : start + 1 + n]]


def test_planted_faults(untrained, root):
    status, out, err = untrained("check", "data", "--data", "folder", "--data.root", root)
    assert status == 1
    assert err == ""
    broken = dict(line.split(": ", 1) for line in section(out, "Clips that cannot be read"))
    assert {name.removeprefix("train/low/"): reason for name, reason in broken.items()} == {
        "empty.wav": "the file is empty (0 bytes)",
        "words.wav": broken["train/low/words.wav"],
        "header.wav": "the file contains no audio (0 frames)",
        "half.flac": broken["train/low/half.flac"],
        "gone.wav": "the file does not exist",
        "nan.wav": "the file contains samples that are not finite (NaN or infinity)",
        "infinite.wav": "the file contains samples that are not finite (NaN or infinity)",
    }
    assert broken["train/low/words.wav"] == "the file is text, not audio"
    assert "truncated" in broken["train/low/half.flac"]
    assert section(out, "Silent clips") == ["train/low/silent.wav"]
    assert section(out, "Clips with channels in opposite phase") == ["train/low/cancelling.wav"]
    assert section(out, "Clips with a peak far above full scale") == ["train/low/loud.wav"]
    assert section(out, "Clips with an unfinished header") == ["train/low/unclosed.wav"]
    assert section(out, "Groups of clips with identical audio in different splits or folds") == [
        "test/mid/mid 08.ogg (test), train/mid/copy.ogg (train)"
    ]
    assert section(out, "Groups of clips with identical audio") == [
        "train/high/high 01.flac, train/high/other format.wav"
    ]
    assert "1 other files" in out
    assert "a run would fail, because 7 of 50 clips cannot be read" in out
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if line.startswith("│")]
    assert ["high", "7", "2", "4", "13"] in rows
    assert ["all", "32", "6", "12", "50"] in rows
    (rates,) = (row[1] for row in rows if row[0] == "sample rate")
    assert "44100 Hz" in rates
    (formats,) = (row[1] for row in rows if row[0] == "format")
    assert "MPEG" in formats
    assert "FLAC PCM_16" in formats


def shown(findings):
    """Return the output for findings about clips, of which a run reads 4 s."""
    file = io.StringIO()
    console(file).print(render(Examination(Synthetic(seconds=4.0), findings)))
    return file.getvalue()


@pytest.mark.parametrize(
    ("lengths", "notes"),
    [
        ([4.0] * 10, []),
        (
            [10.0] * 9 + [3.0],
            [
                "9 of 10 clips are longer than 4.0 s: only the first 4.0 s are used; 1 of 10 are shorter and are "
                "repeated once",
                "9 of 10 clips are far longer than the 4.0 s that a run reads (median 10.0 s)",
                "--data.seconds 10.0 covers 95 % of the clips completely",
            ],
        ),
        (
            [1.0] * 10,
            [
                "10 of 10 clips are shorter than 4.0 s and are repeated up to 3 times",
                "all clips are far shorter than the 4.0 s that a run reads (median 1.0 s)",
                "--data.seconds 1.0 covers 95 % of the clips completely",
            ],
        ),
        ([4.5] * 10, ["10 of 10 clips are longer", "--data.seconds 4.5 covers"]),
    ],
    ids=["fitting", "far longer", "far shorter", "longer"],
)
def test_notes_on_lengths(lengths, notes):
    out = shown([Finding(Clip(str(number), "a"), seconds=seconds) for number, seconds in enumerate(lengths)])
    lines = [line for line in out.splitlines() if re.match(r"\d+ of|all clips|--data", line)]
    assert len(lines) == len(notes)
    assert all(line.startswith(note) for line, note in zip(lines, notes, strict=True))


def test_groups_and_labels_of_the_same_audio():
    clips = [
        *(Clip(f"a{take}", "x", group="a", fold=0) for take in range(3)),
        *(Clip("b", "x", group="b", fold=0), Clip("alone", "y", fold=0)),
    ]
    prints = ["same", "1", "2", "3", "same"]
    out = shown([Finding(clip, fingerprint=one, seconds=4.0) for clip, one in zip(clips, prints, strict=True)])
    assert "2, each of 1 to 3 clips; 1 clips have no group" in out
    assert section(out, "Groups of clips with identical audio and different labels") == ["a0 (x), alone (y)"]
    assert "groups" not in shown([Finding(clips[-1], seconds=4.0)])


def test_check_predicts_what_a_run_does(untrained, root):
    """The run fails if check says so, and with `skip` processes all other clips."""
    data = ["--data", "folder", "--data.root", root, "--data.n_samples", "4000"]
    status, _, err = untrained("predict", *data, "--model.frontend", "mfcc")
    assert status == 1
    assert "of 50 files cannot be used" in err
    skip = [*data, "--data.on_error", "skip"]
    status, out, _ = untrained("check", "data", *skip)
    assert status == 0
    assert "43 clips can be used, 7 are skipped" in out
    status, out, _ = untrained("predict", *skip, "--model.frontend", "mfcc")
    assert status == 0
    assert "43 of 50 clips computed" in out
    assert "7 clips could not be read" in out


def test_clips_are_decoded_as_in_a_run(untrained, tmp_path):
    rng = np.random.default_rng(0)
    intro = rng.uniform(-0.3, 0.3, 44_100 * 8)
    for label in ("a", "b"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(6):
            own = rng.uniform(-0.3, 0.3, 44_100 * 12)
            sound = np.concatenate([np.zeros_like(intro) if number == 5 else intro, own])
            soundfile.write(tmp_path / "data" / label / f"{number}.wav", sound, 44_100, subtype="FLOAT")
    late = tmp_path / "data" / "a" / "0.wav"
    sound, rate = soundfile.read(late)
    sound[44_100 * 15] = np.nan
    soundfile.write(late, sound, rate, subtype="FLOAT")
    status, out, _ = untrained("check", "data", "--data", "folder", "--data.root", tmp_path / "data")
    assert status == 1
    assert section(out, "Clips that cannot be read") == [
        "a/0.wav: the file contains samples that are not finite (NaN or infinity)"
    ]
    assert "identical audio" not in out
    assert "silent" not in out.lower()


def test_a_data_set_without_faults(untrained, sounds):
    status, out, _ = untrained("check", "data", "--data", "folder", "--data.root", sounds, "--data.folds", "3")
    assert status == 0
    assert "36 clips can be used" in out
    assert "fold 2" in out
    assert "cannot be read" not in out


def test_generated_sounds(untrained):
    status, out, _ = untrained(
        "check", "data", "--data", "synthetic", "--data.clips_per_class", "3", "--data.n_samples", "9000"
    )
    assert status == 0
    assert "24 clips can be used" in out
    assert "generated, not read from files" in out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (
            ["data", "--data", "folder", "--data.root", "gone"],
            1,
            "this data set cannot be used: no folder at root='gone'",
        ),
        (["data"], 2, "data"),
        (["data", "--data", "foldr"], 2, "unknown datamodule 'foldr'; did you mean 'folder'?"),
        (["data", "--data", "folder", "--data.rot", "x"], 2, "--data: Option 'rot' is not accepted"),
        (["files"], 2, "untrained check data --data NAME"),
        ([], 2, "untrained check data --data NAME"),
    ],
)
def test_mistakes(untrained, arguments, status, message):
    found, out, err = untrained("check", *arguments)
    assert found == status
    assert message in (err if status == 2 else out)
    assert err.count("\n") == (status == 2)


def test_no_name_controls_the_terminal(untrained, sounds, tmp_path):
    """Control characters in names of classes and files are escaped in every table and message."""
    name = "hi\x1b[31mgh\n[red]|`<b>`"
    shutil.copytree(sounds, tmp_path / "evil")
    (tmp_path / "evil" / "high").rename(tmp_path / "evil" / name)
    data = ["--data", "folder", "--data.root", "evil", "--data.n_samples", "8000", "--trainer.accelerator", "cpu"]
    probe = ["--model.frontend", "mfcc", "--model.backend", "nearest_class"]
    for command in (["check", "data", *data[:4]], ["fit", *data, *probe], ["list", "runs"], ["list", "embeddings"]):
        status, out, err = untrained(*command)
        assert status == 0
        assert not {*(out + err)} & {"\x1b", "\r", "\x07"}
        assert command[0] != "check" or r"hi\x1b[31mgh [red]|`<b>`" in out
