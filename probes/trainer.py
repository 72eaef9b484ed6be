"""Options of Lightning's trainer: the options that apply to the commands, and the options that are rejected."""

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from pytorch_lightning import Trainer

from ..errors import UsageError
from ..parsing import trainer_defaults

_NO_TRAINING = "fit does not use gradient descent; to train end to end, use `untrained train`"
_ONE_PASS = "a backend is fitted once, to all embeddings"
_ALL_CLIPS = "all clips are needed, and a part of them would change the result"
_NO_CHECKPOINTS = "frontends are frozen, and fit always saves probe.ckpt"

USED: dict[str, str] = {
    "accelerator": "device that extracts",
    "strategy": "distribution of the clips over devices",
    "devices": "number of devices",
    "num_nodes": "number of machines",
    "precision": "precision of an extraction",
    "logger": "loggers of scores, hyper-parameters and figures",
    "callbacks": "callbacks in the loops of predict, fit and test",
    "enable_progress_bar": "progress bar of an extraction",
    "deterministic": "algorithms of an extraction",
    "benchmark": "choice of algorithms for an extraction",
    "inference_mode": "way in which an extraction disables gradients",
    "use_distributed_sampler": "no effect, because the datamodule distributes the clips",
    "profiler": "profiler of the steps of an extraction",
    "plugins": "plug-ins for precision, cluster environment and checkpoint I/O",
    "default_root_dir": "folder of runs and embeddings",
}
"""Options that have an effect or are harmless, each with its purpose."""

REFUSED: dict[str, str] = {
    "fast_dev_run": _ALL_CLIPS,
    "max_epochs": _ONE_PASS,
    "min_epochs": _ONE_PASS,
    "max_steps": _ONE_PASS,
    "min_steps": _ONE_PASS,
    "max_time": _ONE_PASS,
    "limit_train_batches": _ALL_CLIPS,
    "limit_val_batches": _ALL_CLIPS,
    "limit_test_batches": _ALL_CLIPS,
    "limit_predict_batches": _ALL_CLIPS,
    "overfit_batches": _ALL_CLIPS,
    "val_check_interval": _ONE_PASS,
    "check_val_every_n_epoch": _ONE_PASS,
    "num_sanity_val_steps": _ONE_PASS,
    "log_every_n_steps": "scores are logged once, at the end",
    "enable_checkpointing": _NO_CHECKPOINTS,
    "enable_model_summary": "untrained list frontends --details shows the layers",
    "accumulate_grad_batches": _NO_TRAINING,
    "gradient_clip_val": _NO_TRAINING,
    "gradient_clip_algorithm": _NO_TRAINING,
    "detect_anomaly": _NO_TRAINING,
    "barebones": "it is for timing training loops",
    "sync_batchnorm": _NO_TRAINING,
    "reload_dataloaders_every_n_epochs": _ONE_PASS,
    "enable_autolog_hparams": "the run logs its hyper-parameters itself; --trainer.logger false turns logging off",
    "model_registry": _NO_CHECKPOINTS,
}
"""Options that have no effect or would damage the result, each with the reason."""

REFUSED_CALLBACKS: dict[str, str] = {
    "Checkpoint": _NO_CHECKPOINTS,
    "EarlyStopping": _ONE_PASS,
    "Timer": _ONE_PASS,
    "GradientAccumulationScheduler": _NO_TRAINING,
    "StochasticWeightAveraging": _NO_TRAINING,
    "WeightAveraging": _NO_TRAINING,
    "LearningRateFinder": _NO_TRAINING,
    "LearningRateMonitor": _NO_TRAINING,
    "BatchSizeFinder": "--data.batch_size auto, which is the default, fits the memory of the device",
    "BaseFinetuning": _NO_TRAINING,
    "ModelPruning": _NO_TRAINING,
    "SpikeDetection": _NO_TRAINING,
}
"""Callbacks of Lightning that have no effect, by the name of their class or of a base class, with the reason."""


def refuse_unused(options: Mapping[str, Any]) -> None:
    """Raise if options of the trainer cannot have an effect, or would damage the result.

    Args:
        options: Options by name, as parsed and before anything is built; default values are accepted.

    Raises:
        UsageError: Options or callbacks are rejected; the message names all of them.
    """
    parameters = inspect.signature(Trainer).parameters
    accepted = {
        name: (parameters[name].default, trainer_defaults().get(name)) for name in REFUSED if name in parameters
    }
    problems = [
        f"--trainer.{name} {options[name]} has no effect ({REFUSED[name]})"
        for name, defaults in accepted.items()
        if name in options and options[name] not in defaults
    ]
    callbacks = options.get("callbacks") or []
    for callback in callbacks if isinstance(callbacks, list) else [callbacks]:
        path = str(callback.get("class_path", ""))
        module, _, name = path.rpartition(".")
        bases = [base.__name__ for base in getattr(importlib.import_module(module), name).__mro__] if module else []
        reasons = [REFUSED_CALLBACKS[base] for base in bases if base in REFUSED_CALLBACKS]
        problems += [f"--trainer.callbacks {name} has no effect ({reason})" for reason in reasons[:1]]
    if str(options.get("devices", "auto")) in ("0", "[]"):
        raise UsageError(f"--trainer.devices {options['devices']}: give 1 or more, or auto")
    if problems:
        raise UsageError(f"{'; '.join(problems)}; leave {'it' if len(problems) == 1 else 'them'} out")
