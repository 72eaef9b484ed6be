"""Stages of a run after its extraction, on one device: fit the backend, score the test split, record the results."""

import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from pytorch_lightning import Trainer
from pytorch_lightning.loggers import Logger

from ..datamodules import AudioDataModule
from ..embeddings.outcome import Extraction
from ..embeddings.store import EmbeddingStore
from ..errors import DataError, UsageError
from ..files import locked, write_atomically
from ..frontends.measure import Description
from ..frontends.outputs import stated
from . import checkpoint, tensorboard
from .embedded import EmbeddedData
from .guard import describe_repeated, refuse_other_classes
from .observers import Observers
from .probe import Probe
from .record import (
    CANDIDATES,
    Predictions,
    installed_versions,
    keep_damaged_metrics,
    predictions_file,
    update_metrics,
    write_candidates,
    write_predictions,
)
from .run import Run
from .scores import all_scores, candidates_of, predictions_for, predictions_of
from .selection import Selection

DEFAULT = Observers()


def fit_run(run: Run, extraction: Extraction, observers: Observers = DEFAULT) -> dict[str, Any]:
    """Fit the backend of a run, log and save the result, and return the metrics.

    Args:
        run: Run whose probe is fitted.
        extraction: Extraction of the run's embeddings.
        observers: Loggers and callbacks; by default, TensorBoard in the folder of the run.

    Raises:
        CheckpointError: The frontend or the backend has no registered name, or cannot be saved.
        StoreError: Another process is fitting or testing this run.
        UsageError: The backend rejects its arguments or the embeddings.
    """
    with locked(run.folder, "use another --trainer.default_root_dir"):
        return _fit_run(run, extraction, observers)


def _fit_run(run: Run, extraction: Extraction, observers: Observers) -> dict[str, Any]:
    start = time.perf_counter()
    checkpoint.name_frontend(run.probe.require_frontend())  # raises now rather than after the search
    checkpoint.name_backend(run.probe.require_backend())
    start_folder(run.folder, run.config)
    data = fit(run.probe, run.datamodule, extraction.store, observers, extraction.fold_stores)
    return record_fit(run, data, extraction, observers, start)


def record_fit(
    run: Run,
    data: EmbeddedData,
    extraction: Extraction,
    observers: Observers,
    start: float,
    step: int = 0,
    **more: Any,
) -> dict[str, Any]:
    """Write the outcome of a fitted run to its folder, log it, and return its metrics.

    Args:
        run: Run whose probe is fitted.
        data: Clips that it was fitted to, with their embeddings.
        extraction: Extraction of the embeddings.
        observers: Loggers of the run.
        start: Reading of `time.perf_counter` when the fit began.
        step: Step of the scores in the logs.
        **more: Further metrics by name.
    """
    selection, frontend = run.probe.require_selection(), run.probe.require_frontend()
    cost = frontend.describe(run.datamodule.samples_at(frontend.sample_rate))
    predictions = predictions_of(selection, data)
    scores = all_scores(selection.score_name, selection.score, predictions)
    metrics = {
        **run.key.params,
        "working_folder": str(Path.cwd()),  # base of the relative paths in config.yaml
        "identity": run.key.identity,
        "key": run.key.fields,
        **scores,
        **_facts(run, selection, cost, data),
        "n_clips": len(data.clips),
        "n_failed": len(extraction.failed),
        "extraction": dict(extraction.profile),
        "seconds": round(time.perf_counter() - start, 3),
        "versions": installed_versions(),
        **more,
    }
    write_predictions(run.folder / predictions_file(selection.score_name), predictions)
    write_candidates(run.folder, candidates_of(selection))
    checkpoint.save(run.folder / "probe.ckpt", run.probe, run.datamodule, data, scores)
    leak = describe_repeated(data, run.datamodule)
    if leak:
        warnings.warn(leak, stacklevel=2)
    logged = _log(run, scores, predictions, data, extraction, observers, step)
    metrics["notes"] = [*extraction.notes, *([leak] if leak else []), *logged]
    update_metrics(run.folder, metrics)  # last, because a run is done when its metrics exist
    return metrics


def test_run(
    saved: Path,
    probe: Probe,
    datamodule: AudioDataModule,
    extraction: Extraction,
    class_names: Sequence[str],
    observers: Observers,
) -> dict[str, float]:
    """Score a fitted probe on the test split, add the scores to its checkpoint and its run, and return them.

    Args:
        saved: Checkpoint of the probe, in the folder of its run.
        probe: Fitted probe.
        datamodule: Data set with a test split.
        extraction: Extraction of the embeddings of the data set.
        class_names: Names of the classes that the probe was fitted to, in the order of its labels; empty if it was
            fitted to this data set.
        observers: Loggers and callbacks.

    Raises:
        StoreError: Another process is fitting or testing this run.
    """
    folder = saved.parent
    with locked(folder, "test a copy of that folder"):
        accuracy, data = score_test_split(probe, datamodule, extraction.store, class_names, observers)
        return record_test(saved, accuracy, probe.test_predictions, data, observers)


