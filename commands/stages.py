"""`untrained predict`, `fit` and `test`, based on LightningCLI."""

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jsonargparse import Namespace
from pytorch_lightning import Trainer
from pytorch_lightning.cli import ArgsType, LightningArgumentParser

from ..backends import Backend
from ..backends.guard import refuse_odd_candidates
from ..datamodules import AudioDataModule
from ..embeddings.extract import extract
from ..embeddings.outcome import Extraction
from ..embeddings.processes import leave_process_group
from ..embeddings.provenance import embedding_fields, precision_field
from ..errors import CheckpointError, UsageError
from ..files import as_yaml, plain
from ..parsing import ABOUT_TRUST, Types, add_extraction_arguments, load_names, trainer_defaults
from ..probes import checkpoint
from ..probes.extraction import extract_all, prepared
from ..probes.fitted import FittedProbe, load_probe
from ..probes.guard import refuse_learned, refuse_other_classes
from ..probes.observers import Observers
from ..probes.origin import name_weights
from ..probes.probe import Probe
from ..probes.record import RANDOM, find_checkpoint, format_arguments, mark_latest, write_request
from ..probes.run import Run
from ..probes.stages import fit_run, test_run
from ..probes.tensorboard import named_profile
from ..probes.trainer import refuse_unused
from ..terminal import console
from .config import bundled_studies, configs_in
from .dispatch import begin, refuse_several_checkpoints, run_with_argv
from .lightning import PluginCLI, parsers_of, percent
from .words import names_first, refuse_without_effect

_SET_BY_US = {"model", "datamodule", "weights_only"}  # arguments of every trainer method


def run(argv: list[str]) -> int:
    """Run a stage.

    Args:
        argv: Command line that begins with the name of the stage.

    Returns:
        Exit status.

    Raises:
        UsageError: The configuration is a study, or the command line is invalid.
    """
    for _, _, config in configs_in(argv):
        if config in bundled_studies() and not Path(config).is_file():
            raise UsageError(f"--config {config}: this is a study; run it with untrained compare {config}")
    refuse_several_checkpoints(argv)
    refuse_without_effect(argv)
    load_names()
    begin()
    run_with_argv(ProbeCLI, names_first(argv))
    return 0


class ProbeCLI(PluginCLI):
    """LightningCLI for `Probe` and the registered plug-ins; it reads the command line from `sys.argv`."""

    model: Probe

    def __init__(self) -> None:
        super().__init__(Probe, trainer_defaults())

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """Return the stages, each with the arguments of the trainer's method that are not options."""
        return {
            "predict": {*_SET_BY_US, "dataloaders", "return_predictions", "ckpt_path"},
            "fit": {*_SET_BY_US, "train_dataloaders", "val_dataloaders", "ckpt_path"},
            "test": {*_SET_BY_US, "dataloaders", "verbose"},
        }

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the options that do not belong to a class."""
        add_extraction_arguments(parser)
        parser.add_argument("--trust", type=Types, default=[], help=f"{ABOUT_TRUST} For test only.")

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """Parse the command line, and raise an error before anything is built if the stage cannot use it."""
        super().parse_arguments(parser, args)
        options = self.options
        refuse_unused(options.trainer)
        if options.trust and self.config.subcommand != "test":
            raise UsageError("--trust has no effect: only test and classify read a checkpoint; leave it out")
        if self.config.subcommand == "test":
            if not options.ckpt_path:
                raise UsageError("test needs a checkpoint written by fit: --ckpt_path RUN/probe.ckpt")
            options.ckpt_path = str(find_checkpoint(Path(options.ckpt_path)))
            checkpoint.read(options.ckpt_path)  # raises before anything is built
            self._given = parser.parse_args(defaults=False)[self.config.subcommand].get("model", {})

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Build the trainer that extracts embeddings, with the loggers that the user has named."""
        given = self._get(self.config_init, "trainer")
        self._observers = Observers.of(given.logger, given.callbacks)
        return super().instantiate_trainer(logger=self._observers.loggers or False, **kwargs)

    def predict(self, model: Probe, datamodule: AudioDataModule) -> None:
        """Extract missing embeddings."""
        extraction = self._extract(prepared(model, datamodule), extract)
        if not self.trainer.is_global_zero:
            return
        write_request(extraction.store.folder, self.as_plain())
        if self._observers.loggers:
            profile = named_profile(extraction.profile)
            self._observers.log(lambda logger: logger.log_metrics(profile, step=0), self.root)
            self._observers.close()

    def fit(self, model: Probe, datamodule: AudioDataModule) -> None:
        """Extract missing embeddings, tune and fit the backend, and log and save the result."""
        text = as_yaml({**self.as_plain(), "force": False}, literal=True)
        refuse_odd_candidates(model.require_backend())
        model = self.model = prepared(model, datamodule)
        model.goes_by_batches(sum(clip.split != "test" for clip in datamodule.listed))  # raises before the extraction
        precision = precision_field(str(self.trainer.precision), model)
        fields = embedding_fields(model.require_frontend(), datamodule, precision)
        run = Run.of(model, datamodule, self.root, fields, text)
        extraction = self._extract(model)
        if not self.trainer.is_global_zero:
            return
        metrics = fit_run(run, extraction, self._observers)
        self._observers.close()
        mark_latest(run.folder)
        selection = model.require_selection()
        optimistic = ", selected on the clips that are scored" if selection.selected_on_test else ""
        chosen = "; ".join(filter(None, [selection.protocol + optimistic, format_arguments(metrics["best_candidate"])]))
        self.console.print(
            f"{percent(selection.score_name, metrics)} ({chosen}) in {metrics['seconds']} s\n-> {run.folder}"
        )

    def test(self, model: Probe, datamodule: AudioDataModule, ckpt_path: str) -> None:
        """Score a fitted probe on the test split."""
        folder = Path(ckpt_path).parent
        fitted = load_probe(ckpt_path, self.options.trust)
        _refuse_differences(Path(ckpt_path), fitted, model, datamodule, self._given)
        if not any(clip.split == "test" for clip in datamodule.listed):
            raise UsageError(
                f"{datamodule.dataset_name} has no test split: fit has already reported cv/accuracy, "
                f"in {folder}/metrics.json"
            )
        self.model = fitted.probe
        extraction = self._extract(fitted.probe)
        if self.trainer.is_global_zero:
            refuse_learned(Path(ckpt_path), fitted.recipe, extraction.store, datamodule)
            scores = test_run(Path(ckpt_path), fitted.probe, datamodule, extraction, fitted.classes, self._observers)
            self._observers.close()
            self.console.print(f"{percent('test/accuracy', scores)}\n-> {folder}")

    def _extract(self, probe: Probe, extract: Callable[..., Extraction] = extract_all) -> Extraction:
        """Extract on all devices, print a summary, and then let each process continue without the others."""
        options = self.options
        folder = Path(options.embeddings) if options.embeddings else self.root / "embeddings"
        writing = {name: options[name] for name in ("force", "flush_every", "flush_seconds")}
        say = functools.cache(console(sys.stderr).print)  # a run may extract several times
        extraction = extract(probe, self.datamodule, self.trainer, folder, **writing, say=say)
        leave_process_group()
        if self.trainer.is_global_zero:
            self.console.print(str(extraction))
        return extraction


