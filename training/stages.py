"""Execution of `untrained train`: each part of the data with each learning rate, and the record of the run."""

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from ..backends.guard import FailedCandidate
from ..datamodules import Clip
from ..errors import TrainingError
from ..files import locked, plain
from ..probes.stages import start_folder
from .checkpoints import BEST, LAST
from .data import TrainingData, refuse_small
from .embedded import Embedded
from .fitting import (
    Ended,
    Progress,
    forget_checkpoints,
    read_best,
    train_once,
)
from .module import EndToEnd, calibrated, rates_as_text
from .outcome import Heard, Scored, Trained, best_of, predict
from .parts import Part, parts_of
from .recording import clip_passes, record
from .represented import Represented, can_represent
from .run import TrainingRun
from .sounds import Sounds

Make = Callable[[float], EndToEnd]
"""Function that creates the module of a part of the data for a learning rate."""


@dataclass(frozen=True)
class _Training:
    """One training run: a part of the data with a learning rate."""

    name: str
    part: Part
    rate: float
    folder: Path


class _Model(NamedTuple):
    """What the trainings of one part of the data share.

    Args:
        make: Function that creates the module for a learning rate.
        source: Waveforms of the clips, their representations, or their embeddings by a frozen frontend.
    """

    make: Make
    source: Sounds | Embedded | Represented


def train_run(run: TrainingRun) -> dict[str, Any]:
    """Train, or resume an interrupted run, and record the outcome.

    Args:
        run: Run to execute.

    Returns:
        The metrics of the run, with those of the test split if there is one; empty in all processes but the first.

    Raises:
        AudioError: A clip cannot be read and the datamodule has `on_error="raise"`.
        DataError: There are too few clips to train or to validate on.
        TrainingError: The loss of every learning rate is not finite.
    """
    start = time.perf_counter()
    _parts(run, run.datamodule.listed)  # raises before anything is read
    say = run.say if run.is_first else lambda text: None
    module = run.module
    sounds = run.sounds or Sounds(
        run.datamodule,
        module.frontend.sample_rate,
        stores=run.stores,
        say=say,
        writes=run.is_first,
        random_crop=module.random_crop,
        force=run.force,
    )
    parts = _parts(run, sounds.clips)
    with locked(run.folder, "use another --trainer.default_root_dir") if run.is_first else contextlib.nullcontext():
        return _train_parts(run, sounds, parts, start)


def _parts(run: TrainingRun, clips: Sequence[Clip]) -> list[Part]:
    """Return the parts of a data set; raise if one of them is too small."""
    parts = parts_of(clips, run.datamodule.seed)
    for part in parts:
        refuse_small(part, run.datamodule.batch_size, run.n_processes)
    return parts


def _train_parts(run: TrainingRun, sounds: Sounds, parts: list[Part], start: float) -> dict[str, Any]:
    """Train each part with each learning rate, and record the outcome."""
    trainings, heard = _trainings(run, parts), Heard(sounds)
    models = {part.name: _model(run, sounds, part, heard, alone=len(trainings) == 1) for part in parts}
    progress = Progress(run.folder, run.key.identity)
    if run.is_first:
        _begin(run, progress, trainings)
    run.wait()  # from here on, all processes read what the first has left in the folder
    for training in trainings:
        if training.name not in progress.ended():
            outcome = _train(run, training, models[training.part.name], heard)
            if run.is_first:
                progress.add(training.name, outcome)
    if not run.is_first:
        return {}
    ended = progress.ended()
    scored = [
        _scored(run, [each for each in trainings if each.part is part], ended, models[part.name].make, sounds, heard)
        for part in parts
    ]
    n_steps = [(len(each.part.train), ended[each.name].last_step) for each in trainings]
    metrics = record(run, scored, sounds, heard, start, clip_passes(run, parts, n_steps, len(sounds.clips)))
    _tidy(run, [each for each in trainings if each.part is parts[-1]][scored[-1].chosen])
    progress.end()
    return metrics


def _trainings(run: TrainingRun, parts: list[Part]) -> list[_Training]:
    rates = run.module.learning_rates
    found = [(_name(part, rate), part, rate) for part in parts for rate in rates]
    alone = len(found) == 1
    return [
        _Training(name, part, rate, run.folder if alone else run.folder / "trainings" / name)
        for name, part, rate in found
    ]


def _name(part: Part, rate: float) -> str:
    return f"{part.name}-{rate!r}"  # all digits, so that names of close learning rates differ


