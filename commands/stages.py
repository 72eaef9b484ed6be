"""`predict`, `fit` and `test` on the command line, by LightningCLI."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import Namespace
from pytorch_lightning import Trainer
from pytorch_lightning.cli import ArgsType, LightningArgumentParser, LightningCLI

from ..datamodules import AudioDataModule
from ..embeddings.provenance import describe as describe_embeddings
from ..errors import CheckpointError, UntrainedError, UsageError
from ..parsing import Parser, Types, root_cause
from ..plain import plain
from ..probes import checkpoint, stages, trained
from ..probes.probe import Probe
from ..probes.run import Run, fit_run, test_run
from ..probes.stages import Extraction
from ..studies.plan import add_extraction_arguments, trainer_defaults
from ..studies.results import describe
from ..terminal import console

_MAIN_ARGUMENTS = {"model", "datamodule", "weights_only"}


class ProbeCLI(LightningCLI):
    """LightningCLI over `Probe` and the registered plug-ins; reads the command line from `sys.argv`."""

    config: Namespace
    model: Probe
    datamodule: AudioDataModule
    trainer: Trainer

    def __init__(self) -> None:
        self._recipe: checkpoint.Recipe | None = None
        self._parsers: list[LightningArgumentParser] = []  # of the stages, in their order
        self._console = console()
        super().__init__(
            Probe,
            AudioDataModule,
            subclass_mode_data=True,
            save_config_callback=None,
            seed_everything_default=False,
            auto_configure_optimizers=False,
            parser_class=Parser,
            parser_kwargs={"parser_mode": "omegaconf+", "prog": "untrained"},
            trainer_defaults=trainer_defaults(),
        )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """The stages, and which arguments of the trainer's methods are not for the command line."""
        return {
            "predict": {*_MAIN_ARGUMENTS, "dataloaders", "return_predictions", "ckpt_path"},
            "fit": {*_MAIN_ARGUMENTS, "train_dataloaders", "val_dataloaders", "ckpt_path"},
            "test": {*_MAIN_ARGUMENTS, "dataloaders", "verbose"},
        }

    @classmethod
    def parsers_of_stages(cls) -> dict[str, LightningArgumentParser]:
        """Parsers of the stages, for who reads no command line."""
        cli = cls.__new__(cls)
        cli.parse_arguments = _stop  # type: ignore[method-assign]
        with contextlib.suppress(_ParserMadeError):
            cli.__init__()  # type: ignore[misc]
        return dict(zip(cls.subcommands(), cli._parsers, strict=True))

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add what belongs to no class."""
        self._parsers.append(parser)
        add_extraction_arguments(parser)
        parser.add_argument(
            "--trust",
            type=Types,
            default=[],
            help="Types that a checkpoint's backend may name beside registered ones and what ours hold (test only).",
        )

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """Parse, and refuse what no stage could work with before anything is built."""
        super().parse_arguments(parser, args)
        options = self.config[self.config.subcommand]
        if options.get("data") is None:
            raise UsageError("no data: give --data folder --data.root DIR, or another of `untrained list datamodules`")
        if self.config.subcommand == "test":
            if not options.ckpt_path:
                raise UsageError("test needs the checkpoint that fit has written: --ckpt_path RUN/probe.ckpt")
            self._recipe, _ = checkpoint.read(options.ckpt_path)
            self._given = parser.parse_args(defaults=False)[self.config.subcommand].get("model", {})

    def instantiate_classes(self) -> None:
        """Build frontend, backend, data and trainer; their refusals are the user's to mend."""
        try:
            super().instantiate_classes()
        except (UntrainedError, OSError):
            raise
        except Exception as error:  # a plug-in may raise anything
            raise UsageError(root_cause(error)) from error

    def predict(self, model: Probe, datamodule: AudioDataModule) -> None:
        """Compute the embeddings that are missing."""
        self._report_extraction(self._extract(model))

    def fit(self, model: Probe, datamodule: AudioDataModule) -> None:
        """Compute what is missing, search and fit the backend, log and save it."""
        config = yaml.safe_load(self.parser.dump(self.config, skip_unset=False))[self.config.subcommand]
        text = yaml.safe_dump({**config, "force": False}, sort_keys=False)
        embeddings = describe_embeddings(model.require_frontend(), datamodule, str(self.trainer.precision))
        run = Run.of(model, datamodule, self._root, embeddings, text)
        extraction = self._extract(model)
        if not self.trainer.is_global_zero:
            return
        self._report_extraction(extraction)
        metrics = fit_run(run, extraction)
        selection = model.selection
        assert selection is not None
        optimistic = ", selected on the very clips it is of" if selection.selected_on_test else ""
        self._console.print(
            f"{_percent(selection.score_name, metrics)} ({selection.protocol}{optimistic}; "
            f"{describe(metrics['best_candidate'])}) in {metrics['seconds']} s\n-> {run.folder}"
        )

    def test(self, model: Probe, datamodule: AudioDataModule, ckpt_path: str) -> None:
        """Score a trained probe on the test split."""
        path = Path(ckpt_path)
        assert self._recipe is not None
        options = self.config[self.config.subcommand]
        probe, recipe = trained.load(path, options.trust)
        _refuse_differences(path, recipe, model, datamodule, self._given)
        if not any(clip.split == "test" for clip in datamodule.listed):
            raise UsageError(
                f"{datamodule.dataset_name} has no test split: fit has already reported cv/accuracy, "
                f"in {path.parent}/metrics.json"
            )
        self.model = probe
        extraction = self._extract(probe)
        if not self.trainer.is_global_zero:
            return
        self._report_extraction(extraction)
        scores = test_run(path.parent, probe, datamodule, extraction, recipe.class_names)
        self._console.print(f"{_percent('test/accuracy', scores)}\n-> {path.parent}")

    @property
    def _root(self) -> Path:
        return Path(self.trainer.default_root_dir)

    def _extract(self, probe: Probe) -> Extraction:
        options = self.config[self.config.subcommand]
        folder = Path(options.embeddings) if options.embeddings else self._root / "embeddings"
        writing = {name: options[name] for name in ("force", "flush_every", "flush_seconds")}
        extraction = stages.extract(probe, self.datamodule, self.trainer, folder, **writing)
        stages.leave_process_group()
        return extraction

    def _report_extraction(self, extraction: Extraction) -> None:
        if self.trainer.is_global_zero:
            self._console.print(str(extraction))


