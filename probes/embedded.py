"""Stored embeddings of a data set with their labels, for the fit and test loops of Lightning."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_lightning import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from ..backends.rows import Rows
from ..datamodules import AudioDataModule, Clip
from ..datamodules.classes import classes_learned
from ..datamodules.listing import Clips, column
from ..embeddings.shard_reader import VanishedError
from ..embeddings.store import EmbeddingStore
from ..errors import DataError, StoreError

BATCH_ROWS = 1024


class EmbeddedData(LightningDataModule):
    """Embeddings of a data set with their labels, for the fit and test loops.

    Args:
        store: Store of the embeddings.
        datamodule: Data set of the clips.
        class_names: Names of the classes that a backend was fitted to, in the order of its labels. By default, the
            classes of the clips outside the validation and test splits.
        columns: Columns of the embeddings to read; by default, all columns.
        fold_stores: Stores by fold, computed with the frontend that was calibrated without that fold.

    Attributes:
        clips: Clips that could be read.
        learned: Clips outside the test split, which the search of a backend uses.
        tested: Clips of the test split.
        class_names: Names of the classes, in the order of the labels. Classes that the backend does not learn come
            last.

    Raises:
        DataError: No clip could be read.
        StoreError: Embeddings of some clips are not stored.
    """

    def __init__(
        self,
        store: EmbeddingStore,
        datamodule: AudioDataModule,
        class_names: Sequence[str] = (),
        columns: Sequence[int] | None = None,
        fold_stores: Mapping[int, EmbeddingStore] | None = None,
    ) -> None:
        super().__init__()
        # Later extractions of other clips may have rewritten the shards of these stores.
        self.fold_stores = {fold: each.reopened() for fold, each in (fold_stores or {}).items()}
        self.store, self.columns, self.seed = store.reopened(), columns, datamodule.seed
        listed, absent = datamodule.listed, self.store.missing(datamodule.stamps())
        if set(listed.take(absent).each_id()) - self.store.failed.keys():
            raise StoreError(f"{store.folder}: clips of {datamodule.dataset_name} are not stored; run predict first")
        self.clips = clips = listed.take(np.setdiff1d(np.arange(len(listed)), absent)) if len(absent) else listed
        if not len(clips):
            raise DataError(f"{datamodule.dataset_name}: none of its {len(listed)} clips could be read")
        is_tested = clips.splits.where(lambda split: split == "test")
        self.learned, self.tested = clips.where(~is_tested), clips.where(is_tested)
        known = list(class_names) or classes_learned(clips)
        self.class_names = [*known, *sorted(set(clips.labels.counts()).difference(known))]
        self._label_of = {name: label for label, name in enumerate(self.class_names)}

    def labels(self, clips: Sequence[Clip]) -> NDArray[Any]:
        """Return the labels of clips, as indices into the class names."""
        return np.fromiter(map(self._label_of.__getitem__, column(clips, "label")), np.int64, len(clips))

    @property
    def n_features(self) -> int:
        """Number of features that a backend learns from."""
        return self.store.embedding_size if self.columns is None else len(self.columns)

    def rows(self, clips: Sequence[Clip], memory: int = 2**30, fold: int | None = None) -> Rows:
        """Return the embeddings of clips, `(len(clips), n_features)`, which are read when they are used.

        Args:
            clips: Clips of the rows.
            memory: Memory that a fit to the rows may take, in bytes.
            fold: Fold without which the frontend of the embeddings was calibrated; None for the frontend of all clips.
        """
        store = self.store if fold is None else self.fold_stores[fold]
        return _rows_of(store, clips, self.columns, self.n_features, memory)

    def embeddings(self, clips: Sequence[Clip]) -> NDArray[Any]:
        """Return the embeddings of clips, `(len(clips), n_features)`."""
        return self.rows(clips).read()

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the positions in `learned` and the labels of all clips outside the test split, in batches."""
        positions, labels = torch.arange(len(self.learned)), torch.from_numpy(self.labels(self.learned))
        return DataLoader(TensorDataset(positions, labels), batch_size=BATCH_ROWS)

    def test_dataloader(self) -> DataLoader[Any]:
        """Return the embeddings and labels of the test split, in batches, each of which is read when it is used."""
        rows, labels = self.rows(self.tested), torch.from_numpy(self.labels(self.tested))

        def batch(positions: list[int]) -> tuple[Tensor, Tensor]:
            return torch.from_numpy(rows[np.array(positions)].read()), labels[positions]

        numbers: Any = range(len(labels))
        return DataLoader(numbers, batch_size=BATCH_ROWS, collate_fn=batch)


def _rows_of(
    store: EmbeddingStore, clips: Sequence[Clip], columns: Sequence[int] | None, n_features: int, memory: int
) -> Rows:
    """Return the stored embeddings of clips as a matrix that is read in batches."""
    ids = Clips.of(clips).ids
    opened, numbers = store, store.find_all(ids)

    def read(positions: NDArray[Any]) -> NDArray[np.float32]:
        nonlocal opened, numbers
        try:
            return opened.take(numbers[positions], columns)
        except VanishedError:  # another command has replaced shards while this one fits
            opened = opened.reopened()
            numbers = opened.find_all(ids)
            return opened.take(numbers[positions], columns)

    # Rows are read in the order of ids, which is nearly that of the store, and in which they stay if the store changes.
    return Rows(read, np.arange(len(ids)), n_features, memory)
