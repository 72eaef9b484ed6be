"""Trained networks in a study, beside random ones: the recipe, and the training runs that a study plans."""

import copy
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from jsonargparse import Namespace
from pytorch_lightning import Trainer

from ..datamodules import AudioDataModule
from ..errors import UntrainedError, UsageError
from ..files import as_yaml, plain
from ..frontends import Frontend
from ..frontends.weights import undrawn
from ..parsing import Parser
from ..probes.origin import refuse_calibration
from ..probes.record import ARMS, RANDOM
from ..probes.run import folder_of, frontend_label
from ..training.arguments import as_rates, refuse_odd_arguments
from ..training.data import BATCH
from ..training.heads import pooling_of
from ..training.jobs import TrainingJob
from ..training.module import EndToEnd
from ..training.parts import parts_of
from ..training.run import BUDGET, head_name, training_key
from .plugins import NO_VALUE, Part, Seeded
from .problems import Problem, attempt

RECIPE = ("head", "learning_rate", "weight_decay", "warmup", "betas", "circular_shift", "random_crop")
"""Arguments of `EndToEnd` that a recipe sets."""


def add_recipe(parser: Parser) -> None:
    """Add the section `training` to the parser of studies."""
    skip = {"frontend", "seed", "head_only", "init", "pooling"}
    parser.add_class_arguments(EndToEnd, "training", skip=skip, instantiate=False)
    parser.add_argument("--training.max_steps", type=int, default=BUDGET, help="Number of steps of a training run.")
    help = "Number of passes over the training clips, instead of steps."
    parser.add_argument("--training.max_epochs", type=int | None, default=None, help=help)
    parser.add_argument("--training.batch_size", type=int, default=BATCH, help="Number of clips in a batch.")
    help = "Maximum norm of the gradient; null for no limit."
    parser.add_argument("--training.gradient_clip_val", type=float | None, default=1.0, help=help)
    help = "Precision of training, such as bf16-mixed; frozen frontends keep that of the trainer."
    parser.add_argument("--training.precision", type=str, default="32-true", help=help)
    help = "Number of training runs that share a device, each in a process of its own."
    parser.add_argument("--training.jobs", type=int, default=1, help=help)


def arms_of(config: Namespace) -> list[str]:
    """Return the values of `model.weights` that are training runs."""
    return [weights for weights in config.model.weights or [] if weights in ARMS]


def recipe_problems(config: Namespace) -> list[Problem]:
    """Return the problems of the section `training`, if the study trains."""
    if config.get("model") is None or config.get("training") is None or not arms_of(config):
        return [] if config.get("training") is not None else [Problem("training", NO_VALUE)]
    recipe = config.training
    about_head = (recipe.head, recipe.weight_decay, recipe.warmup, tuple(recipe.betas), None, recipe.random_crop)
    found = [
        attempt("training", as_rates, recipe.learning_rate),
        attempt("training", refuse_odd_arguments, *about_head),
        attempt("training.precision", _trainer_of, recipe.precision),
    ]
    for name, least in (("max_steps", 1), ("max_epochs", 1), ("batch_size", 2), ("jobs", 1)):
        value = recipe[name]
        if isinstance(value, int) and value < least:
            found.append(Problem(f"training.{name}", f"{value}; expected {least} or more"))
    return [each for each in found if isinstance(each, Problem)]


def _trainer_of(precision: Any) -> Trainer:
    return Trainer(accelerator="cpu", precision=precision, logger=False, enable_checkpointing=False)


def trainings(
    config: Namespace,
    data: Sequence[Part[AudioDataModule]],
    seeded: Sequence[Seeded],
    notes: dict[str, None],
    root: Path,
) -> Iterator[tuple[Part[Frontend], TrainingJob]]:
    """Yield the training runs of a study, each with its frontend as the study names it.

    Training runs that are not possible are skipped and added to the notes.

    Args:
        config: Study, as its parser returns it.
        data: Data sets.
        seeded: Frontends for each seed.
        notes: Dictionary to which notes are added as keys.
        root: Folder of the study.
    """
    arms = arms_of(config)
    if arms:
        config.training.precision = str(_trainer_of(config.training.precision).precision)
        if config.protocol == "study":
            text = "note: the protocol `study` chooses candidates on the scored clips, and training does not, so that "
            notes[f"{text}their differences are not tested"] = None
    usable = [with_batches(part, config.training.batch_size) for part in data if arms and _is_usable(part, notes)]
    for parts, arm in itertools.product(seeded, arms):
        for frontend in parts.frontends:
            for module in _modules(frontend.made, config, arm, notes):
                for clips in usable:
                    rate, seconds = module.frontend.sample_rate, module.random_crop
                    if 0 < seconds * rate <= clips.made.samples_at(rate):
                        text = f"random_crop={seconds:g} is not longer than the clips of {clips.name}"
                        notes[f"skipped in this study: weights {arm!r}: {text}"] = None
                        continue
                    yield frontend, job_of(module, frontend, clips, config, root)


