"""Commands report classes that are lost, not learned or not tested, because their absence may inflate a score."""

import json
import shutil

import pytest
import soundfile

MFCC = ["--data.n_samples", "4000", "--model.frontend", "mfcc", "--model.backend", "nearest_class"]


@pytest.fixture
def root(sounds, tmp_path):
    """Function that makes a folder with a number of sounds for each class, such as `train/low`."""

    def make(**numbers):
        for name, n in numbers.items():
            label = name.rpartition("/")[2]
            (tmp_path / "data" / name).mkdir(parents=True)
            first = 6 if name.startswith("test") else 0
            for file in sorted((sounds / label).glob(f"{label} *"))[first : first + n]:
                shutil.copy(file, tmp_path / "data" / name)
        return tmp_path / "data"

    return make


def fit(untrained, root, *options):
    status, out, err = untrained("fit", "--data", "folder", "--data.root", root, *options, *MFCC)
    folders = [line.removeprefix("-> ") for line in out.splitlines() if line.startswith("-> ")]
    return status, out + err, folders[0] if folders else ""


def metrics_in(folder):
    with open(f"{folder}/metrics.json") as file:
        return json.load(file)


def test_a_class_without_usable_clips_is_left_out(untrained, root, sounds):
    data = root(high=6, mid=6, low=6)
    for file in (data / "low").iterdir():
        file.write_bytes(b"no sound\n" * 100)
    lost = "no clip of 'low' can be used ("
    status, out, _ = untrained("check", "data", "--data", "folder", "--data.root", data, "--data.on_error", "skip")
    assert status == 0
    assert lost in out
    assert fit(untrained, data)[0] == 1
    skip = ["--data.on_error", "skip"]
    status, out, folder = fit(untrained, data, *skip)
    assert status == 0
    assert f"note: {lost}" in out
    found = metrics_in(folder)
    assert found["n_classes"] == 2
    assert found["notes"][0].startswith(lost)
    status, out, _ = untrained("classify", "--ckpt_path", folder, sounds / "low" / "low 00.wav", "--format", "csv")
    assert out.splitlines()[0].endswith("score_high,score_mid")
    test = ["test", "--data", "folder", "--data.root", data, *skip, *MFCC[:2], "--ckpt_path", folder]
    status, out, _ = untrained(*test)
    assert status == 0
    shutil.copy(sounds / "low" / "low 00.wav", data / "low" / "low 00.wav")
    for name in "abcd":  # so that some are in the train split
        shutil.copy(sounds / "low" / "low 00.wav", data / "low" / f"{name}.wav")
    status, _, err = untrained(*test)
    assert status == 2
    assert "classes that the probe was not fitted to: low; it knows high, mid" in err


def test_a_class_that_is_only_tested_counts_as_wrong(untrained, root):
    data = root(**{"train/high": 4, "train/low": 4, "test/high": 2, "test/low": 2, "test/mid": 2})
    note = "no train clip of 'mid': a probe cannot learn these classes, and all of their 2 test clips count as wrong"
    status, out, _ = untrained("check", "data", "--data", "folder", "--data.root", data)
    assert status == 0
    assert note in out
    status, out, folder = fit(untrained, data)
    assert status == 0
    assert f"note: {note}" in out
    assert note in metrics_in(folder)["notes"]
    status, out, _ = untrained("test", "--data", "folder", "--data.root", data, *MFCC[:2], "--ckpt_path", folder)
    assert status == 0
    assert note in out
    assert metrics_in(folder)["test/accuracy"] <= 4 / 6
    status, out, _ = untrained("classify", "--ckpt_path", folder, data / "test" / "mid", "--format", "csv")
    assert out.splitlines()[0].endswith("score_high,score_low")


def test_too_few_train_clips_are_reported_before_anything_is_computed(untrained, root, tmp_path):
    data = root(**{"train/high": 4, "train/low": 1, "test/high": 2, "test/low": 2})
    status, out, _ = fit(untrained, data)
    assert status == 2
    assert (
        "at least two training clips (from different groups if clips have groups); 'low' has only one; add clips" in out
    )
    assert not (tmp_path / "runs").exists()
    status, out, _ = untrained("check", "data", "--data", "folder", "--data.root", data)
    assert (status, "'low' has only one" in out) == (1, True)


def test_the_error_of_a_study_names_the_protocol_that_fits_the_splits(untrained, root):
    data = root(**{"train/high": 4, "train/low": 4, "test/high": 2, "test/low": 2})
    study = ["compare", "--frontends", "[mfcc]", "--backends", "[nearest_class]", "--controls", "[]", "--datamodules"]
    entry = "[{{class_path: folder, init_args: {{root: {}, n_samples: 4000{}}}}}]"
    status, _, err = untrained(*study, entry.format(data, ""), "--protocol", "nested")
    assert status == 2
    assert "needs folds, but the data has a train and a test split" in err
    assert "use --protocol holdout" in err
    status, _, err = untrained(*study, entry.format(data, ", folds: 3"))
    assert status == 2
    assert "leave out 'folds: 3' in init_args" in err
    status, _, _ = untrained(*study, entry.format(data, ""), "--protocol", "holdout")
    assert status == 0


def test_an_excluded_folder_is_not_a_class_and_makes_another_run(untrained, root):
    data = root(high=5, low=5, mid=5)
    folders = [fit(untrained, data, *exclude)[2] for exclude in ([], ["--data.exclude", "mid"])]
    assert folders[0] != folders[1]
    assert [metrics_in(folder)["n_classes"] for folder in folders] == [3, 2]
    names = [metrics_in(folder)["datamodule"] for folder in folders]
    assert names == ["folder-n_samples=4000", "folder-exclude=mid-n_samples=4000"]
    assert fit(untrained, data, "--data.exclude", '["mid"]')[2] == folders[1]
    status, out, _ = untrained("fit", "--config", f"{folders[1]}/config.yaml")
    assert status == 0
    assert folders[1] in out
    status, out, _ = fit(untrained, data, "--data.exclude", "[noise]")
    assert status == 2
    assert "exclude=['noise'] matches no folder" in out


def test_files_of_unsupported_formats_are_reported(untrained, root):
    data = root(high=5, low=5, mid=5)
    for file in (data / "low").iterdir():
        file.write_bytes(bytes(500))
        file.rename(file.with_suffix(".ape"))
    status, out, _ = fit(untrained, data)
    assert status == 1
    assert "5 of 15 files cannot be used" in out
    assert ".ape" in out
    soundfile.write(data / "high" / "new.caf", [0.1, 0.2] * 3000, 12_000)
    status, out, _ = fit(untrained, data, "--data.on_error", "skip")
    assert status == 0
    assert "no clip of 'low' can be used (5 .ape files)" in out
    assert "11 of 16 clips computed" in out