def record_test(
    saved: Path, accuracy: float, predicted: NDArray[Any], data: EmbeddedData, observers: Observers
) -> dict[str, float]:
    """Write the scores of the test split to a checkpoint and its run, log them, and return them.

    Args:
        saved: Checkpoint of the probe, in the folder of its run.
        accuracy: Accuracy on the test split, as a fraction.
        predicted: Index of the class of each test clip, `(n_clips,)`.
        data: Clips of the test split.
        observers: Loggers of the run.
    """
    predictions = predictions_for(data.tested, predicted, data.class_names, [""] * len(data.tested))
    scores = all_scores("test/accuracy", accuracy, predictions)
    write_predictions(saved.parent / predictions_file("test/accuracy"), predictions)
    checkpoint.add_scores(saved, scores)

    def log(logger: Logger) -> None:
        logger.log_metrics(scores, step=0)
        tensorboard.log_predictions(logger, "test", predictions, data.class_names)

    observers.log(log, saved.parent)
    update_metrics(saved.parent, {**scores, "n_test_clips": len(data.tested)})
    return scores


def fit(
    probe: Probe,
    datamodule: AudioDataModule,
    store: EmbeddingStore,
    observers: Observers = DEFAULT,
    fold_stores: Mapping[int, EmbeddingStore] | None = None,
) -> EmbeddedData:
    """Fit the backend of a probe to stored embeddings; the result is in `probe.selection`.

    Args:
        probe: Probe with the backend and the protocol.
        datamodule: Data set of the clips.
        store: Store of the embeddings of the clips.
        observers: Callbacks, and the loggers that they may use.
        fold_stores: Stores by fold, computed with the frontend that was calibrated without that fold.

    Returns:
        The embeddings and labels that the backend was fitted to.

    Raises:
        UsageError: The backend rejects its arguments or the embeddings.
    """
    data = EmbeddedData(store, datamodule, columns=probe.columns, fold_stores=fold_stores)
    try:
        _one_device(observers).fit(probe, datamodule=data)
    except ValueError as error:  # scikit-learn rejects arguments and data this way
        raise UsageError(f"{type(probe.backend).__name__} cannot be fitted: {error}") from error
    return data


def score_test_split(
    probe: Probe,
    datamodule: AudioDataModule,
    store: EmbeddingStore,
    class_names: Sequence[str],
    observers: Observers = DEFAULT,
) -> tuple[float, EmbeddedData]:
    """Score a fitted probe on the test split; the predicted labels are in `probe.test_predictions`.

    Args:
        probe: Probe with the fitted backend.
        datamodule: Data set of the clips.
        store: Store of the embeddings of the clips.
        class_names: Names of the classes that the backend was fitted to, in the order of its labels; empty if it was
            fitted to this data set.
        observers: Callbacks, and the loggers that they may use.

    Returns:
        Accuracy as a fraction, and the embeddings and labels.

    Raises:
        CheckpointError: The training clips have classes that the backend was not fitted to.
        DataError: No clip of the test split could be read.
    """
    data = EmbeddedData(store, datamodule, class_names, probe.columns)
    if class_names:
        refuse_other_classes(data.clips, class_names)
    if not data.tested:
        raise DataError("the test split is empty: none of its clips could be read")
    (metrics,) = _one_device(observers).test(probe, datamodule=data, verbose=False)
    return float(metrics["test/accuracy"]), data


def start_folder(folder: Path, config: str) -> None:
    """Remove the results of an earlier fit from the folder of a run, and write the configuration of the run."""
    keep_damaged_metrics(folder)
    tensorboard.forget_run(folder)
    for path in [folder / "metrics.json", folder / "error.txt", folder / CANDIDATES]:
        path.unlink(missing_ok=True)
    for path in folder.glob("predictions-*.csv"):
        path.unlink(missing_ok=True)
    write_atomically(folder / "config.yaml", config.encode())


def _facts(run: Run, selection: Selection, cost: Description, data: EmbeddedData) -> dict[str, Any]:
    """Return metrics that describe the selection, the frontend and the data set."""
    frontend = run.probe.require_frontend()
    return {
        "input": stated(frontend, "input"),
        "filters": stated(frontend, "filters"),
        "best_candidate": selection.best_candidate,
        "failed_candidates": [each._asdict() for each in selection.failed],
        "selected_on_test": selection.selected_on_test,
        "fold_scores": selection.fold_scores,
        "n_features": run.probe.n_features,
        "n_parameters": cost.n_parameters,
        "flop": cost.flop,
        "n_classes": len(data.class_names),
    }


def _log(
    run: Run,
    scores: Mapping[str, float],
    predictions: Predictions,
    data: EmbeddedData,
    extraction: Extraction,
    observers: Observers,
    step: int,
) -> list[str]:
    """Log a fitted run, and return a note on each logger that failed."""
    selection, names, frontend = run.probe.require_selection(), data.class_names, run.probe.require_frontend()
    params, profile = run.key.params, extraction.profile
    shown = [data.learned[index] for index in tensorboard.projected(len(data.learned))]
    ids, labels = [clip.id for clip in shown], [clip.label for clip in shown]

    def log(logger: Logger) -> None:
        about = (params, selection, scores, predictions, names, profile, run.config)
        tensorboard.log_fit(logger, *about, of_study=observers.of_study, step=step)
        tensorboard.log_embeddings(logger, data.embeddings(shown), ids, labels, frontend)

    return observers.log(log, run.folder)


def _one_device(observers: Observers) -> Trainer:
    """Return a trainer for stored embeddings, which uses one process whatever devices extracted them."""
    return Trainer(
        accelerator="cpu",
        devices=1,
        num_nodes=1,
        strategy="auto",
        max_epochs=1,
        logger=observers.in_loops,
        log_every_n_steps=1,  # because there are few batches
        callbacks=list(observers.callbacks),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
