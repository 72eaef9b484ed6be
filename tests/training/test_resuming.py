import shutil
from pathlib import Path

import pytest
import torch
from untrained.errors import CheckpointError
from untrained.frontends.musical import Temporal
from untrained.probes.run import RunKey
from untrained.training.checkpoints import RESUMABLE
from untrained.training.module import MARK, EndToEnd
from untrained.training.resuming import place_checkpoint, read_mark


def key_of(about):
    import json

    fields = json.loads(about["key"])
    return RunKey({}, 0, fields, "", about["identity"], Path())


@pytest.fixture
def given(trained, tmp_path):
    path = tmp_path / "given" / "last.ckpt"
    path.parent.mkdir()
    shutil.copyfile(trained / "last.ckpt", path)
    return path


def test_a_checkpoint_is_placed_in_the_folder_of_its_run(given, tmp_path, capsys):
    about = read_mark(given)
    assert (about["frontend"], about["head"], about["training"]) == ("temporal", "linear", "holdout-0.01")
    folder = tmp_path / "run"
    place_checkpoint(given, EndToEnd(Temporal(n_filters=4)), key_of(about), folder)
    assert (folder / "last.ckpt").read_bytes() == given.read_bytes()
    assert "best.ckpt, does not exist" in capsys.readouterr().out

    given.with_name("best.ckpt").write_bytes(b"best")
    place_checkpoint(given, EndToEnd(Temporal(n_filters=4)), key_of(about), folder)
    assert (folder / "best.ckpt").read_bytes() == b"best"
    assert not capsys.readouterr().out


def test_only_the_end_of_an_epoch_of_an_incomplete_run_is_placed(given, tmp_path):
    key, module, folder = key_of(read_mark(given)), EndToEnd(Temporal(n_filters=4)), tmp_path / "run"
    with pytest.raises(CheckpointError, match="run is already complete; to repeat it, pass --force without"):
        place_checkpoint(given, module, key, folder, is_complete=lambda found: found == given.parent)
    content = torch.load(given, weights_only=True)
    del content[MARK][RESUMABLE]
    torch.save(content, best := given.with_name("best.ckpt"))
    with pytest.raises(CheckpointError, match=r"best.ckpt is not the checkpoint of a finished epoch; pass the last"):
        place_checkpoint(best, module, key, folder)
    assert not folder.exists()


def test_of_another_run_it_is_refused_by_name(given, tmp_path):
    key = key_of(read_mark(given))
    with pytest.raises(
        CheckpointError, match=r"belongs to frontend temporal\(n_filters=4.*trains temporal\(n_filters=8"
    ):
        place_checkpoint(given, EndToEnd(Temporal(n_filters=8)), key, tmp_path)
    with pytest.raises(CheckpointError, match="belongs to head 'linear', but this command trains 'last'"):
        place_checkpoint(given, EndToEnd(Temporal(n_filters=4), "last"), key, tmp_path)
    fields = {**key.fields, "training": {**key.fields["training"], "max_steps": 16}}
    other = RunKey({}, 0, fields, "", "other", Path())
    with pytest.raises(CheckpointError, match=r"other settings \(max_steps has changed \(8 -> 16\)\)"):
        place_checkpoint(given, EndToEnd(Temporal(n_filters=4)), other, tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("probe.ckpt", "the checkpoint of a probe, for test and classify"),
        ("frontend.safetensors", "a weights file"),
        ("absent.ckpt", "no checkpoint at"),
    ],
)
def test_another_file_is_refused(trained, name, message):
    with pytest.raises(CheckpointError, match=f"{message}.*pass the last.ckpt of the run"):
        read_mark(trained / name)


def test_a_damaged_or_strange_checkpoint_is_refused(given):
    content = torch.load(given, weights_only=True)
    torch.save({key: value for key, value in content.items() if key != MARK}, given)
    with pytest.raises(CheckpointError, match="was not written by `untrained train`"):
        read_mark(given)
    given.write_bytes(given.read_bytes()[:2000])
    with pytest.raises(CheckpointError, match=r"pass the last.ckpt"):
        read_mark(given)