def _begin(run: TrainingRun, progress: Progress, trainings: list[_Training]) -> None:
    """Report where an interrupted run resumes; otherwise remove the files of an earlier run."""
    ended = progress.ended()
    if not progress.is_of_this_run:
        forget_checkpoints(run.folder)
        start_folder(run.folder, run.config)
        progress.start()
        return
    current = next((each for each in trainings if each.name not in ended), None)
    if current is not None and (current.folder / LAST).is_file():
        epoch = torch.load(current.folder / LAST, map_location="cpu", weights_only=True)["epoch"]
        what = f", training run {len(ended) + 1} of {len(trainings)}" if len(trainings) > 1 else ""
        run.say(f"resuming after epoch {epoch + 1}{what} -> {run.folder}")
    elif ended:
        run.say(f"resuming after {len(ended)} of {len(trainings)} training runs -> {run.folder}")


def _model(run: TrainingRun, sounds: Sounds, part: Part, heard: Heard, *, alone: bool) -> _Model:
    """Return what the trainings of a part share; the part is calibrated once."""
    frontend = calibrated(run.module.frontend, _data(run, sounds, part, heard), run.device)

    reads_embeddings = run.module.head_only and not run.module.changes_clips
    changes = run.module.changes_clips
    reads_representations = not changes and not reads_embeddings and can_represent(frontend, sounds, run.device)

    def make(rate: float) -> EndToEnd:
        module = run.module.with_rate(rate, frontend)
        network = module.build(heard.n_learned)
        network.reads_embeddings, network.reads_representations = reads_embeddings, reads_representations
        module.about = {
            "identity": run.key.identity,
            "key": json.dumps(plain(run.key.fields)),
            "training": _name(part, rate),
            "alone": alone,
        }
        return module

    if reads_representations:
        return _Model(make, Represented(sounds, frontend))
    if not reads_embeddings:
        return _Model(make, sounds)
    return _Model(make, Embedded(sounds, make(run.module.learning_rates[0]).frontend, part.clips, run.device))


def _data(run: TrainingRun, source: Sounds | Embedded | Represented, part: Part, heard: Heard) -> TrainingData:
    names = heard.class_names[: heard.n_learned]
    return TrainingData(
        source,
        part,
        names,
        seed=run.module.seed,
        batch_size=run.datamodule.batch_size,
        num_workers=run.datamodule.num_workers,
    )


def _train(run: TrainingRun, training: _Training, model: _Model, heard: Heard) -> Ended:
    """Train once; with several learning rates, one that fails is skipped with a note."""
    data = _data(run, model.source, training.part, heard)
    try:
        return train_once(
            model.make(training.rate),
            data,
            run.make_trainer,
            training.folder,
            run.observers.callbacks,
            run.observers.loggers,
            scores_first_epoch=run.scores_first_epoch,
        )
    except TrainingError as error:
        if len(run.module.learning_rates) == 1 or run.n_processes > 1:  # Lightning has ended the other processes
            raise
        run.say(f"note: learning rate {training.rate:g} failed and is skipped: {error}")
        return Ended(failed=str(error))


def _scored(
    run: TrainingRun, trainings: list[_Training], ended: dict[str, Ended], make: Make, sounds: Sounds, heard: Heard
) -> Scored:
    """Choose the learning rate of a part by its validation clips, and predict the clips that are scored."""
    part = trainings[0].part
    results = [ended[training.name] for training in trainings]
    if all(each.failed for each in results):
        rates = rates_as_text([training.rate for training in trainings])
        raise TrainingError(
            f"training failed with every learning rate ({rates}); the last error was: {results[-1].failed}"
        )
    accuracies: list[float] = []
    found: list[Any] = []
    y = heard.labels(part.validation)
    for training, result in zip(trainings, results, strict=True):
        if result.failed:
            accuracies.append(float("nan"))
            found.append(None)
            continue
        trained = Trained.of(make(training.rate), read_best(training.folder)["state_dict"], heard.n_learned)
        predicted, held_out = predict(trained, trained.embeddings(sounds, part.validation, run.device), y)
        accuracies.append(float(np.mean(predicted == y)))
        found.append((trained, predicted, held_out))
    chosen = best_of(accuracies, [each.loss for each in results])
    trained, predicted, held_out = found[chosen]
    clips = part.validation
    if part.scored:
        clips = part.scored
        X = trained.embeddings(sounds, clips, run.device)
        predicted, held_out = predict(trained, X, heard.labels(clips))
    failed = [
        FailedCandidate({"learning_rate": training.rate}, result.failed)
        for training, result in zip(trainings, results, strict=True)
        if result.failed
    ]
    best = results[chosen]
    steps = (best.step, best.last_step)
    return Scored(
        part, accuracies, chosen, trained, *steps, clips, predicted, held_out, failed, first_epoch=best.first_epoch
    )


def _tidy(run: TrainingRun, final: _Training) -> None:
    """Delete all checkpoints except the last one of the saved network."""
    kept = run.folder / LAST
    if final.folder != run.folder and (final.folder / LAST).is_file():
        shutil.copyfile(final.folder / LAST, kept)
    for name in (BEST, LAST):
        for path in run.folder.rglob(name):
            if path != kept:
                path.unlink()
