"""Callback that connects Lightning's predict loop with a store."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor

from ..datamodules.base import AudioDataModule, Batch
from ..errors import StoreError, UsageError
from ..frontends import Frontend
from .locate import open_store
from .provenance import precision_field
from .session import Session
from .store import EmbeddingStore
from .waveforms import share_cache


class EmbeddingWriter(Callback):
    """Callback that writes embeddings to a store, and restricts the predict loop to the clips missing from it.

    Args:
        root: Folder that holds all stores.
        flush_every: Number of rows to keep in memory before they are written.
        flush_seconds: Maximum time that rows stay in memory, in s.
        force: Whether to compute stored clips again.

    Attributes:
        store: Store of the last extraction.
        missing: Positions of the clips that were missing from the store when the last extraction began.

    Raises:
        UsageError: `flush_every` or `flush_seconds` is not positive.

    Example:
        Extract and read embeddings without the command line::

            writer = EmbeddingWriter("embeddings")
            trainer = Trainer(callbacks=[writer])
            trainer.predict(Probe(frontend), datamodule=data, return_predictions=False)
            X = writer.store.read([clip.id for clip in data.listed])
    """

    store: EmbeddingStore

    def __init__(
        self, root: str | Path, flush_every: int = 512, flush_seconds: float = 30.0, *, force: bool = False
    ) -> None:
        for name, value in (("flush_every", flush_every), ("flush_seconds", flush_seconds)):
            if not value > 0:
                raise UsageError(f"{name}={value}; expected more than 0")
        self.root, self.flush_every, self.flush_seconds, self.force = Path(root), flush_every, flush_seconds, force
        self.missing: NDArray[np.int64] = np.zeros(0, np.int64)
        self._session: Session | None = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Lock the store and restrict the data to the clips missing from it; rank 0 lists them for all ranks.

        Raises:
            StoreError: On every rank, if another process writes to the store or the store is damaged.
            UsageError: There are fewer clips than devices.
        """
        if stage != "predict":
            return
        datamodule: AudioDataModule = trainer.datamodule  # type: ignore[attr-defined]
        frontend: Frontend = pl_module.frontend  # type: ignore[assignment]
        refuse_more_devices_than_clips(trainer, datamodule)
        precision = precision_field(str(trainer.precision), pl_module)
        self.store = open_store(self.root, frontend, datamodule, precision, damaged=self.force)
        share_cache(datamodule, trainer)
        self._session = Session(self.store, frontend, datamodule, trainer, force=self.force)
        self.missing = self._session.missing
        datamodule.select(self._session.selected)

    def on_predict_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Tensor,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep the embeddings of a batch, and write the rows in memory when they are due.

        Raises:
            AudioError: A clip could not be read and the datamodule has `on_error="raise"`.
        """
        assert self._session is not None
        embeddings = outputs.cpu().numpy()  # the only point where this process waits for a GPU
        self._session.add(embeddings, batch)
        self._session.flush_if_due(self.flush_every, self.flush_seconds)

    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the remaining rows; rank 0 commits the shards of all ranks.

        Raises:
            AudioError: On every rank, if any rank could not read a clip and the datamodule has `on_error="raise"`.
        """
        assert self._session is not None
        self._session.commit()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Restore the frontend and the data, and unlock the store."""
        if stage == "predict":
            self._close(trainer)

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        """Write the rows in memory after an error or an interrupt, because Lightning skips the teardown then."""
        try:
            if self._session is not None and not isinstance(exception, StoreError):
                self._session.flush()
        finally:
            self._close(trainer)

    def _close(self, trainer: Trainer) -> None:
        trainer.datamodule.select(None)  # type: ignore[attr-defined]
        if self._session is not None:
            self._session.close()
            self._session = None


def refuse_more_devices_than_clips(trainer: Trainer, datamodule: AudioDataModule) -> None:
    """Raise if there are fewer clips than devices, because Lightning would fail with a bare assertion.

    Raises:
        UsageError: The data set has fewer clips than the trainer has devices.
    """
    n_clips = len(datamodule.listed)
    if n_clips < trainer.world_size:
        raise UsageError(
            f"{n_clips} clips cannot be shared by {trainer.world_size} devices; "
            f"use --trainer.devices {n_clips} or fewer"
        )
