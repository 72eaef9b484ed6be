"""Record of a training run: the files of any run, with the weights of the frontend."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..datamodules.classes import notes_on_classes
from ..frontends.trained import save_weights
from ..probes.probe import Probe
from ..probes.run import Run
from ..probes.stages import record_fit, record_test
from .data import clips_in_a_batch
from .heads import backend_of, layers_of, standardize_of
from .outcome import Heard, Scored, predict, selection_of
from .parts import Part
from .run import TrainingRun
from .sounds import Sounds


def record(
    run: TrainingRun, scored: list[Scored], sounds: Sounds, heard: Heard, start: float, passes: int
) -> dict[str, Any]:
    """Write the outcome to the folder of the run, score the test split, and return the metrics.

    Args:
        run: Training run.
        scored: Predictions of each part of the data; the network of the last one is saved.
        sounds: Sounds of the data set.
        heard: Clips of the data set.
        start: Reading of `time.perf_counter` when the run began.
        passes: Cost of the trainings, see `clip_passes`.
    """
    final = scored[-1]
    trained, datamodule = final.trained, run.datamodule
    heard.keep(heard.learned, trained.embeddings(sounds, heard.learned, run.device))
    probe = Probe(
        trained.frontend, trained.backend, layers=layers_of(trained.head), standardize=standardize_of(trained.head)
    )
    probe.selection = selection_of(scored, run.module.learning_rates, heard)
    save_weights(
        trained.frontend,
        run.folder / "frontend.safetensors",
        n_samples=str(datamodule.samples_at(trained.frontend.sample_rate)),
        trained_by=run.key.identity,
    )
    fit = Run(probe, datamodule, run.key, run.folder, run.config)
    learned = final.part.train
    right, _ = predict(trained, heard.embeddings(learned), heard.labels(learned))
    notes = [*datamodule.notes, *notes_on_classes(datamodule.listed, sounds.failed)]
    if sounds.failed:
        notes.append(f"{len(sounds.failed)} clips could not be read, for example {next(iter(sounds.failed))!r}")
    more = {
        "weights": run.module.weights,
        "clip_passes": passes,
        "head": trained.head,
        "head_backend": backend_of(trained.head),
        "best_step": final.ended_at,
        "train/accuracy": float(np.mean(right == heard.labels(learned))),
        "n_train_clips": len(learned),
        "device": str(run.device),
        **({} if final.first_epoch is None else {"val/first_epoch_accuracy": final.first_epoch}),
    }
    heard_as: Any = heard
    reading: Any = _Reading(sounds.failed, notes)
    step = max(each.last_step for each in scored)
    metrics = record_fit(fit, heard_as, reading, run.observers, start, step, **more)
    if not heard.tested:
        return metrics
    X = trained.embeddings(sounds, heard.tested, run.device)
    predicted, _ = predict(trained, X, heard.labels(heard.tested))
    accuracy = float(np.mean(predicted == heard.labels(heard.tested)))
    return metrics | record_test(run.folder / "probe.ckpt", accuracy, predicted, heard_as, run.observers)


@dataclass(frozen=True)
class _Reading:
    """Stand-in for `Extraction`, with the fields that a run records."""

    failed: dict[str, str]
    notes: list[str]
    profile: dict[str, float] = field(default_factory=dict)


def clip_passes(run: TrainingRun, parts: Sequence[Part], trainings: Iterable[tuple[int, int]], n_clips: int) -> int:
    """Return the cost of a run in passes of one clip through the frontend, without those of validation.

    A step counts three passes for each clip, because the backward pass needs about twice the operations of the forward
    pass; with a frozen frontend it counts one. Without random changes, a frozen frontend computes each clip of a part
    once for all steps.

    Args:
        run: Training run.
        parts: Parts of the data, each with its own network.
        trainings: Number of training clips and number of steps of each training.
        n_clips: Number of clips that were read, each of which is computed once more at the end.
    """
    if run.module.head_only and not run.module.changes_clips:
        return sum(len(part.clips) for part in parts) + n_clips
    size = clips_in_a_batch(run.datamodule.batch_size)
    in_steps = sum(n_steps * min(size * run.n_processes, n_trained) for n_trained, n_steps in trainings)
    return (1 if run.module.head_only else 3) * in_steps + n_clips
