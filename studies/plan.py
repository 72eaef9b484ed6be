"""Plan of a study: the parser of study files, and the runs of a study, which are checked before the first starts."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jsonargparse import Namespace
from pytorch_lightning import Trainer
from sklearn.base import clone

from ..backends import Backend
from ..datamodules import AudioDataModule
from ..embeddings.calibrated import plan_calibration
from ..embeddings.provenance import data_fields, frontend_fields, precision_field, stamps_digest
from ..files import as_yaml, plain
from ..frontends import Frontend
from ..frontends.weights import undrawn
from ..parsing import Parser, add_extraction_arguments, trainer_defaults
from ..probes.memory import FitMemory, fit_memory
from ..probes.probe import Probe
from ..probes.record import read_metrics
from ..probes.run import Run, RunKey
from ..probes.selection import Protocol
from ..training.jobs import TrainingJob
from .arms import add_recipe, recipe_problems, trainings
from .entries import CONTROLS, KINDS, Entries
from .plugins import MODEL, Part, Seeded, make_plugins, variants
from .problems import Problem, attempt, refuse

RUNS = "*/*/*/*/metrics.json"
"""Glob pattern of the runs in the folder of a study."""
EARLIER = "-earlier"
"""Suffix of the folder that holds runs which no longer belong to a study."""


@dataclass(frozen=True)
class Study:
    """The runs that a study describes.

    Args:
        folder: Folder of the study.
        runs: Runs in the order of the data sets.
        notes: Messages about combinations that do not apply and are skipped.
        controls: Names of the control frontends.
    """

    folder: Path
    runs: Sequence[Run | TrainingJob]
    notes: Sequence[str]
    controls: Sequence[str]

    @property
    def probes(self) -> list[Run]:
        """Runs of probes, whose frontends are frozen."""
        return [run for run in self.runs if isinstance(run, Run)]

    def aside(self, identity: str) -> Path:
        """Return the folder for a run that no longer belongs to the study."""
        return self.folder.with_name(self.folder.name + EARLIER) / re.sub(r"\W", "_", identity[:16])

    def done(self) -> dict[str, Path]:
        """Return the folders of the runs that are done, by identity, whatever their names and locations."""
        run_of = {run.key.identity: run for run in self.runs}
        found: dict[str, Path] = {}
        for path in [*self.folder.glob(RUNS), *self.aside("").glob("*/metrics.json")]:
            run = run_of.get(str(read_metrics(path.parent).get("identity")))
            if run is not None and run.is_done_in(path.parent):
                found.setdefault(run.key.identity, path.parent)
        # Their own folders come last, because rank 0 may have moved runs there in the meantime.
        return found | {run.key.identity: run.folder for run in self.runs if run.is_done}


def study_parser() -> Parser:
    """Return the parser of study files and of overrides on the command line."""
    parser = Parser(prog="untrained compare", parser_mode="omegaconf+", description="Compare frontends in one study.")
    parser.add_argument("--config", action="config", help="Study as a YAML file.")
    parser.add_argument("--name", type=str, default="study", help="Folder of the study under the root of the runs.")
    help = "Folders that a study's data sets refer to, for example --roots.gtzan DIR."
    parser.add_argument("--roots", type=dict[str, str | None], default={}, help=help)
    parser.add_argument(
        "--datamodules", type=Entries, default=[], help="Data sets: names, or class_path and init_args."
    )
    parser.add_argument("--frontends", type=Entries, default=[], help="Frontends, in the same form.")
    parser.add_argument("--backends", type=Entries, default=[], help="Backends, in the same form.")
    help = "Control frontends, with which all others are compared to show what a network adds; '[]' for none."
    parser.add_argument(f"--{CONTROLS}", type=Entries, default=["logmel_stats"], help=help)
    for kind in KINDS:
        help = f"Lists of values by argument; each value is combined with all {kind} that have this argument."
        parser.add_argument(f"--vary.{kind}", type=dict[str, list[Any]], default={}, help=help)
    parser.add_argument("--seeds", type=list[Any], default=[0], help="Seeds of frontends and backends.")
    help = "Memory that the fit of a backend may take, in GiB, or auto for half of the memory of the machine."
    parser.add_argument("--fit_memory", type=FitMemory, default="auto", help=help)
    parser.add_argument("--protocol", type=Protocol, default="auto", help="How candidates are chosen and scored.")
    for option, (_, default, help) in MODEL.items():
        parser.add_argument(f"--model.{option}", type=list[Any], default=default, help=help)
    parser.add_argument("--dry_run", action="store_true", help="List runs and stored embeddings; estimate the time.")
    help = "Folder of a rank study, which says what differences without training have been worth after training."
    parser.add_argument("--rank", type=str | None, default=None, help=help)
    parser.add_argument("--open", action="store_true", help="Open the report in the browser.")
    add_recipe(parser)
    add_extraction_arguments(parser)
    parser.add_class_arguments(Trainer, "trainer", instantiate=False)
    parser.set_defaults({f"trainer.{key}": value for key, value in trainer_defaults().items()})
    return parser


def plan(config: Namespace, precision: str, root: Path) -> Study:
    """Return all runs of a study, before the weights of their frontends are drawn.

    A run without randomness occurs once and not once for each seed.

    Args:
        config: Study, as `study_parser` returns it.
        precision: Precision of the trainer.
        root: Folder that holds all runs.

    Raises:
        UsageError: The study has problems; the message lists all of them with their locations in the study.
    """
    problems = [*_name_problems(config.name), *recipe_problems(config)]
    wrong = attempt("fit_memory", fit_memory, config.fit_memory)
    problems += [wrong] if isinstance(wrong, Problem) else []
    notes: dict[str, None] = {}
    with undrawn():
        data, seeded, more = make_plugins(config, notes)
    refuse([*problems, *more])
    folder = root / config.name
    runs: dict[str, Run | TrainingJob] = {}
    controls: dict[str, None] = {}
    of_probes = _runs(config, data, seeded, notes, precision, folder)
    planned: Iterator[tuple[Part[Frontend], Run | TrainingJob]]
    planned = itertools.chain(of_probes, trainings(config, data, seeded, notes, folder))
    for part, run in planned:
        runs.setdefault(run.key.identity, run)
        controls |= {run.key.params["frontend"]: None} if part.is_control else {}
    names = [part.name for part in data]
    if not runs:
        refuse([Problem("model.weights", text) for text in notes])
    ordered = sorted(runs.values(), key=lambda run: names.index(run.key.params["dataset"]))
    return Study(folder, _plainly_named(ordered), list(notes), list(controls))


def _runs(
    config: Namespace,
    data: Sequence[Part[AudioDataModule]],
    seeded: Sequence[Seeded],
    notes: dict[str, None],
    precision: str,
    folder: Path,
) -> Iterator[tuple[Part[Frontend], Run]]:
    """Yield a run for each combination of a study, with its frontend as the study names it.

    Options that do not apply are skipped and added to the notes.
    """
    stamps = {part.name: stamps_digest(part.made) for part in data}
    for parts in seeded:
        for frontend in parts.frontends:
            with undrawn():
                found = variants(frontend.made, config.model, notes)
            planned: dict[tuple[int, str, bool], Frontend] = {}  # runs that share an extraction share a calibration
            for variant, clips in itertools.product(found, data):
                for backend, standardize, tf32 in itertools.product(
                    parts.backends, config.model.standardize, config.model.tf32
                ):
                    made, place = variant.frontend, (id(variant.frontend), clips.name, tf32)
                    if variant.calibrate:
                        if place not in planned:
                            planned[place] = plan_calibration(made, clips.made)
                        made = planned[place]
                    fields = frontend_fields(made)
                    options = {**made.options._asdict(), "layers": variant.layers, "standardize": standardize}
                    options |= {"tf32": tf32, "calibrate": variant.calibrate}
                    learner = clone(backend.made)
                    probe = Probe(made, learner, config.protocol, fit_memory=config.fit_memory, **options)
                    options["weights"] = probe.weights = variant.weights
                    embeddings = {
                        **fields,
                        **data_fields(clips.made, made.sample_rate, precision_field(precision, probe)),
                    }
                    key = RunKey.of(probe, clips.made, embeddings, stamps[clips.name], clips.name)
                    text = _config_of_run(config, frontend, backend, clips, options)
                    yield frontend, Run(probe, clips.made, key, folder / key.folder, text)


def _config_of_run(
    config: Namespace,
    frontend: Part[Frontend],
    backend: Part[Backend],
    clips: Part[AudioDataModule],
    options: Mapping[str, Any],
) -> str:
    """Return the configuration with which `untrained fit --config` repeats a run of a study, as YAML."""
    parts = {"frontend": frontend.written, "backend": backend.written, "protocol": config.protocol}
    content = {
        "data": clips.written,
        "model": {**parts, **options, "fit_memory": config.fit_memory},
        "trainer": config.trainer.as_dict(),
        "embeddings": config.embeddings,
    }
    return as_yaml(plain(content), literal=True)


def _name_problems(name: str) -> list[Problem]:
    if name and name not in (".", "..", "embeddings") and not re.search(rf"[/\\\0]|{EARLIER}$", name):
        return []
    expected = f"expected the name of a folder without / or \\, other than embeddings and not ending in {EARLIER}"
    return [Problem("name", f"{name!r}; {expected}")]


def _plainly_named(runs: Sequence[Run | TrainingJob]) -> list[Run | TrainingJob]:
    """Return the runs, without the digest in the name of a folder if the seed alone identifies the run."""
    plain_folders = [run.folder.with_name(f"seed{run.key.seed}") for run in runs]
    return [
        replace(run, folder=folder) if plain_folders.count(folder) == 1 else run
        for run, folder in zip(runs, plain_folders, strict=True)
    ]
