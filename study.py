"""A study: front-ends x back-ends x data sets x seeds, as runs, a table and a figure."""

import itertools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import Namespace
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.cli import LightningArgumentParser
from pytorch_lightning.utilities.exceptions import MisconfigurationException  # type: ignore[attr-defined]
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sklearn.base import clone

from . import report, stages
from .backends import BackEnd
from .backends.standardized import Standardize
from .datamodules import AudioDataModule
from .datamodules.base import Batch
from .errors import UsageError
from .frontends import FrontEnd
from .frontends.base import Layers
from .frontends.initialisers import Init
from .frontends.pooling import Pooling
from .parsing import Parser, instantiate
from .probe import Probe
from .protocols import Protocol
from .run import Run, fit_run, is_random, test_run
from .stages import Extraction
from .store import plain, write_atomically


def study_parser() -> Parser:
    """Parser of study files and of overrides on the command line."""
    parser = Parser(prog="untrained compare", parser_mode="omegaconf+", description="Compare front-ends in one study.")
    parser.add_argument("--config", action="config", help="The study, a YAML file.")
    parser.add_argument("--name", type=str, default="study", help="Folder of the study under the root of the runs.")
    parser.add_argument("--datamodules", type=list[AudioDataModule], help="The data sets.")
    parser.add_argument("--frontends", type=list[FrontEnd], help="The front-ends.")
    parser.add_argument("--backends", type=list[BackEnd], help="The back-ends.")
    parser.add_argument("--seeds", type=list[int], default=[0], help="Of front-ends and back-ends.")
    parser.add_argument("--protocol", type=Protocol, default="auto", help="How candidates are chosen and scored.")
    parser.add_argument("--model.init", type=list[Init], default=["he_truncated"], help="Distributions of weights.")
    parser.add_argument("--model.layers", type=list[Layers], default=["all"], help="Layers that back-ends learn from.")
    parser.add_argument("--model.pooling", type=list[Pooling], default=["mean"], help="Poolings of feature maps.")
    parser.add_argument(
        "--model.standardize", type=list[Standardize], default=["none"], help="What back-ends read of features."
    )
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


def compare(parser: Parser, config: Namespace) -> list[report.Result]:
    """Run a study, and leave its table and figure in its folder.

    Every embedding that is missing is extracted first, on all devices; then one process fits all back-ends.

    Args:
        parser: That the configuration was parsed by.
        config: The study.

    Returns:
        The results, one for each run; none in processes that only extracted.
    """
    root = Path(config.trainer.default_root_dir)
    folder = root / config.name
    embeddings = Path(config.embeddings or root / "embeddings")
    trainer = _trainer(config)
    console = Console(stderr=True, quiet=not trainer.is_global_zero, highlight=False, markup=False, soft_wrap=True)
    writing = {name: config[name] for name in ("force", "flush_every", "flush_seconds")}
    said: dict[str, None] = {}
    runs = _runs(parser, config, folder, str(trainer.precision), lambda text: said.setdefault(text))
    for text in said:
        console.print(text)
    by_key = {run.extraction: run for run in runs}
    planned = [(run.probe, run.datamodule) for run in by_key.values()]
    stages.refuse_broken_before(planned, str(trainer.precision), embeddings, force=config.force)
    extractions: dict[str, Extraction] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        for key, run in by_key.items():
            label = f"{run.params['dataset']} {run.params['front_end']} seed {run.probe.require_front_end().seed}"
            task = progress.add_task(f"embeddings {label}", total=len(run.datamodule.listed))
            trainer.callbacks = [_Advance(progress, task)]  # type: ignore[attr-defined]
            extractions[key] = stages.extract(run.probe, run.datamodule, trainer, embeddings, **writing)
            progress.remove_task(task)
            console.print(f"{label}: {extractions[key]}")
    stages.leave_process_group()
    if not trainer.is_global_zero:
        return []
    results: list[report.Result] = []
    (folder / "results.csv").unlink(missing_ok=True)
    repeated = config.clone()
    repeated.force = False
    write_atomically(folder / "study.yaml", parser.dump(repeated, skip_unset=False).encode())
    for number, run in enumerate(runs, 1):
        result = _result(run, extractions[run.extraction])
        results.append(result)
        report.append_result(folder / "results.csv", result)
        console.print(
            f"[{number}/{len(runs)}] {result.dataset} {result.front_end} {result.back_end} seed {result.seed}: "
            f"{100 * result.accuracy:.1f} %{report.OPTIMISTIC if result.selected_on_test else ''} "
            f"({result.seconds:.1f} s)"
        )
    report.comparison_figure(results).savefig(folder / "results.png", dpi=150)
    return results


def _trainer(config: Namespace) -> Trainer:
    """The trainer that extracts; it shows no bar of its own."""
    parser = Parser()
    parser.add_class_arguments(Trainer, "trainer")
    arguments = config.trainer.clone()
    arguments.enable_progress_bar = False
    try:
        made: Trainer = instantiate(parser, Namespace(trainer=arguments)).trainer  # type: ignore[no-untyped-call]
    except MisconfigurationException as error:
        raise UsageError(str(error)) from error
    return made


