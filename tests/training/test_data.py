import torch
from untrained.datamodules import Clip
from untrained.training.data import UNKNOWN, TrainingData
from untrained.training.parts import Part


def test_batches_hold_waveforms_with_their_labels(data):
    waveforms, labels = next(iter(data.train_dataloader()))
    assert waveforms.shape == (len(labels), 4000)
    index = {clip.id: data.class_names.index(clip.label) for clip in data.part.train}
    by_sound = {tuple(data.sounds.waveform(clip)[:50].tolist()): index[clip.id] for clip in data.part.train}
    assert [by_sound[tuple(waveform[:50].tolist())] for waveform in waveforms] == labels.tolist()


def test_a_class_that_is_not_learned_has_no_label(data):
    strange = [*data.part.validation[:1], Clip(data.part.validation[1].id, "strange")]
    part = Part("holdout", data.part.train, strange, [])
    (batch,) = TrainingData(data.sounds, part, data.class_names).val_dataloader()
    assert batch[1].tolist()[1] == UNKNOWN


def test_workers_give_the_same_batches(data):
    alone = list(data.train_dataloader())
    data._num_workers = 1
    shared = list(data.train_dataloader())
    assert all(map(torch.equal, [x for x, _ in alone], [x for x, _ in shared]))
