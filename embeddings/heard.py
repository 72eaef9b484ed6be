"""Notices about clips of a data set that are cropped, repeated or padded."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..datamodules.base import AudioDataModule
from ..datamodules.lengths import length_notice, repetition_notice
from ..frontends import Frontend
from ..registry import FRONTENDS
from .locate import open_store, store_folder
from .store import EmbeddingStore

Say = Callable[[str], None]
"""Type of functions that show a line of text to the user."""
Lengths = NDArray[np.float64]
UNKNOWN: Lengths = np.zeros(0)
"""Durations of no clips, for a data set whose durations are not known yet."""


def notices(frontend: Frontend, datamodule: AudioDataModule, lengths: Lengths) -> list[str]:
    """Return notices about clips that are cropped, padded or repeated for a frontend; empty if there are none.

    Args:
        frontend: Frontend that takes the clips.
        datamodule: Data set of the clips.
        lengths: Durations of the clips in s; if empty, there is no notice about lengths.
    """
    rate = frontend.sample_rate
    name = FRONTENDS.name_of(type(frontend)) or type(frontend).__name__
    given = datamodule.samples_at(rate) / rate
    found = [notice_of_lengths(datamodule, rate, lengths), repetition_notice(name, frontend.min_samples / rate, given)]
    return [text for text in found if text]


def notice_of_lengths(datamodule: AudioDataModule, sample_rate: int, lengths: Lengths) -> str:
    """Return a notice about clips that are longer or shorter than the input of a frontend; empty if none are.

    Args:
        datamodule: Data set of the clips.
        sample_rate: Sample rate of the frontend, in Hz.
        lengths: Durations of the clips in s.
    """
    given = datamodule.samples_at(sample_rate) / sample_rate
    text = length_notice(lengths, given, datamodule.fit_length)
    return f"{datamodule.dataset_name}: {text}" if text else ""


def lengths_in(store: EmbeddingStore, datamodule: AudioDataModule) -> Lengths:
    """Return the durations in s of the clips of a data set that a store holds, `(n_stored,)`."""
    ids = datamodule.listed.ids
    return store.retried(
        lambda each: np.concatenate(
            [UNKNOWN, *(m.content.batch.column("seconds").to_numpy()[m.rows] for m in each.shards.matches(ids))]
        )
    )


def stored_lengths(root: Path, frontend: Frontend, datamodule: AudioDataModule, precision: str) -> Lengths:
    """Return the durations in s of clips whose embeddings are stored; empty if the store does not exist.

    Args:
        root: Folder that holds all stores.
        frontend: Frontend of the embeddings, with initialised weights.
        datamodule: Data set of the clips.
        precision: Precision field, see `provenance.precision_field`.
    """
    if not store_folder(root, frontend, datamodule, precision).is_dir():  # opening a store would create it
        return UNKNOWN
    return lengths_in(open_store(root, frontend, datamodule, precision, damaged=True), datamodule)


def say_all(texts: Iterable[str], say: Say) -> None:
    """Show all lines of text that are not empty."""
    for text in filter(None, texts):
        say(text)