def _runs(parser: Parser, config: Namespace, folder: Path, precision: str, say: Callable[[str], None]) -> list[Run]:
    """All runs of a study; one without randomness is there once, not once a seed."""
    axes = ["datamodules", "frontends", "backends", "seeds", *(f"model.{key}" for key in vars(config.model))]
    empty = [f"--{key}" for key in axes if not config[key]]
    if empty:
        raise UsageError(f"the study has nothing for {', '.join(empty)}; give at least one of each")
    runs: dict[Path, Run] = {}
    first = instantiate(parser, config)
    names = _unique([datamodule.dataset_name for datamodule in first.datamodules])
    for seed in config.seeds:
        seeded = config.clone()
        for item in [*seeded.frontends, *seeded.backends]:
            if "seed" in (item.get("init_args") or {}):
                item.init_args.seed = seed
        parts = instantiate(parser, seeded)
        for j, made in enumerate(parts.frontends):
            made = made if is_random(made) else first.frontends[j]
            for front_end, layers in _variants(made, config.model, say):
                indices = itertools.product(range(len(names)), range(len(parts.backends)), config.model.standardize)
                for i, k, standardize in indices:
                    options = {**front_end.options._asdict(), "layers": layers, "standardize": standardize}
                    probe = Probe(front_end, clone(parts.backends[k]), config.protocol, **options)
                    repeated = {
                        "data": config.datamodules[i].as_dict(),
                        "model": {
                            "frontend": seeded.frontends[j].as_dict(),
                            "backend": seeded.backends[k].as_dict(),
                            "protocol": config.protocol,
                            **options,
                        },
                        "trainer": config.trainer.as_dict(),
                        "embeddings": config.embeddings,
                    }
                    text = yaml.safe_dump(plain(repeated), sort_keys=False)
                    run = Run.of(probe, first.datamodules[i], folder, precision, text, names[i])
                    runs.setdefault(run.folder, run)
    return sorted(runs.values(), key=lambda run: first.datamodules.index(run.datamodule))


def _variants(front_end: FrontEnd, model: Namespace, say: Callable[[str], None]) -> list[tuple[FrontEnd, Layers]]:
    """A front-end with each combination of the options of a study that applies to it.

    One without feature maps is there once, as it is; what does not apply to another is left out. Either is said.
    """
    found: list[tuple[FrontEnd, Layers]] = []
    refused: list[str] = []
    for init, pooling in itertools.product(model.init, model.pooling):
        try:
            variant = front_end.with_options(init, pooling)
        except ValueError as error:
            refused.append(str(error))
            continue
        for layers in model.layers:
            try:
                variant.columns(layers)
                found.append((variant, layers))
            except ValueError as error:
                refused.append(str(error))
    if not found and not front_end.has_maps:
        found = [(front_end, "all")]
    if not found:
        raise UsageError(f"--model: {refused[0]}")
    for reason in dict.fromkeys(refused):
        say(f"not in this study: {reason}")
    return found


def _result(run: Run, extraction: Extraction) -> report.Result:
    metrics = fit_run(run, extraction)
    selection = run.probe.selection
    assert selection is not None
    metric, scores = selection.score_name, metrics
    if selection.protocol == "holdout":
        names = run.datamodule.class_names
        metric, scores = "test/accuracy", test_run(run.folder, run.probe, run.datamodule, extraction, names)
    kind = metric.split("/")[0]
    return report.Result(
        dataset=run.params["dataset"],
        front_end=run.params["front_end"],
        input=str(getattr(type(run.probe.frontend), "input", "")),
        filters=str(getattr(type(run.probe.frontend), "filters", "")),
        back_end=run.params["back_end"],
        seed=run.seed,
        protocol=selection.protocol,
        selected_on_test=selection.selected_on_test,
        metric=metric,
        accuracy=scores[metric],
        balanced_accuracy=scores[f"{kind}/balanced_accuracy"],
        macro_f1=scores[f"{kind}/macro_f1"],
        accuracy_low=scores[f"{kind}/accuracy_low"],
        accuracy_high=scores[f"{kind}/accuracy_high"],
        best_candidate=report.describe(selection.best_candidate),
        n_features=run.probe.n_features,
        n_clips=metrics["n_clips"],
        n_classes=len(run.datamodule.class_names),
        seconds=metrics["seconds"],
        run=str(run.folder),
    )


def _unique(names: Sequence[str]) -> list[str]:
    """The names, numbered where several are the same."""
    return [
        f"{name}-{1 + names[:index].count(name)}" if names.count(name) > 1 else name for index, name in enumerate(names)
    ]


class _Advance(Callback):
    """Moves a progress bar by the clips of each batch."""

    def __init__(self, progress: Progress, task: Any) -> None:
        self._progress, self._task = progress, task

    def on_predict_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._progress.advance(self._task, len(batch.ids) + len(batch.failed))