class _ParserMadeError(Exception):
    """Nothing more is wanted of a command line's making."""


def _stop(parser: LightningArgumentParser, args: ArgsType) -> None:
    raise _ParserMadeError


def _percent(name: str, scores: Mapping[str, Any]) -> str:
    """An accuracy with its interval."""
    low, high = (100 * scores[f"{name}_{end}"] for end in ("low", "high"))
    return f"{name} {100 * scores[name]:.2f} % [{low:.1f}, {high:.1f}]"


def _refuse_differences(
    path: Path, recipe: checkpoint.Recipe, model: Probe, datamodule: AudioDataModule, given: Namespace
) -> None:
    """Refuse a command line that asks for something else than the checkpoint holds; `given` are its model options."""

    def refuse(field: str, stored: Any, given: Any, remedy: str) -> None:
        if stored != given:
            raise CheckpointError(f"{path} has {field}={stored!r}, the command line {given!r}; {remedy}")

    trained.refuse_unknown_classes(datamodule, recipe.class_names)
    tested = [clip for clip in datamodule.listed if clip.split == "test"]
    seen = set(recipe.fitted_to).intersection(trained.fingerprints(datamodule, tested))
    if seen:
        raise CheckpointError(
            f"{path} was fitted to {len(seen)} of the {len(tested)} clips of this test split, so that the score would "
            "be of what it has learned; use the --data options of the fit, --data.seed and --data.folds among them"
        )
    if model.backend is not None:
        raise CheckpointError(f"{path} holds the backend that is tested; leave out --model.backend")
    if model.frontend is not None:
        name, arguments = checkpoint.name_frontend(model.frontend)
        leave_out = "leave out --model.frontend, which comes from the checkpoint"
        refuse("--model.frontend", recipe.frontend, name, leave_out)
        init_args = given.frontend.get("init_args")
        for key in vars(init_args) if init_args else ():
            refuse(f"--model.frontend.{key}", recipe.frontend_arguments.get(key), plain(arguments.get(key)), leave_out)
    for key in ("init", "layers", "pooling", "standardize"):
        if key in given:
            refuse(f"--model.{key}", getattr(recipe, key), getattr(model, key), "leave it out")
    refuse("--data.n_samples", recipe.n_samples, datamodule.n_samples, f"add --data.n_samples {recipe.n_samples}")
    refuse("--data.fit_length", recipe.fit_length, datamodule.fit_length, f"add --data.fit_length {recipe.fit_length}")
