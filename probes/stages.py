"""The stages of a probe on one device: fit a backend to stored embeddings, and score it on the test split."""

from collections.abc import Sequence

from pytorch_lightning import Trainer

from ..datamodules import AudioDataModule
from ..embeddings.store import EmbeddingStore
from ..errors import DataError, UsageError
from .probe import EmbeddedData, Probe


def fit(probe: Probe, datamodule: AudioDataModule, store: EmbeddingStore) -> EmbeddedData:
    """Fit the backend of a probe to stored embeddings; the outcome is `probe.selection`.

    Args:
        probe: Probe with the backend and the protocol.
        datamodule: Data set of the clips.
        store: Store of their embeddings.

    Returns:
        The embeddings and labels that the backend was fitted to.

    Raises:
        UsageError: The backend refuses its arguments or the embeddings.
    """
    data = EmbeddedData(store, datamodule, datamodule.class_names, probe.columns)
    try:
        _one_device().fit(probe, datamodule=data)
    except ValueError as error:  # scikit-learn's way to refuse arguments and data
        raise UsageError(f"{type(probe.backend).__name__} cannot be fitted: {error}") from error
    return data


def score_test_split(
    probe: Probe, datamodule: AudioDataModule, store: EmbeddingStore, class_names: Sequence[str]
) -> tuple[float, EmbeddedData]:
    """Score a fitted probe on the test split; the predicted labels are `probe.test_predictions`.

    Args:
        probe: Probe with the fitted backend.
        datamodule: Data set of the clips.
        store: Store of their embeddings.
        class_names: Names of the classes that the backend was fitted to, in the order of its labels; all classes of the
            data are among them.

    Returns:
        The accuracy as a fraction, and the embeddings and labels.

    Raises:
        DataError: No clip of the test split could be read.
    """
    data = EmbeddedData(store, datamodule, class_names, probe.columns)
    if not data.tested:
        raise DataError("the test split is empty: none of its clips could be read")
    (metrics,) = _one_device().test(probe, datamodule=data, verbose=False)
    return float(metrics["test/accuracy"]), data


def _one_device() -> Trainer:
    """Return a trainer for stored embeddings: one process, whatever extracted them."""
    return Trainer(
        accelerator="cpu",
        devices=1,
        num_nodes=1,
        strategy="auto",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
