"""Labelled batches for proxies: drawn once from the training clips, with all classes as evenly as possible."""

import itertools
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import torch

from ..audio import Decoded
from ..datamodules import AudioDataModule, Clip
from ..datamodules.classes import classes_learned
from ..datamodules.contract import read_by
from ..embeddings.calibrated import training_clips
from ..errors import AudioError, DataError, UsageError
from ..terminal import bar
from .subject import Labelled

N_CLIPS, N_BATCHES = 64, 2  # 64 clips as in zero-cost-nas; two batches are the fewest that `zico` takes


def draw_batches(
    datamodule: AudioDataModule, sample_rate: int, n_clips: int = N_CLIPS, n_batches: int = N_BATCHES, seed: int = 0
) -> tuple[list[Labelled], list[str]]:
    """Draw batches of labelled clips from the train split or, if the data has folds, from all clips.

    The batches depend on the data set, its `seed` and the arguments, so they are the same for all frontends. No clip is
    in two batches. All batches have as many clips of each class, as far as there are enough. If there are too few
    clips, all batches are equally smaller.

    Args:
        datamodule: Data set.
        sample_rate: Sample rate of the frontend in Hz.
        n_clips: Number of clips in a batch.
        n_batches: Number of batches.
        seed: Seed of the drawing.

    Returns:
        Batches of waveforms `(batch, n_samples)` and labels `(batch,)`, and the names of the classes.

    Raises:
        AudioError: A clip cannot be read and the datamodule has `on_error="raise"`.
        DataError: There are fewer training clips than batches.
        UsageError: A number is less than 1, or the data has another sample rate.

    Example:
        >>> from untrained.datamodules.synthetic import Synthetic
        >>> data = Synthetic("events", clips_per_class=5, n_samples=4000)
        >>> [(waveforms, labels), _], names = draw_batches(data, 12_000, n_clips=8)
        >>> waveforms.shape, sorted(labels.tolist())
        (torch.Size([8, 4000]), [0, 1, 2, 3, 4, 5, 6, 7])
    """
    for name, value in (("n_clips", n_clips), ("n_batches", n_batches)):
        if value < 1:
            raise UsageError(f"{name}={value}; expected an integer of 1 or more")
    if datamodule.sample_rate not in (None, sample_rate):
        raise UsageError(
            f"--data.sample_rate {datamodule.sample_rate} does not match the frontend, which expects {sample_rate} Hz; "
            "remove the option"
        )
    clips = evenly(training_clips(datamodule.listed), seed)
    if len(clips) < n_batches:
        raise DataError(
            f"{datamodule.dataset_name} has {len(clips)} training clips for {n_batches} batches; add clips, or give a "
            "smaller --n_batches"
        )
    names = classes_learned(clips)
    size = min(n_clips, len(clips) // n_batches)
    index = {name: number for number, name in enumerate(names)}
    drawn: list[list[tuple[np.ndarray, str]]] = [[] for _ in range(n_batches)]
    with bar("reading clips", size * n_batches) as advance:
        of_class = {
            name: _read(datamodule, [clip for clip in clips if clip.label == name], sample_rate) for name in names
        }
        wanted = _classes_of_a_batch(clips, size, n_batches)
        for pairs in drawn:
            for name in wanted:
                pairs.extend(itertools.islice(of_class[name], 1))
                advance(1)
        rounds = itertools.zip_longest(*of_class.values())  # lazy, so nothing is read unless it is needed
        rest = (pair for each in rounds for pair in each if pair is not None)
        for pairs in drawn:
            pairs.extend(itertools.islice(rest, size - len(pairs)))
            advance(size - len(wanted))
    if not all(drawn):
        raise DataError(f"{datamodule.dataset_name}: too few clips can be read; run `untrained check data`")
    found = []
    for pairs in drawn:
        waveforms = torch.stack([torch.from_numpy(waveform) for waveform, _ in pairs])
        found.append((waveforms, torch.tensor([index[label] for _, label in pairs])))
    return found, names


def _classes_of_a_batch(clips: Sequence[Clip], size: int, n_batches: int) -> list[str]:
    """Return the classes of the clips of each batch, in the order of `evenly`, that all batches can have."""
    n_of = Counter(clip.label for clip in clips)
    ranked = [(place, name) for name, n in n_of.items() for place in range(n // n_batches)]
    return [name for _, name in sorted(ranked)[:size]]


def evenly(clips: Sequence[Clip], seed: int) -> list[Clip]:
    """Return clips in a random order whose every beginning has all classes as evenly as possible.

    Args:
        clips: Clips in any order.
        seed: Seed of the order.
    """
    of_class: dict[str, list[Clip]] = {}
    for clip in sorted(clips, key=lambda clip: clip.id):
        of_class.setdefault(clip.label, []).append(clip)
    ranked = []
    for label, members in of_class.items():
        order = np.random.default_rng([seed, zlib.crc32(label.encode())]).permutation(len(members))
        ranked += [(place, label, members[index]) for place, index in enumerate(order)]
    return [clip for _, _, clip in sorted(ranked, key=lambda found: found[:2])]


def _read(datamodule: AudioDataModule, clips: Sequence[Clip], sample_rate: int) -> Iterator[tuple[np.ndarray, str]]:
    """Yield the waveform and the label of each clip that can be read."""
    n_samples = datamodule.samples_at(sample_rate)
    for clip in clips:
        decoded = read_by(type(datamodule).__name__, datamodule.read, clip, sample_rate, n_samples)
        if isinstance(decoded, Decoded):
            yield decoded.waveform, clip.label
        elif not isinstance(decoded, AudioError) or datamodule.on_error == "raise":
            raise decoded
