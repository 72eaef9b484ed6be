"""Batches of clips, and the arguments that a datamodule passes to the loader."""

import inspect
import multiprocessing
import pickle
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from untrained.audio import Decoded
from untrained.datamodules import AudioDataModule, Clip, LoaderOptions
from untrained.datamodules.loader import ClipLoader
from untrained.errors import AudioError, UsageError

CLIPS = [Clip(name, label="x") for name in ("a", "b", "c", "d", "e")]


def read(clip, sample_rate):
    """Return a constant waveform whose value encodes the clip and the sample rate; clip b cannot be read."""
    if clip.id == "b":
        raise AudioError("b.wav", "file is empty", "remove it")
    return Decoded(np.full(4, ord(clip.id) + sample_rate, np.float32), seconds=0.5)


def workers():
    """Return the process ids of the child processes."""
    return {worker.pid for worker in multiprocessing.active_children()}


def test_batches_keep_the_order_and_list_failed_clips():
    first, second, third = ClipLoader(read).load(CLIPS, 100, batch_size=2)
    assert (first.ids, second.ids, third.ids) == (["a"], ["c", "d"], ["e"])
    ((failed, error),) = first.failed
    assert (failed, error.reason) == ("b", "file is empty")
    assert second.failed == []
    assert second.seconds == [0.5, 0.5]
    expected = torch.tensor([[ord("c") + 100.0] * 4, [ord("d") + 100.0] * 4])
    torch.testing.assert_close(second.waveforms, expected)


def test_clips_are_created_batch_by_batch():
    """A list of millions is never held as objects."""
    asked = []

    class Listed(list):
        def __getitem__(self, part):
            asked.append(part)
            return super().__getitem__(part)

    loader = ClipLoader(read).load(Listed(CLIPS), 100, batch_size=2)
    assert (len(loader), asked) == (3, [])
    next(iter(loader))
    assert asked == [slice(0, 2)]


def test_all_clips_of_a_batch_may_fail():
    (batch,) = ClipLoader(read).load([CLIPS[1]], 100)
    assert (batch.ids, len(batch.waveforms), len(batch.failed)) == ([], 0, 1)


def test_workers_return_the_same_batches():
    others = workers()
    loader = ClipLoader(read, num_workers=2, keep=True)
    alone = list(ClipLoader(read).load(CLIPS, 7, batch_size=2))
    shared = list(loader.load(CLIPS, 7, batch_size=2))
    assert [batch.ids for batch in alone] == [batch.ids for batch in shared]
    assert [[clip_id for clip_id, _ in batch.failed] for batch in shared] == [["b"], [], []]
    for one, other in zip(alone, shared, strict=True):
        torch.testing.assert_close(one.waveforms, other.waveforms)

    before = workers() - others
    next(iter(loader))  # unread batches must not appear in the next list
    (again,) = loader.load(CLIPS[2:4], 100)
    assert again.ids == ["c", "d"]
    assert again.waveforms[0, 0] == ord("c") + 100
    assert before <= workers()
    loader.close()
    stop = time.monotonic() + 60  # a busy machine may need long to end workers
    while before & workers():
        assert time.monotonic() < stop
        time.sleep(0.01)


@pytest.mark.parametrize("arguments", [{"batch_size": 0}, {"num_workers": -1}])
def test_invalid_arguments_raise(arguments):
    with pytest.raises(UsageError, match=rf"{next(iter(arguments))}=.*expected an integer"):
        Letters(**arguments)
    with pytest.raises(UsageError, match="expected an integer"):
        ClipLoader(read, arguments.get("num_workers", 0)).load(CLIPS, 100, arguments.get("batch_size", 1))


class Letters(AudioDataModule):
    """Datamodule of clips without files."""

    def clips(self):
        return [Clip("d", "x", split="train"), Clip("a", "y", split="test"), Clip("c", "x", split="test")]

    def read(self, clip, sample_rate):
        return read(clip, sample_rate)


def test_a_datamodule_loads_selected_clips_and_sends_no_trainer_to_workers():
    data = Letters(batch_size=2, sample_rate=50, n_samples=4)
    data.trainer = SimpleNamespace(predicting=False, plugin=lambda: None)  # cannot be pickled
    data.select(["d", "c"])
    loader = data.predict_dataloader()
    pickle.dumps(loader._loader.dataset)
    (batch,) = loader
    assert batch.ids == ["c", "d"]
    assert batch.waveforms[0, 0] == ord("c") + 50
    assert data.trainer is not None


class Made(Letters):
    """Datamodule without files that records each generated clip."""

    def __init__(self, **options):
        super().__init__(**options)
        self.made = []

    def read(self, clip, sample_rate):
        self.made.append((clip.id, sample_rate))
        return Decoded(np.full(2, sample_rate, np.float32), seconds=0.5)


def test_audio_is_generated_once_for_all_frontends_of_a_study(monkeypatch):
    data = Made(num_workers=0, n_samples=2)
    with data.workers_kept():
        loader = data.predict_dataloader()
        for rate in (50, 50, 60):  # three frontends, one of them at another sample rate
            (batch,) = loader.load(data.listed[:2], rate)
            assert batch.waveforms.unique().tolist() == [rate]
        assert data.made == [("a", 50), ("c", 50), ("a", 60), ("c", 60)]
    list(data.predict_dataloader().load(data.listed[:1], 50))
    assert len(data.made) == 5  # no audio is kept after a study

    monkeypatch.setattr("untrained.datamodules.loader.MAX_KEPT", 8)  # room for one waveform
    data.made.clear()
    with data.workers_kept():
        loader = data.predict_dataloader()
        for _ in range(2):
            list(loader.load(data.listed[:2], 50))
    assert data.made == [("a", 50), ("c", 50), ("c", 50)]


def test_workers_are_kept_between_extractions_and_end_after_them():
    data = Letters(num_workers=1, sample_rate=50, n_samples=4)
    others = workers()
    with data.workers_kept():
        held = data.predict_dataloader()  # Lightning keeps a reference, too
        list(held)
        kept = workers() - others
        data.select(["c"])
        assert [batch.ids for batch in data.predict_dataloader()] == [["c"]]
        assert len(kept) == 1
        assert kept == workers() - others
    assert not kept & workers()


def test_loader_options_are_the_arguments_of_a_datamodule():
    parameters = inspect.signature(AudioDataModule).parameters
    assert {name: parameter.annotation for name, parameter in parameters.items()} == LoaderOptions.__annotations__


@pytest.mark.parametrize("cache", [True, "float16", 16])
def test_an_unknown_cache_is_refused(cache):
    with pytest.raises(UsageError, match=rf"cache={cache!r}; expected 'auto', 'float32', 'int16' or 'off'"):
        Letters(cache=cache)


def test_off_in_yaml_is_false():
    assert Letters(cache=False).cache == Letters(cache="off").cache == "off"


def test_waveforms_of_16_bits_are_rounded_without_a_cache_too():
    class Thirds(Letters):
        def read(self, clip, sample_rate):
            return Decoded(np.array([1, 1 / 3], np.float32), seconds=1)

    for cache, third in (("auto", np.float32(1 / 3)), ("int16", np.float32(round(2**14 / 3) / 2**14))):
        (batch,) = Thirds(cache=cache, n_samples=2).predict_dataloader()
        assert batch.waveforms[:, 1].unique().tolist() == [third]
