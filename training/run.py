"""Run of `untrained train`: its key, and the folder for its outcome."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..datamodules import AudioDataModule
from ..embeddings.changes import settings_of
from ..embeddings.provenance import VERSIONS, data_fields, frontend_fields, stamps_digest
from ..files import digest, plain
from ..probes.observers import Observers
from ..probes.record import FORMAT, as_text, predictions_file, read_metrics
from ..probes.run import RunKey, data_label, folder_of, frontend_label, label_of
from .data import BATCH, clips_in_a_batch
from .fitting import MakeTrainer
from .heads import layers_of, pooling_of, standardize_of
from .module import EndToEnd
from .sounds import Sounds

BUDGET = 1000
"""Default number of training steps."""
DEFAULTS: dict[str, Any] = {"max_steps": BUDGET, "gradient_clip_val": 1.0}
"""Trainer defaults that differ from Lightning's."""
# Trainer options that affect the result; others affect only speed or output.
_DECISIVE = (
    *("max_steps", "max_epochs", "min_steps", "min_epochs", "max_time", "limit_train_batches", "limit_val_batches"),
    *("overfit_batches", "val_check_interval", "check_val_every_n_epoch", "accumulate_grad_batches", "devices"),
    *("gradient_clip_val", "gradient_clip_algorithm", "sync_batchnorm", "callbacks", "plugins"),
)


@dataclass(frozen=True)
class TrainingRun:
    """Frontend and head to train on a data set, with the folder for the outcome.

    Args:
        module: Module to train, with one learning rate or several.
        datamodule: Data set of the clips.
        key: Key of the run.
        folder: Folder of the run.
        config: YAML that repeats the run.
        make_trainer: Function that makes the trainer of each training.
        observers: Loggers and callbacks.
        is_first: Whether this process is the first of those that share the clips, which alone writes.
        n_processes: Number of these processes.
        device: Device that the first process computes predictions on.
        say: Function that shows a line of text to the user.
        wait: Function that waits until all processes have called it.
        stores: Folder that holds all stores, with the cache of waveforms; by default, there is no cache.
        sounds: Sounds of the data set, if they have been read already.
        force: Whether clips are decoded again, although their waveforms are cached.
        scores_first_epoch: Whether the validation accuracy after the first epoch is among the metrics.
    """

    module: EndToEnd
    datamodule: AudioDataModule
    key: RunKey
    folder: Path
    config: str
    make_trainer: MakeTrainer
    observers: Observers
    is_first: bool
    n_processes: int
    device: torch.device
    say: Callable[[str], None]
    wait: Callable[[], None]
    stores: Path | None = None
    sounds: Sounds | None = None
    force: bool = False
    scores_first_epoch: bool = False


def training_key(module: EndToEnd, datamodule: AudioDataModule, trainer: Mapping[str, Any], precision: str) -> RunKey:
    """Return the key of a run of `untrained train`.

    Args:
        module: Module to train.
        datamodule: Data set of the clips.
        trainer: Options of the trainer that differ from Lightning's defaults, by name, as plain values.
        precision: Precision of the trainer.
    """
    datamodule.require_classes()
    frontend = module.frontend
    options = {**frontend.options._asdict(), "layers": layers_of(module.head)}
    budget = {name: plain(trainer[name]) for name in _DECISIVE if name in trainer}
    batch = clips_in_a_batch(datamodule.batch_size)
    rates = module.learning_rates
    settings = {
        "head": module.head,
        "learning_rate": rates[0] if len(rates) == 1 else rates,
        "weight_decay": module.weight_decay,
        "warmup": module.warmup,
        "betas": list(module.betas),
        "batch_size": batch,
        # Absent by default, so that runs of earlier versions keep their keys.
        **({"circular_shift": True} if module.circular_shift else {}),
        **({"random_crop": module.random_crop} if module.random_crop else {}),
        **({"head_only": True} if module.head_only else {}),
    }
    defaults = {"learning_rate": 1e-3, "weight_decay": 1e-4, "warmup": 0.05, "betas": [0.9, 0.999], "batch_size": BATCH}
    named = "+".join(map(repr, rates))  # without commas, which separate values in shells and tables
    shown = {**settings, "learning_rate": rates[0] if len(rates) == 1 else named} | {
        key: value for key, value in budget.items() if value != DEFAULTS.get(key) and key != "callbacks"
    }
    for name in ("head", "head_only"):  # both are in the name of the backend
        shown.pop(name, None)
    seen = {"init": frontend.options.init, **({} if pooling_of(module.head) else {"pooling": frontend.options.pooling})}
    names: dict[str, Any] = {
        "frontend": frontend_label(frontend, seen),
        "backend": label_of(head_name(module), defaults, shown),
        "seed": module.seed,
        "protocol": "holdout" if any(clip.split for clip in datamodule.listed) else "nested",
        **{name: as_text(value) for name, value in options.items()},
        "standardize": standardize_of(module.head),
        "weights": module.weights,
    }
    params = {
        "dataset": datamodule.dataset_name,
        "datamodule": data_label(datamodule, frontend.sample_rate),
        **names,
        "tf32": False,
    }
    clips = [(clip.id, clip.label, clip.split, clip.fold, clip.group) for clip in datamodule.listed]
    stamps = stamps_digest(datamodule)
    made = {**frontend_fields(frontend), **data_fields(datamodule, frontend.sample_rate, precision)}
    fields = {
        **names,
        "embeddings": made,
        "training": {**settings, **budget},
        "code": {"training": VERSIONS.get("training", 1)},
        "clips": digest({"clips": clips})[:16],
        "data_seed": datamodule.seed,
        "files": stamps[:16],
    }
    return RunKey(
        params=params,
        seed=module.seed,
        fields=fields,
        extraction=digest({"dataset": params["dataset"], **made}),
        identity=digest({"format": FORMAT, **fields}),
        folder=folder_of(params, f"seed{module.seed}-{digest(settings_of(fields))[:6]}"),
    )


def head_name(module: EndToEnd) -> str:
    """Return the name of a head in the column of the backends, such as `trained-linear` or `frozen-linear`."""
    return f"{'frozen' if module.head_only else 'trained'}-{module.head}"


def is_done(folder: Path, key: RunKey, datamodule: AudioDataModule) -> bool:
    """Return whether a folder contains the completed result of this run."""
    metrics = read_metrics(folder)
    has_test = any(clip.split == "test" for clip in datamodule.listed)
    metric = "test/accuracy" if has_test else "val/accuracy" if key.params["protocol"] == "holdout" else "cv/accuracy"
    files = ("probe.ckpt", "frontend.safetensors", predictions_file(metric))
    return (
        metrics.get("identity") == key.identity
        and metric in metrics
        and all((folder / name).is_file() for name in files)
    )