def _is_usable(part: Part[AudioDataModule], notes: dict[str, None]) -> bool:
    """Return whether a data set has clips to train and to validate on; otherwise add the reason to the notes."""
    try:
        parts_of(part.made.listed, part.made.seed)
    except UntrainedError as error:
        notes[f"skipped in this study: training on {part.name}: {error}"] = None
        return False
    return True


def with_batches(part: Part[AudioDataModule], batch_size: int) -> Part[AudioDataModule]:
    """Return a data set that is read in batches of a size."""
    datamodule = copy.copy(part.made)
    datamodule.batch_size = batch_size
    arguments = {**part.written.get("init_args", {}), "batch_size": batch_size}
    return part._replace(made=datamodule, written={**part.written, "init_args": arguments})


def _modules(frontend: Frontend, config: Namespace, arm: str, notes: dict[str, None]) -> Iterator[EndToEnd]:
    """Yield a module for each distribution of weights and each pooling of a study."""
    recipe = config.training
    poolings = [None] if pooling_of(recipe.head) or not frontend.has_maps else config.model.pooling
    inits = config.model.init if frontend.has_maps else [None]
    for init, pooling in itertools.product(inits, poolings):
        try:
            with undrawn():
                varied = frontend.with_options(init, pooling)
                yield EndToEnd(varied, **{name: recipe[name] for name in RECIPE}, head_only=arm == "linear")
        except ValueError as error:
            notes[f"skipped in this study: weights {arm!r}: {error}"] = None


def job_of(
    module: EndToEnd, frontend: Part[Frontend], clips: Part[AudioDataModule], config: Namespace, root: Path
) -> TrainingJob:
    """Return a training run of a study.

    Args:
        module: Module to train.
        frontend: Its frontend, as the study names it.
        clips: Data set.
        config: Study, as its parser returns it.
        root: Folder of the study.
    """
    recipe = config.training
    max_steps = recipe.max_steps if recipe.max_epochs is None else -1
    budget: dict[str, Any] = {"max_steps": max_steps, "gradient_clip_val": recipe.gradient_clip_val}
    if recipe.max_epochs is not None:
        budget["max_epochs"] = recipe.max_epochs
    key = training_key(module, clips.made, budget, recipe.precision)
    names = {"frontend": _label(module, config), "backend": head_name(module), "dataset": clips.name}
    key = replace(key, params={**key.params, **names}, folder=folder_of(names, key.folder.name))
    model = {"frontend": frontend.written, **{name: plain(recipe[name]) for name in RECIPE}}
    if module.frontend.has_maps:
        options = module.frontend.options
        model |= {"init": options.init, "pooling": None if pooling_of(module.head) else options.pooling}
    content = {
        "data": clips.written,
        "model": {**model, "head_only": module.head_only},
        "trainer": {**budget, "precision": recipe.precision},
    }
    trainer = {**budget, "precision": recipe.precision}
    text = as_yaml(plain(content), literal=True)
    stores = Path(config.embeddings or root.parent / "embeddings")
    return TrainingJob(module, clips.made, key, root / key.folder, text, trainer, stores)


def _label(module: EndToEnd, config: Namespace) -> str:
    """Return the name of a frontend, as its runs with random weights have it, so that both stand in one row."""
    options: Mapping[str, Any] = module.frontend.options._asdict()
    if pooling_of(module.head):
        options = {name: value for name, value in options.items() if name != "pooling"}
    is_calibrated = all(config.model.calibrate)
    try:
        refuse_calibration(module.frontend, RANDOM)
    except UsageError:  # it has nothing to calibrate
        is_calibrated = False
    return frontend_label(module.frontend, {**options, "calibrate": is_calibrated})
