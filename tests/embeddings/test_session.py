import signal

import numpy as np
import pytest
import soundfile
from pytorch_lightning import Trainer
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.extract import extract
from untrained.embeddings.store import EmbeddingStore
from untrained.errors import AudioError, StoreError
from untrained.frontends.baselines import MFCC
from untrained.probes.probe import Probe


def folder(root, **arguments):
    return AudioFolder(str(root), n_samples=8000, **arguments)


def few():
    return Synthetic("events", clips_per_class=3, n_samples=8000)


def trainer():
    return Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)


def test_a_broken_file_ends_the_extraction_without_losing_embeddings(broken, tmp_path, embed):
    for name in ("horn/0001.wav", "siren/0001.wav"):  # broken although their headers are valid
        soundfile.write(broken / name, np.float32([0, np.nan]), 12_000, subtype="FLOAT")
    with pytest.raises(
        AudioError, match=r"horn/0001.wav: the file contains samples that are not finite.*--data.on_error skip"
    ):
        embed(folder(broken, batch_size=2), tmp_path / "store")
    (broken / "horn/0001.wav").write_bytes((broken / "horn/0000.wav").read_bytes())
    with pytest.raises(AudioError, match=r"siren/0001.wav"):
        embed(folder(broken, batch_size=2), tmp_path / "store")
    # Not a copy of another file, because a copy would be recognised.
    soundfile.write(broken / "siren/0001.wav", np.linspace(-0.5, 0.5, 9000), 12_000)
    extraction, X = embed(folder(broken, batch_size=2), tmp_path / "store")
    assert 0 < extraction.n_computed < 10
    whole, Y = embed(folder(broken), tmp_path / "other")
    assert [row.id for row in extraction.store.rows] == [row.id for row in whole.store.rows]
    np.testing.assert_allclose(X, Y, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("batch_size", [1, 8])
def test_broken_files_can_be_skipped(broken, tmp_path, batch_size, embed):
    extraction, X = embed(folder(broken, batch_size=batch_size, on_error="skip"), tmp_path / "store")
    assert len(X) == 22
    assert set(extraction.failed) == {"horn/0001.wav", "siren/0001.wav"}
    assert "2 clips could not be read" in str(extraction)
    embed(folder(broken, batch_size=batch_size, on_error="skip"), tmp_path / "store")
    assert extraction.store.profile["n_clips"] == 22  # from the first extraction; the second computed nothing
    failed = (extraction.store.folder / "failed.csv").read_text()
    assert "horn/0001.wav,the file is empty (0 bytes)" in failed


@pytest.mark.parametrize("error", [PermissionError("no rights"), KeyboardInterrupt(), RuntimeError("odd")])
def test_an_error_at_the_start_of_a_session_unlocks_the_store(tmp_path, monkeypatch, error):
    def refused(self):
        raise error

    monkeypatch.setattr(EmbeddingStore, "commit", refused)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises((StoreError, SystemExit, RuntimeError)):
        extract(Probe(MFCC()), few(), trainer(), tmp_path)
    signal.signal(signal.SIGINT, handler)  # Lightning ignores all further Ctrl-C
    assert not list(tmp_path.glob("*/.holder"))
    monkeypatch.undo()
    assert extract(Probe(MFCC()), few(), trainer(), tmp_path).n_computed == 24


def test_rows_that_only_need_a_commit_are_not_computed_again(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(EmbeddingStore, "commit", lambda self: None)
        with pytest.raises(StoreError, match="clips were not computed"):
            extract(Probe(MFCC()), few(), trainer(), tmp_path)
    shards = {path.name for path in tmp_path.glob("*/shards/*.arrow")}
    assert shards
    data = few()
    monkeypatch.setattr(data, "read", lambda clip, rate: pytest.fail("no clip should be read"))
    again = extract(Probe(MFCC()), data, trainer(), tmp_path)
    assert (again.n_computed, len(again.store.rows)) == (0, 24)
    assert len(list(tmp_path.glob("*/shards/*"))) == 1