def stage_parsers() -> dict[str, LightningArgumentParser]:
    """Return the parsers of the stages by name, without parsing a command line."""
    return dict(zip(ProbeCLI.subcommands(), parsers_of(ProbeCLI), strict=True))


def _has_backend(fitted: FittedProbe, backend: Backend) -> bool:
    """Return whether the backend of a checkpoint is this backend with one of its candidates."""
    stored: Any = getattr(fitted.backend, "backend", fitted.backend)
    wanted = plain(stored.get_params(deep=False))
    return type(stored) is type(backend) and any(
        plain(backend.with_candidate(candidate).get_params(deep=False)) == wanted for candidate in backend.candidates()
    )


def _source_of(option: str, typed: str = "") -> str:
    """Return the source of an option for messages: the command line or the configuration file.

    Args:
        option: Name of the option.
        typed: Text for an option of the command line; by default its name.
    """
    is_typed = any(word.split("=")[0] == option or word.startswith(f"{option}.") for word in sys.argv)
    files = [name for _, _, name in configs_in(sys.argv)]
    return typed or option if is_typed or not files else f"{option} of {', '.join(files)}" if not typed else files[-1]


def _refuse_differences(
    path: Path, fitted: FittedProbe, model: Probe, datamodule: AudioDataModule, given: Namespace
) -> None:
    """Raise if a command line contradicts the checkpoint; `given` holds its model options."""
    recipe = fitted.recipe

    def refuse(field: str, stored: Any, given: Any, remedy: str) -> None:
        if stored != given:
            source = _source_of(field, "the command line")
            raise CheckpointError(f"{path} has {field}={stored!r}, but {source} has {given!r}; {remedy}")

    datamodule.require_classes()
    if datamodule.on_error == "raise":  # with `skip`, all clips of a class may be skipped
        refuse_other_classes(datamodule.listed, recipe.class_names)
    if model.backend is not None and not _has_backend(fitted, model.backend):
        raise CheckpointError(
            f"{_source_of('--model.backend')} does not match checkpoint {path}, which contains {fitted.backend}; "
            "remove the option, because test uses the backend of the checkpoint"
        )
    if model.frontend is not None:
        name, arguments = checkpoint.name_frontend(model.frontend)
        leave_out = "leave out --model.frontend, which comes from the checkpoint"
        refuse("--model.frontend", recipe.frontend, name, leave_out)
        init_args = given.frontend.get("init_args")
        for key in vars(init_args) if init_args else ():
            refuse(f"--model.frontend.{key}", recipe.frontend_arguments.get(key), plain(arguments.get(key)), leave_out)
    if "calibrate" in given:
        refuse("--model.calibrate", bool(recipe.calibration), model.calibrate, "leave it out")
    if model.weights != RANDOM and (model.frontend is None or model.weights_name != name_weights(fitted.frontend)):
        raise CheckpointError(f"{path} has other weights than {_source_of('--model.weights')}; leave it out")
    for key in ("init", "layers", "pooling", "standardize", "tf32"):
        if key in given:
            refuse(f"--model.{key}", getattr(recipe, key), getattr(model, key), "leave it out")
    n_samples = datamodule.samples_at(recipe.sample_rate)
    refuse("--data.n_samples", recipe.n_samples, n_samples, f"add --data.n_samples {recipe.n_samples}")
    refuse("--data.fit_length", recipe.fit_length, datamodule.fit_length, f"add --data.fit_length {recipe.fit_length}")
