"""`untrained predict`, `fit` and `test`, based on LightningCLI."""

import contextlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import Namespace
from pytorch_lightning import Trainer
from pytorch_lightning.cli import ArgsType, LightningArgumentParser, LightningCLI

from ..backends import Backend
from ..backends.guard import refuse_odd_candidates
from ..datamodules import AudioDataModule
from ..embeddings.extract import extract
from ..embeddings.outcome import Extraction
from ..embeddings.processes import leave_process_group
from ..embeddings.provenance import embedding_fields, precision_field
from ..errors import CheckpointError, UntrainedError, UsageError
from ..files import as_yaml, plain
from ..parsing import ABOUT_TRUST, Parser, Types, add_extraction_arguments, load_names, root_cause, trainer_defaults
from ..probes import checkpoint
from ..probes.extraction import extract_all, prepared
from ..probes.fitted import FittedProbe, load_probe
from ..probes.guard import refuse_learned
from ..probes.observers import Observers
from ..probes.origin import RANDOM, name_weights
from ..probes.probe import Probe
from ..probes.record import find_checkpoint, format_arguments, mark_latest, write_request
from ..probes.run import Run
from ..probes.stages import fit_run, refuse_other_classes, test_run
from ..probes.tensorboard import named_profile
from ..probes.trainer import refuse_unused
from ..terminal import console
from .config import bundled_studies, configs_in
from .dispatch import begin, refuse_several_checkpoints, run_with_argv
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


class StageParser(Parser, LightningArgumentParser):
    """Parser of a stage: combines our names and error messages with Lightning's arguments of a trainer."""


class ProbeCLI(LightningCLI):
    """LightningCLI for `Probe` and the registered plug-ins; it reads the command line from `sys.argv`."""

    config: Namespace
    model: Probe
    datamodule: AudioDataModule
    trainer: Trainer

    def __init__(self) -> None:
        self._console = console()
        super().__init__(
            Probe,
            AudioDataModule,
            subclass_mode_data=True,
            save_config_callback=None,
            seed_everything_default=False,
            auto_configure_optimizers=False,
            parser_class=StageParser,
            parser_kwargs={"parser_mode": "omegaconf+", "prog": "untrained"},
            trainer_defaults=trainer_defaults(),
        )

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
        options = self.config[self.config.subcommand]
        if options.get("data") is None:
            raise UsageError(
                "no data: give --data folder --data.root DIR, or another data set of `untrained list datamodules`"
            )
        refuse_unused(options.trainer)
        if options.trust and self.config.subcommand != "test":
            raise UsageError("--trust has no effect: only test and classify read a checkpoint; leave it out")
        if self.config.subcommand == "test":
            if not options.ckpt_path:
                raise UsageError("test needs the checkpoint that fit has written: --ckpt_path RUN/probe.ckpt")
            options.ckpt_path = str(find_checkpoint(Path(options.ckpt_path)))
            checkpoint.read(options.ckpt_path)  # raises before anything is built
            self._given = parser.parse_args(defaults=False)[self.config.subcommand].get("model", {})

    def instantiate_classes(self) -> None:
        """Build frontend, backend, data and trainer; an argument that they reject is a user error."""
        try:
            super().instantiate_classes()
        except (UntrainedError, OSError):
            raise
        except Exception as error:  # a plug-in may raise anything
            raise UsageError(root_cause(error)) from error

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
        write_request(extraction.store.folder, self._as_plain())
        if self._observers.loggers:
            profile = named_profile(extraction.profile)
            self._observers.log(lambda logger: logger.log_metrics(profile, step=0), self._root)
            self._observers.close()

    def fit(self, model: Probe, datamodule: AudioDataModule) -> None:
        """Extract missing embeddings, tune and fit the backend, and log and save the result."""
        text = as_yaml({**self._as_plain(), "force": False}, literal=True)
        refuse_odd_candidates(model.require_backend())
        model = self.model = prepared(model, datamodule)
        precision = precision_field(str(self.trainer.precision), model)
        fields = embedding_fields(model.require_frontend(), datamodule, precision)
        run = Run.of(model, datamodule, self._root, fields, text)
        extraction = self._extract(model)
        if not self.trainer.is_global_zero:
            return
        metrics = fit_run(run, extraction, self._observers)
        self._observers.close()
        mark_latest(run.folder)
        selection = model.require_selection()
        optimistic = ", selected on the clips that are scored" if selection.selected_on_test else ""
        self._console.print(
            f"{_percent(selection.score_name, metrics)} ({selection.protocol}{optimistic}; "
            f"{format_arguments(metrics['best_candidate'])}) in {metrics['seconds']} s\n-> {run.folder}"
        )

    def test(self, model: Probe, datamodule: AudioDataModule, ckpt_path: str) -> None:
        """Score a fitted probe on the test split."""
        folder = Path(ckpt_path).parent
        fitted = load_probe(ckpt_path, self.config[self.config.subcommand].trust)
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
            self._console.print(f"{_percent('test/accuracy', scores)}\n-> {folder}")

    def _as_plain(self) -> dict[str, Any]:
        """Return the configuration of this command as plain Python."""
        found: dict[str, Any] = yaml.safe_load(self.parser.dump(self.config, skip_unset=False))
        return dict(found[self.config.subcommand])

    @property
    def _root(self) -> Path:
        return Path(self.trainer.default_root_dir)

    def _extract(self, probe: Probe, extract: Callable[..., Extraction] = extract_all) -> Extraction:
        """Extract on all devices, print a summary, and then let each process continue without the others."""
        options = self.config[self.config.subcommand]
        folder = Path(options.embeddings) if options.embeddings else self._root / "embeddings"
        writing = {name: options[name] for name in ("force", "flush_every", "flush_seconds")}
        extraction = extract(probe, self.datamodule, self.trainer, folder, **writing, say=console(sys.stderr).print)
        leave_process_group()
        if self.trainer.is_global_zero:
            self._console.print(str(extraction))
        return extraction


