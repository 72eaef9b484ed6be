"""`untrained compare`: run a study and write its report."""

import functools
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import Namespace
from pytorch_lightning import Callback, Trainer
from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities.exceptions import MisconfigurationException  # type: ignore[attr-defined]

from ..errors import UsageError
from ..files import as_yaml
from ..parsing import Parser, instantiate, load_names
from ..probes.observers import Observers
from ..probes.trainer import refuse_unused
from ..studies.estimate import dry_run
from ..studies.execute import execute
from ..studies.plan import plan, study_parser
from ..studies.rank_report.worth import read_worth
from ..terminal import console, hide_bars, say
from .config import bundled_studies, configs_in
from .dispatch import begin, run_with_argv
from .report import write_and_show
from .words import paths_as_text

_DEFAULT_STUDY = "synthetic"
_FLAGS = ("--open", "--force", "--dry_run")


def run(argv: list[str]) -> int:
    """Run a study and write its report.

    Args:
        argv: Command line without `compare`.

    Returns:
        Exit status: 1 if any run failed.

    Raises:
        UsageError: The study does not exist, or is invalid.
    """
    load_names()
    begin()
    parser = study_parser()
    arguments = paths_as_text(with_study(argv))
    config = run_with_argv(lambda: parser.parse_args(arguments), ["compare", *argv])
    return run_with_argv(lambda: _compare(parser, config), ["compare", *argv])


def _compare(parser: Parser, config: Namespace) -> int:
    """Plan a study; then estimate it, or run it and write its report."""
    refuse_unused(config.trainer)
    if not config.trainer.enable_progress_bar:
        hide_bars()
    trainer = trainer_of(config)
    root = Path(trainer.default_root_dir)
    worth = read_worth(Path(config.rank)) if config.rank else None
    study = plan(config, str(trainer.precision), root)
    embeddings = Path(config.embeddings or root / "embeddings")
    if config.dry_run:
        for line in dry_run(study, trainer, embeddings, force=config.force):
            say(line)
        return 0
    repeated = config.clone()
    repeated.force = False
    del repeated["open"], repeated["rank"]
    text = as_yaml(yaml.safe_load(parser.dump(repeated, skip_unset=False)), literal=True)
    writing = {name: config[name] for name in ("force", "flush_every", "flush_seconds")}
    writing["jobs"] = config.training.jobs
    note = console(sys.stderr).print if trainer.is_global_zero else lambda line: None
    callbacks = list(trainer.callbacks)  # type: ignore[attr-defined]  # all of them are the user's
    observers = functools.partial(_observers, config.trainer.logger, callbacks)
    has_fitted = execute(study, trainer, embeddings, text, note, observers, **writing)
    return write_and_show(study.folder, anew=False, open_page=config.open, worth=worth) if has_fitted else 0


def trainer_of(config: Namespace) -> Trainer:
    """Return the trainer of a study, without a progress bar and without the loggers of the runs.

    Args:
        config: Study, as its parser returns it.

    Raises:
        UsageError: The trainer rejects its arguments.
    """
    parser = Parser()
    parser.add_class_arguments(Trainer, "trainer")
    arguments = config.trainer.clone()
    arguments.enable_progress_bar = arguments.logger = False
    try:
        made: Trainer = instantiate(parser, Namespace(trainer=arguments)).trainer  # type: ignore[no-untyped-call]
    except MisconfigurationException as error:
        raise UsageError(str(error)) from error
    return made


def _observers(logger: Any, callbacks: Sequence[Callback]) -> Observers:
    """Return the observers of one run, with their own loggers."""
    parser = Parser()
    parser.add_argument("--logger", type=Logger | list[Logger] | bool | None)
    made = instantiate(parser, Namespace(logger=logger)).logger  # type: ignore[no-untyped-call]
    return Observers.of(made, callbacks, of_study=True)


def with_study(argv: Sequence[str], kind: str = "studies", default: str = _DEFAULT_STUDY) -> list[str]:
    """Return a command line that gives its study, a file or the name of a bundled study, with `--config`.

    Args:
        argv: Command line without the command.
        kind: Folder of the bundled studies.
        default: Name of the bundled study that runs if none is given.

    Raises:
        UsageError: There is no such study.
    """
    flags = list(itertools.takewhile(_FLAGS.__contains__, argv))  # the study may follow these flags
    words = [*argv[len(flags) :], *flags]
    if words and not words[0].startswith("-"):
        words[:1] = ["--config", words[0]]
    elif not list(configs_in(words)):
        words[:0] = ["--config", default]
    bundled = bundled_studies(kind)
    for index, option, study in list(configs_in(words)):
        path = bundled.get(study, Path(study))
        if not path.is_file():
            raise UsageError(f"no study {study!r}: neither a file nor a bundled study ({', '.join(bundled)})")
        words[index] = f"{option}{path}"
    return words
