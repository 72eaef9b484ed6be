import shutil
import time

import numpy as np
import pytest
import soundfile
from pytorch_lightning import Trainer
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.session import Session
from untrained.embeddings.writer import EmbeddingWriter
from untrained.errors import AudioError, StoreError
from untrained.frontends.musical import Temporal
from untrained.probes.probe import Probe


def data(**arguments):
    return Synthetic("events", clips_per_class=3, n_samples=8000, **arguments)


def folder(root, **arguments):
    return AudioFolder(str(root), n_samples=8000, **arguments)


def test_a_writer_can_be_reused_and_locks_the_store(broken, tmp_path):
    for name in ("horn/0001.wav", "siren/0001.wav"):
        shutil.copy(broken / "horn/0000.wav", broken / name)
    soundfile.write(broken / "siren/0002.wav", np.float32([0, np.nan]), 12_000, subtype="FLOAT")
    writer, data, frontend = EmbeddingWriter(tmp_path / "store"), folder(broken), Temporal(4)

    def predict():
        one = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, callbacks=[writer])
        one.predict(Probe(frontend), datamodule=data, return_predictions=False)

    with pytest.raises(AudioError, match=r"siren/0002.wav"):
        predict()
    assert not frontend._forward_hooks
    assert sum(len(batch.ids) + len(batch.failed) for batch in data.predict_dataloader()) == 24
    shutil.copy(broken / "siren/0000.wav", broken / "siren/0002.wav")
    with writer.store.locked(), pytest.raises(StoreError, match="is in use by process"):
        predict()
    predict()
    assert len(writer.store.rows) == 24
    assert not frontend._forward_hooks


def test_rows_are_written_after_flush_seconds(tmp_path, monkeypatch):
    class Slow(Temporal):
        def feature_maps(self, x):
            time.sleep(0.05)
            return super().feature_maps(x)

    seen = []

    def watched(session):
        seen.append(len(session._buffer.clips))
        flush(session)

    flush = Session.flush
    monkeypatch.setattr(Session, "flush", watched)
    writer = EmbeddingWriter(tmp_path, flush_every=1000, flush_seconds=0.2)
    Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, callbacks=[writer]).predict(
        Probe(Slow()), datamodule=data(batch_size=1), return_predictions=False
    )
    assert sum(seen) == 24
    assert 3 < len(seen) < 20
    assert len(writer.store.rows) == 24