def stage_parsers() -> dict[str, LightningArgumentParser]:
    """Return the parsers of the stages by name, without parsing a command line."""
    found: list[LightningArgumentParser] = []

    class ParsersOnly(ProbeCLI):
        """ProbeCLI that stops when its parsers are made, before the command line is parsed."""

        def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
            super().add_arguments_to_parser(parser)
            found.append(parser)

        def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
            raise _ParsersMadeError

    with contextlib.suppress(_ParsersMadeError):
        ParsersOnly()
    return dict(zip(ProbeCLI.subcommands(), found, strict=True))


class _ParsersMadeError(Exception):
    """Exception that ends `ParsersOnly` when its parsers are made."""


def _percent(name: str, scores: Mapping[str, Any]) -> str:
    """Return an accuracy with its confidence interval, in per cent."""
    low, high = (100 * scores[f"{name}_{end}"] for end in ("low", "high"))
    return f"{name} {100 * scores[name]:.2f} % [{low:.1f}, {high:.1f}]"


def _has_backend(fitted: FittedProbe, backend: Backend) -> bool:
    """Return whether the backend of a checkpoint is this backend with one of its candidates."""
    stored: Any = getattr(fitted.backend, "backend", fitted.backend)
    wanted = plain(stored.get_params(deep=False))
    return type(stored) is type(backend) and any(
        plain(backend.with_candidate(candidate).get_params(deep=False)) == wanted for candidate in backend.candidates()
    )


def _source_of(option: str, typed: str = "") -> str:
    """Return where an option was given: `typed` or its name if on the command line, else the configuration."""
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
            f"{path} holds another backend than {_source_of('--model.backend')}: {fitted.backend}; leave it out, "
            "because test uses the backend of the checkpoint"
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
