from types import SimpleNamespace

import pytest
import torch
from untrained.datamodules.synthetic import Synthetic
from untrained.errors import UsageError
from untrained.frontends.vgg import VGG
from untrained.training.augmentation import circular_shift, generator, random_crop
from untrained.training.data import TrainingData
from untrained.training.module import EndToEnd
from untrained.training.parts import parts_of
from untrained.training.sounds import Sounds

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


@pytest.fixture(scope="module")
def sounds():
    """Short sounds, and longer ones to crop."""
    return Sounds(Synthetic("events", clips_per_class=3, n_samples=4000), 12_000, random_crop=0.6)


def clips(sounds, epoch=0, **options):
    """Return the waveforms of an epoch, as a set; validation clips must be unchanged."""
    (part,) = parts_of(sounds.clips, 0)
    loading = {name: options.pop(name) for name in ("batch_size", "num_workers") if name in options}
    data = TrainingData(sounds, part, sorted({clip.label for clip in part.train}), **loading)
    module = EndToEnd(VGG(n_filters=2), **options)
    place = {"global_rank": 0, "world_size": 1, "strategy": SimpleNamespace(root_device=torch.device("cpu"))}
    data.trainer = SimpleNamespace(**place, current_epoch=epoch, lightning_module=module)
    data._workers = lambda: loading.get("num_workers", 0)
    unchanged = torch.stack([sounds.waveform(clip) for clip in part.validation])
    assert torch.equal(torch.cat([batch for batch, _ in data.val_dataloader()]), unchanged)
    found = torch.cat([batch for batch, _ in data.train_dataloader()])
    assert found.shape == (len(part.train), 4000)
    return {tuple(waveform.tolist()) for waveform in found}


def test_batches_workers_and_resuming_change_no_clip(sounds):
    plain = clips(sounds)
    assert plain == clips(sounds, 1)
    for options in ({"circular_shift": True}, {"random_crop": 0.6}, {"circular_shift": True, "random_crop": 0.6}):
        changed = clips(sounds, **options)
        assert len(changed - plain) > 4
        assert changed == clips(sounds, batch_size=5, num_workers=1, **options)
        assert len(changed - clips(sounds, 1, **options)) > 4


def test_longer_clips_are_needed_to_crop(sounds):
    with pytest.raises(UsageError, match="pass random_crop to TrainingData"):
        clips(Sounds(Synthetic("events", clips_per_class=3, n_samples=4000), 12_000), random_crop=0.6)
    with pytest.raises(ValueError, match="random_crop=-1; expected seconds"):
        EndToEnd(VGG(n_filters=2), random_crop=-1)
