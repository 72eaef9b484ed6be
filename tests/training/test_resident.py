import pytest
import torch
from untrained.training import data as data_module
from untrained.training.data import TrainingData
from untrained.training.module import EndToEnd
from untrained.training.resident import is_resident

from .test_module import trainer


def batches(events, module, epoch=0):
    """Training and validation batches of an epoch, as the trainer of a module gets them."""
    from untrained.training.parts import parts_of

    (part,) = parts_of(events[1].clips, events[0].seed)
    data = TrainingData(events[1], part, events[0].class_names, batch_size=8)
    used = trainer(max_steps=1)
    used.strategy._lightning_module = module
    data.trainer = used
    used.fit_loop.epoch_progress.current.processed = epoch
    return [batch for loader in (data.train_dataloader(), data.val_dataloader()) for batch in loader]


@pytest.mark.parametrize("shifts", [False, True])
def test_resident_waveforms_are_those_of_the_loader(events, vgg, monkeypatch, shifts):
    module = EndToEnd(vgg, circular_shift=shifts)
    expected = batches(events, module, epoch=3)
    monkeypatch.setattr(data_module, "is_resident", lambda device, n_bytes: True)
    found = batches(events, module, epoch=3)
    assert len(found) == len(expected)
    for (waveforms, labels), (same, known) in zip(found, expected, strict=True):
        assert torch.equal(waveforms, same)
        assert torch.equal(labels, known)
    if shifts:
        assert not torch.equal(found[0][0], batches(events, EndToEnd(vgg), epoch=3)[0][0])


def test_waveforms_stay_off_a_device_that_they_would_fill(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (400, 1600))
    assert is_resident(torch.device("cuda"), 100)
    assert not is_resident(torch.device("cuda"), 101)
    assert not is_resident(torch.device("cpu"), 1)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (100, 1600))
    assert not is_resident(torch.device("cuda"), 100)
