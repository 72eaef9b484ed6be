"""Extraction of all embeddings that a run of a probe needs, with one calibration for each outer fold."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer

from ..datamodules import AudioDataModule
from ..embeddings.calibrated import plan_calibration
from ..embeddings.extract import extract
from ..embeddings.outcome import Extraction
from ..frontends.planned import calibration_of
from .probe import Probe


def prepared(probe: Probe, datamodule: AudioDataModule) -> Probe:
    """Return a probe whose frontend will be calibrated on the training clips of a data set if `probe.calibrate` is set.

    Args:
        probe: Probe; it is left unchanged.
        datamodule: Data set of the clips.

    Raises:
        DataError: There are no training clips.
        UsageError: The frontend has nothing to calibrate.
    """
    if not probe.calibrate or probe.frontend is None or calibration_of(probe.frontend):
        return probe
    return probe.with_frontend(plan_calibration(probe.frontend, datamodule))


def fold_probes(probe: Probe, datamodule: AudioDataModule) -> dict[int, Probe]:
    """Return a probe for each outer fold, whose frontend is calibrated on the other folds.

    Args:
        probe: Probe of the run.
        datamodule: Data set of the clips.

    Returns:
        Probes by fold; empty if the probe is not calibrated, or if the data set has splits rather than folds.
    """
    clips = datamodule.listed
    if not probe.calibrate or any(clip.split == "test" for clip in clips):
        return {}
    folds = sorted({clip.fold for clip in clips if clip.fold is not None})
    frontend = probe.require_frontend()
    return {fold: probe.with_frontend(plan_calibration(frontend, datamodule, fold)) for fold in folds}


def extract_all(probe: Probe, datamodule: AudioDataModule, trainer: Trainer, root: Path, **options: Any) -> Extraction:
    """Extract the embeddings that a run needs: those of its frontend, and those of each outer fold if it is calibrated.

    Args:
        probe: Probe that `prepared` returned.
        datamodule: Data set of the clips.
        trainer: Trainer whose devices, strategy and precision are used.
        root: Folder that holds all stores.
        **options: Further arguments of `extract`.
    """
    of_folds = {
        fold: extract(each, datamodule, trainer, root, **options)
        for fold, each in fold_probes(probe, datamodule).items()
    }
    last = extract(probe, datamodule, trainer, root, **options)
    if not of_folds:
        return last
    return replace(
        last,
        seconds=last.seconds + sum(each.seconds for each in of_folds.values()),
        notes=[
            *last.notes,
            f"the frontend was calibrated once for each of {len(of_folds)} folds, without the clips of the fold, and "
            "once on all training clips for the saved model",
        ],
        fold_stores={fold: each.store for fold, each in of_folds.items()},
    )
