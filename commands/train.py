"""`untrained train`, by LightningCLI: a frontend and a head are trained end to end."""

import copy
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytorch_lightning import Trainer
from pytorch_lightning.cli import ArgsType, LightningArgumentParser

from ..embeddings.extract import refuse_broken
from ..embeddings.processes import leave_process_group
from ..embeddings.writer import refuse_more_devices_than_clips
from ..files import as_yaml, plain
from ..parsing import load_names, trainer_defaults
from ..probes.observers import Observers
from ..probes.record import format_arguments, mark_latest, read_metrics
from ..probes.tensorboard import forget_run
from ..registry import DATAMODULES, FRONTENDS
from ..terminal import console
from ..training.fitting import PROGRESS, checks_of_validation, refuse_odd_budget
from ..training.module import EndToEnd
from ..training.processes import wait_for_all
from ..training.resuming import place_checkpoint
from ..training.run import BUDGET, TrainingRun, is_done, training_key
from ..training.stages import train_run
from .dispatch import begin, refuse_several_checkpoints, run_with_argv
from .lightning import PluginCLI, parsers_of, percent
from .words import names_first


def run(argv: list[str]) -> int:
    """Train.

    Args:
        argv: Command line that begins with `train`.

    Returns:
        Exit status.

    Raises:
        UsageError: The command line is invalid.
    """
    refuse_several_checkpoints(argv)
    load_names((FRONTENDS, DATAMODULES))
    begin()
    words = names_first(argv)
    run_with_argv(lambda: TrainCLI(words[1:]).train(), words)
    return 0


class TrainCLI(PluginCLI):
    """LightningCLI for `EndToEnd` and the registered plug-ins.

    Args:
        words: Command line without `train`.
    """

    model: EndToEnd

    def __init__(self, words: list[str] | None = None) -> None:
        defaults = {
            **trainer_defaults(),
            "enable_checkpointing": None,
            "gradient_clip_val": 1.0,
            "log_every_n_steps": 10,
            "num_sanity_val_steps": 0,
            "use_distributed_sampler": False,  # the data shares clips among processes itself
        }
        super().__init__(EndToEnd, defaults, words or [])

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the arguments that belong to no class."""
        help = "Checkpoint (last.ckpt) to resume from. Not needed if you repeat the same command."
        parser.add_argument("--ckpt_path", type=str | None, default=None, help=help)
        parser.add_argument("--force", action="store_true", help="Repeat the training even if the run is complete.")

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """Parse the command line, and raise an error for options with which nothing would be trained."""
        super().parse_arguments(parser, args)
        refuse_odd_budget(self.options.trainer)

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """Create a trainer that only provides the devices; each training has its own trainer."""
        given = self._get(self.config_init, "trainer")
        self._observers = Observers.of(given.logger, given.callbacks)
        return self._make_trainer(logger=False, callbacks=[], enable_checkpointing=False, **kwargs)

    def train(self) -> None:
        """Train, record the result and print it."""
        module, datamodule, options = self.model, self.datamodule, self.options
        datamodule.require_classes()
        refuse_more_devices_than_clips(self.trainer, datamodule)
        if datamodule.on_error == "raise":
            refuse_broken(datamodule, datamodule.listed)
        key = training_key(module, datamodule, self._decisive(), str(self.trainer.precision))
        folder = self.root / key.folder
        is_first = self.trainer.is_global_zero
        if is_first and options.ckpt_path:
            place_checkpoint(
                Path(options.ckpt_path),
                module,
                key,
                folder,
                is_complete=lambda found: is_done(found, key, datamodule),
                say=console(sys.stderr).print,
            )
        if not options.force and is_done(folder, key, datamodule):  # all processes end here, or none
            if is_first:
                text = f"{_scores(read_metrics(folder))}\nrun is already complete; pass --force to repeat it"
                self.console.print(f"{text}\n-> {folder}")
            return
        if is_first and options.force and not options.ckpt_path:
            (folder / PROGRESS).unlink(missing_ok=True)
            forget_run(folder)
        metrics = train_run(
            TrainingRun(
                module=module,
                datamodule=datamodule,
                key=key,
                folder=folder,
                config=as_yaml({**self.as_plain(), "force": False, "ckpt_path": None}, literal=True),
                make_trainer=self._make_trainer,
                observers=self._observers,
                is_first=is_first,
                n_processes=self.trainer.world_size,
                device=self.trainer.strategy.root_device,
                say=console(sys.stderr).print,
                wait=lambda: wait_for_all(self.trainer),
                stores=self.root / "embeddings",
                force=options.force,
            )
        )
        leave_process_group()
        if not is_first:
            return
        self._observers.close()
        mark_latest(folder)
        self.console.print(
            f"{_scores(metrics)} ({metrics['protocol']}; {format_arguments(metrics['best_candidate'])}; step "
            f"{metrics['best_step']}) in {metrics['seconds']} s\n-> {folder}"
        )

    def _make_trainer(self, **given: Any) -> Trainer:
        """Return a trainer with the options of the command line, the budget and the given options."""
        options = {**self._get(self.config_init, "trainer"), **self._budget(), **given}
        return Trainer(**options)

    def _budget(self) -> dict[str, Any]:
        """Return the budget and the interval of validation, by default those of this command."""
        options = self.options.trainer
        max_steps = options.max_steps
        if max_steps == -1 and options.max_epochs is None:
            max_steps = BUDGET
        checks = {}
        if options.val_check_interval is None and options.check_val_every_n_epoch == 1:
            checks = checks_of_validation(max_steps, options.accumulate_grad_batches)
        return {"max_steps": max_steps, "max_epochs": options.max_epochs, **checks}

    def _decisive(self) -> Mapping[str, Any]:
        """Return the options of the trainer that differ from Lightning's, as plain values, devices as numbers."""
        options = copy.deepcopy(self.as_plain()["trainer"]) | {"max_steps": self._budget()["max_steps"]}
        defaults = self.parser.get_defaults().trainer
        found = {name: value for name, value in options.items() if plain(value) != plain(defaults.get(name))}
        for name in ("devices", "num_nodes"):
            found.pop(name, None)
        found |= {"gradient_clip_val": options["gradient_clip_val"], "max_steps": options["max_steps"]}
        return found | ({"devices": self.trainer.world_size} if self.trainer.world_size > 1 else {})


def train_parser() -> LightningArgumentParser:
    """Return the parser of the command, without parsing a command line."""
    return parsers_of(TrainCLI)[0]


def _scores(metrics: Mapping[str, Any]) -> str:
    names = (f"{kind}/accuracy" for kind in ("cv", "val", "test"))
    return ", ".join(percent(name, metrics) for name in names if name in metrics)
