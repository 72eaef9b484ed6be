"""Network for training: a trainable or frozen frontend, and a head on its embedding."""

from typing import cast

from torch import Tensor, nn

from ..backends import Backend
from ..frontends import Frontend
from ..frontends.pooling import pooled
from ..frontends.trainable import frozen, trainable
from .heads import Head, as_backend, layers_of, make_head, pooling_of


class Network(nn.Module):
    """Trainable or frozen copy of a frontend, with a head.

    Args:
        frontend: Frontend to copy; it is left unchanged.
        head: Name of the head.
        n_classes: Number of classes.
        seed: Seed of the head's weights.
        freeze: Whether the frontend stays frozen, so that the head alone is trained.

    Attributes:
        reads_embeddings: Whether batches are embeddings of the frontend, which is then skipped.
        reads_representations: Whether batches are representations of clips, which the frontend reads.

    Raises:
        ValueError: The frontend has nothing to train, or lacks the feature maps that the head needs.
    """

    def __init__(self, frontend: Frontend, head: Head, n_classes: int, seed: int, *, freeze: bool = False) -> None:
        super().__init__()
        self.head_name: Head = head
        copied = frozen if freeze else trainable
        self.frontend = copied(frontend.with_options(pooling=pooling_of(head)))
        self.reads_embeddings = self.reads_representations = False
        columns = self.frontend.columns(layers_of(head))
        self._columns = columns if len(columns) < self.frontend.embedding_size else None
        self.head = make_head(head, len(columns), n_classes, seed)

    def forward(self, batch: Tensor) -> Tensor:
        """Return class scores (logits) of a batch.

        Args:
            batch: Waveforms, `(batch, n_samples)`; or, if it reads them, representations, `(batch, n_mels, n_frames)`,
                or embeddings, `(batch, embedding_size)`.

        Returns:
            Logits, `(batch, n_classes)`.
        """
        embeddings: Tensor = batch if self.reads_embeddings else self._embeddings(batch)
        if self._columns is not None:
            embeddings = embeddings[:, self._columns]
        # Pooling computes in float32, whatever the precision of the weights.
        return cast(Tensor, self.head(embeddings.to(next(self.head.parameters()).dtype)))

    def _embeddings(self, batch: Tensor) -> Tensor:
        if not self.reads_representations:
            return cast(Tensor, self.frontend(batch))
        weight = next(parameter for _, parameter in self.frontend.network_parameters())
        return pooled(self.frontend.feature_maps(batch.to(weight.dtype)), self.frontend.options.pooling)

    def as_probe(self) -> tuple[Frontend, Backend]:
        """Return a frozen copy of the frontend, and the head as a fitted backend."""
        return frozen(self.frontend).to("cpu"), as_backend(self.head_name, self.head)
