"""Shared code of the commands based on LightningCLI: parser, creation of plug-ins, display of scores."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import Namespace
from pytorch_lightning import LightningModule, Trainer
from pytorch_lightning.cli import ArgsType, LightningArgumentParser, LightningCLI

from ..datamodules import AudioDataModule
from ..errors import UntrainedError, UsageError
from ..parsing import Parser, root_cause
from ..registry import FRONTENDS
from ..terminal import console

_NO_DATA = "no data set given; use --data folder --data.root DIR, or a name from `untrained list datamodules`"


class StageParser(Parser, LightningArgumentParser):
    """LightningCLI parser that resolves plug-in names and raises `UsageError`."""


class PluginCLI(LightningCLI):
    """LightningCLI for a module and the registered datamodules.

    Args:
        module: Class of the module.
        defaults: Options of the trainer that differ from Lightning's.
        words: Command line of a command without stages; by default `sys.argv`, in which the command is a stage.
    """

    config: Namespace
    datamodule: AudioDataModule
    trainer: Trainer

    def __init__(self, module: type[LightningModule], defaults: dict[str, Any], words: list[str] | None = None) -> None:
        self.console = console()
        self._words = words
        super().__init__(
            module,
            AudioDataModule,
            subclass_mode_data=True,
            save_config_callback=None,
            seed_everything_default=False,
            auto_configure_optimizers=False,
            parser_class=StageParser,
            parser_kwargs={"parser_mode": "omegaconf+", "prog": "untrained"},
            trainer_defaults=defaults,
            run=words is None,
        )

    @property
    def options(self) -> Any:
        """Options of the command, or of its stage."""
        return self.config if self._words is not None else self.config[self.config.subcommand]

    def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
        """Parse the command line.

        Raises:
            UsageError: No data or no frontend is given.
        """
        if self._words is None:
            super().parse_arguments(parser, args)
        else:
            try:
                self.config = parser.parse_args(self._words)
            except UsageError as error:
                raise explained_lack(error) from error
        if self.options.get("data") is None:
            raise UsageError(_NO_DATA)

    def instantiate_classes(self) -> None:
        """Create the module, its plug-ins, the datamodule and the trainer.

        Raises:
            UsageError: One of them rejects its arguments.
        """
        try:
            super().instantiate_classes()
        except (UntrainedError, OSError):
            raise
        except Exception as error:  # a plug-in may raise anything
            raise UsageError(root_cause(error)) from error

    def as_plain(self) -> dict[str, Any]:
        """Return the configuration of this command as plain Python values."""
        found: dict[str, Any] = yaml.safe_load(self.parser.dump(self.config, skip_unset=False))
        return found if self._words is not None else dict(found[self.config.subcommand])

    @property
    def root(self) -> Path:
        """Folder of all results."""
        return Path(self.trainer.default_root_dir)


def explained_lack(error: UsageError) -> UsageError:
    """Return the error of a parser, or a clearer one if the data set or the frontend is missing.

    Args:
        error: Error of the parser.
    """
    _, _, lacking = str(error).partition("arguments are required: ")
    if lacking == "data":
        return UsageError(_NO_DATA)
    if "model.frontend" in lacking:
        names = ", ".join(FRONTENDS.names())
        return UsageError(f"no frontend was given: add --model.frontend, one of {names}")
    return error


def parsers_of(cli: type[PluginCLI]) -> list[LightningArgumentParser]:
    """Return the parsers of a command line, one for each stage, without parsing anything."""
    found: list[LightningArgumentParser] = []

    class ParsersOnly(cli):  # type: ignore[valid-type, misc]
        """Command line that ends when its parsers are created, before it is parsed."""

        def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
            super().add_arguments_to_parser(parser)
            found.append(parser)

        def parse_arguments(self, parser: LightningArgumentParser, args: ArgsType) -> None:
            raise _ParsersMadeError

    with contextlib.suppress(_ParsersMadeError):
        ParsersOnly()
    return found


class _ParsersMadeError(Exception):
    """Signal that the parsers are created, which ends `ParsersOnly`."""


def percent(name: str, scores: Mapping[str, Any]) -> str:
    """Return an accuracy with its confidence interval, in per cent."""
    low, high = (100 * scores[f"{name}_{end}"] for end in ("low", "high"))
    return f"{name} {100 * scores[name]:.2f} % [{low:.1f}, {high:.1f}]"
