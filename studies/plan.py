"""A study file: what it may hold, and the runs that it stands for, checked before any of them begins."""

import itertools
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import Namespace
from pytorch_lightning import Trainer
from pytorch_lightning.cli import LightningArgumentParser
from sklearn.base import clone

from ..embeddings.provenance import describe_data, describe_frontend
from ..errors import UsageError
from ..frontends.weights import undrawn
from ..parsing import Parser
from ..plain import plain
from ..probes.probe import Probe
from ..probes.run import Run
from ..probes.selection import Protocol
from .plugins import KINDS, MODEL, Entries, parts, variants
from .results import read_metrics

RUNS = "*/*/*/*/metrics.json"
"""Runs of a study in its folder."""
EARLIER = "-earlier"
"""What is added to a study's folder for its former runs."""


@dataclass(frozen=True)
class Study:
    """The runs that a study stands for.

    Args:
        folder: For all that comes of it.
        runs: In the order of the data sets.
        notes: Combinations that were left out, as they do not apply.
    """

    folder: Path
    runs: Sequence[Run]
    notes: Sequence[str]

    def aside(self, identity: str) -> Path:
        """Where a run is kept that is not of the study as it is now."""
        return self.folder.with_name(self.folder.name + EARLIER) / re.sub(r"\W", "_", identity[:16])

    def done(self) -> dict[str, Path]:
        """Folders of the runs that are done, by identity, whatever they are called and wherever they are kept."""
        run_of = {run.identity: run for run in self.runs}
        found: dict[str, Path] = {}
        for path in [*self.folder.glob(RUNS), *self.aside("").glob("*/metrics.json")]:
            run = run_of.get(str(read_metrics(path.parent).get("identity")))
            if run is not None and run.is_done_in(path.parent):
                found.setdefault(run.identity, path.parent)
        # Looked for in their own places at last, as rank 0 may have moved them there meanwhile.
        return found | {run.identity: run.folder for run in self.runs if run.is_done}


def study_parser() -> Parser:
    """Parser of study files and of overrides on the command line."""
    parser = Parser(prog="untrained compare", parser_mode="omegaconf+", description="Compare frontends in one study.")
    parser.add_argument("--config", action="config", help="The study, a YAML file.")
    parser.add_argument("--name", type=str, default="study", help="Folder of the study under the root of the runs.")
    help = "Folders that a study's data sets refer to, as --roots.gtzan DIR."
    parser.add_argument("--roots", type=dict[str, str | None], default={}, help=help)
    parser.add_argument(
        "--datamodules", type=Entries, default=[], help="The data sets: names, or class_path, init_args."
    )
    parser.add_argument("--frontends", type=Entries, default=[], help="The frontends, likewise.")
    parser.add_argument("--backends", type=Entries, default=[], help="The backends, likewise.")
    for kind in KINDS:
        help = f"Lists of values by argument, each tried with all {kind} that have the argument."
        parser.add_argument(f"--vary.{kind}", type=dict[str, list[Any]], default={}, help=help)
    parser.add_argument("--seeds", type=list[Any], default=[0], help="Of frontends and backends.")
    parser.add_argument("--protocol", type=Protocol, default="auto", help="How candidates are chosen and scored.")
    for option, (_, default, help) in MODEL.items():
        parser.add_argument(f"--model.{option}", type=list[Any], default=default, help=help)
    parser.add_argument("--dry_run", action="store_true", help="List the runs and what is there, estimate the time.")
    add_extraction_arguments(parser)
    parser.add_class_arguments(Trainer, "trainer", instantiate=False)
    parser.set_defaults({f"trainer.{key}": value for key, value in trainer_defaults().items()})
    return parser


def add_extraction_arguments(parser: LightningArgumentParser) -> None:
    """Add what says where embeddings are kept, and when they are written."""
    help = "Folder of all embedding stores; by default embeddings/ in the trainer's default_root_dir."
    parser.add_argument("--embeddings", type=str | None, default=None, help=help)
    parser.add_argument("--force", action="store_true", help="Compute again what is stored.")
    parser.add_argument("--flush_every", type=int, default=512, help="Rows in memory at most before they are written.")
    parser.add_argument("--flush_seconds", type=float, default=30.0, help="Longest time before they are written.")


def trainer_defaults() -> dict[str, Any]:
    """Settings of the trainer that extracts: its root holds the runs, and it logs and saves nothing itself."""
    return {
        "default_root_dir": "runs",
        "logger": False,
        "enable_checkpointing": False,
        "enable_model_summary": False,
        "enable_progress_bar": sys.stderr.isatty(),
    }


def plan(config: Namespace, precision: str, root: Path) -> Study:
    """All runs of a study; one without randomness is there once, not once a seed.

    Their frontends await their weights.

    Args:
        config: The study, as `study_parser` gives it.
        precision: Of the trainer.
        root: Folder of all runs, as the trainer has it.

    Raises:
        UsageError: Something in it cannot be; the message lists all of it, each with its place in the study.
    """
    problems: list[str] = []
    if not config.name or config.name in (".", "..", "embeddings") or re.search(r"[/\\\0]|-earlier$", config.name):
        problems.append(f"name: {config.name!r}; expected the name of a folder, without / and other than embeddings")
    with undrawn():
        data, seeded = parts(config, problems)
    if problems:
        several = f"the study cannot run, for {len(problems)} reasons:\n  " if len(problems) > 1 else ""
        raise UsageError(several + "\n  ".join(problems))
    folder = root / config.name
    notes: dict[str, None] = {}
    runs: dict[str, Run] = {}
    for frontends, backends in seeded:
        for frontend in frontends:
            with undrawn():
                found = variants(frontend.made, config.model, notes)
            for variant, layers in found:
                fields = describe_frontend(variant)
                for backend, standardize, clips in itertools.product(backends, config.model.standardize, data):
                    options = {**variant.options._asdict(), "layers": layers, "standardize": standardize}
                    probe = Probe(variant, clone(backend.made), config.protocol, **options)
                    model = {"frontend": frontend.written, "backend": backend.written, "protocol": config.protocol}
                    text = yaml.safe_dump(
                        plain(
                            {
                                "data": clips.written,
                                "model": {**model, **options},
                                "trainer": config.trainer.as_dict(),
                                "embeddings": config.embeddings,
                            }
                        ),
                        sort_keys=False,
                    )
                    embeddings = {**fields, **describe_data(clips.made, precision)}
                    run = Run.of(probe, clips.made, folder, embeddings, text, clips.name)
                    runs.setdefault(run.identity, run)
    names = [clips.name for clips in data]
    ordered = sorted(runs.values(), key=lambda run: names.index(run.params["dataset"]))
    return Study(folder, _plainly_named(ordered), list(notes))


def _plainly_named(runs: Sequence[Run]) -> list[Run]:
    """Runs in folders that end in the seed, without the digest, but where two would be in one."""
    plain_folders = [run.folder.with_name(f"seed{run.seed}") for run in runs]
    return [
        replace(run, folder=folder) if plain_folders.count(folder) == 1 else run
        for run, folder in zip(runs, plain_folders, strict=True)
    ]
