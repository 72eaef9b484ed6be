import torch
from pytorch_lightning import Trainer
from untrained.datamodules.synthetic import Synthetic
from untrained.frontends.vgg import VGG
from untrained.training.augmentation import circular_shift, generator, random_crop
from untrained.training.data import TrainingData
from untrained.training.module import EndToEnd

RAMP = torch.arange(100.0)


def test_crops_are_parts_of_the_clip_itself():
    starts = set()
    for epoch in range(200):
        part = random_crop(RAMP, 10, 50, generator(0, epoch, "a"))
        assert torch.equal(part, RAMP[int(part[0]) :][:10])
        starts.add(int(part[0]))
    assert (min(starts), max(starts)) == (0, 40)
    assert torch.equal(random_crop(RAMP, 10, 8, generator(0, 0, "a")), RAMP[:10])


def test_a_shift_keeps_the_order_on_a_circle():
    shifted = circular_shift(RAMP, generator(0, 0, "a"))
    assert torch.equal(torch.roll(shifted, -int(shifted.argmin())), RAMP)
    draws = [(seed, epoch, name) for seed in (0, 1) for epoch in (0, 1) for name in "ab"]
    assert len({float(circular_shift(RAMP, generator(*draw))[0]) for draw in draws}) > 4


def batches(epoch=0, batch_size=8, num_workers=0, **options):
    """Return the waveforms of an epoch by their labels' order, after checking validation clips."""
    datamodule = Synthetic("events", clips_per_class=3, n_samples=4000, batch_size=batch_size, num_workers=num_workers)
    data = TrainingData.of(datamodule, 12_000, random_crop=options.get("random_crop", 0))
    trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False)
    trainer.fit_loop.epoch_progress.current.processed = epoch
    trainer.strategy._lightning_module = EndToEnd(VGG(n_filters=2), **options)
    data.trainer = trainer
    plain = torch.stack([data.sounds.waveform(clip) for clip in data.part.validation])
    assert torch.equal(next(iter(data.val_dataloader()))[0], plain[:batch_size])
    found = torch.cat([waveforms for waveforms, _ in data.train_dataloader()])
    assert found.shape[1] == 4000
    return {tuple(waveform.tolist()) for waveform in found}


def test_batches_workers_and_resuming_change_no_clip():
    plain, other = batches(), batches(1)
    assert plain == other
    for options in ({"circular_shift": True}, {"random_crop": 0.6}, {"circular_shift": True, "random_crop": 0.6}):
        changed = batches(**options)
        assert not changed & plain
        assert changed == batches(batch_size=5, num_workers=1, **options)
        assert not changed & batches(1, **options)
