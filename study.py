"""Runs: one at a time for `fit` and `test`, front-ends x back-ends x data sets x seeds for `compare`."""

import inspect
import itertools
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import Namespace
from pytorch_lightning import Callback, LightningModule, Trainer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sklearn.base import clone

from . import probe as stages
from . import report
from .backends import BackEnd
from .datamodules import AudioDataModule
from .datamodules.base import Batch
from .embeddings import describe as describe_embeddings
from .errors import UsageError
from .frontends import FrontEnd
from .parsing import Parser, instantiate
from .probe import Extraction, Probe
from .protocols import Protocol, resolve
from .registry import BACKENDS, FRONTENDS
from .store import digest, plain, write_atomically


@dataclass(frozen=True)
class Run:
    """A front-end, a back-end and a data set, and the folder for all that comes of them.

    Args:
        probe: With front-end, back-end and protocol.
        datamodule: The clips.
        folder: Of the run.
        params: What tells the run from others, flat, for tables.
        seed: Of front-end and back-end.
        extraction: Digest of the data set and of everything that decides its embeddings.
        config: YAML that `untrained fit --config` repeats it by.
    """

    probe: Probe
    datamodule: AudioDataModule
    folder: Path
    params: dict[str, Any]
    seed: int
    extraction: str
    config: str

    @classmethod
    def of(
        cls, probe: Probe, datamodule: AudioDataModule, root: Path, precision: str, config: str, dataset: str = ""
    ) -> "Run":
        """Name a run by its parts, and by a digest of everything that decides its result.

        Args:
            probe: With front-end, back-end and protocol.
            datamodule: The clips.
            root: Folder of all runs.
            precision: Of the extraction.
            config: YAML that repeats the run.
            dataset: Name of the data set, by default the datamodule's own.
        """
        front_end, backend = probe.require_front_end(), probe.require_back_end()
        seed = front_end.seed if is_random(front_end) else getattr(backend, "seed", front_end.seed)
        params: dict[str, Any] = {
            "dataset": dataset or datamodule.dataset_name,
            "front_end": front_end_label(front_end),
            "back_end": back_end_label(backend),
            "seed": seed,
            "protocol": resolve(probe.protocol, datamodule.listed),
        }
        embeddings = describe_embeddings(front_end, datamodule, precision)
        identity = {
            **params,
            "embeddings": embeddings,
            "back_end_arguments": plain(backend.get_params()),
            "clips": [(clip.id, clip.label, clip.split, clip.fold) for clip in datamodule.listed],
        }
        place = Path(root, params["dataset"], params["front_end"], params["back_end"])
        folder = place / f"seed{seed}-{digest(identity)[:6]}"
        # Data sets of one source share a store, but each has clips of its own.
        extraction = digest({"dataset": params["dataset"], **embeddings})
        return cls(probe, datamodule, folder, params, seed, extraction, config)


def fit_run(run: Run, extraction: Extraction) -> dict[str, Any]:
    """Fit a run's back-end; log, save and return its metrics.

    Args:
        run: Whose probe is fitted.
        extraction: Of its embeddings.
    """
    start = time.perf_counter()
    report.forget_run(run.folder)
    (run.folder / "metrics.json").unlink(missing_ok=True)
    write_atomically(run.folder / "config.yaml", run.config.encode())
    data = stages.fit(run.probe, run.datamodule, extraction.store)
    selection = run.probe.selection
    assert selection is not None
    metrics = {
        selection.score_name: selection.score,
        "best_candidate": selection.best_candidate,
        "protocol": selection.protocol,
        "selected_on_test": selection.selected_on_test,
        "fold_scores": selection.fold_scores,
        "n_clips": len(data.clips),
        "n_failed": len(extraction.failed),
        "seconds": round(time.perf_counter() - start, 3),
    }
    stages.save(run.folder / "probe.ckpt", run.probe, run.datamodule, data)
    report.update_metrics(run.folder, {**run.params, **metrics})
    logger = report.run_logger(run.folder)
    report.log_fit(
        logger,
        run.params,
        selection,
        data.labels(data.learned),
        run.datamodule.class_names,
        extraction.store.read([clip.id for clip in data.learned]),
    )
    logger.experiment.close()
    return metrics


def test_run(
    folder: Path, probe: Probe, datamodule: AudioDataModule, extraction: Extraction, class_names: Sequence[str]
) -> float:
    """Score a trained probe on the test split; add the score to its run's folder."""
    accuracy, data = stages.score(probe, datamodule, extraction.store, class_names)
    report.update_metrics(folder, {"test/accuracy": accuracy, "n_test_clips": len(data.tested)})
    logger = report.run_logger(folder)
    logger.log_metrics({"test/accuracy": accuracy}, step=0)
    report.log_predictions(logger, "test", data.labels(data.tested), probe.test_predictions, class_names)
    logger.experiment.close()
    return accuracy


def is_random(front_end: FrontEnd) -> bool:
    """Whether a seed decides anything of a front-end."""
    return any(True for _ in front_end.parameters())


def front_end_label(front_end: FrontEnd) -> str:
    """Registered name of a front-end, and its arguments that are not the default."""
    name = FRONTENDS.name_of(type(front_end)) or type(front_end).__name__
    return _label(name, type(front_end), front_end.arguments)


def back_end_label(backend: BackEnd) -> str:
    """Registered name of a back-end, and its arguments that are not the default."""
    name = BACKENDS.name_of(type(backend)) or type(backend).__name__
    return _label(name, type(backend), backend.get_params())


def _label(name: str, cls: type, arguments: Mapping[str, Any]) -> str:
    defaults = {key: parameter.default for key, parameter in inspect.signature(cls).parameters.items()}
    given = {key: value for key, value in arguments.items() if key != "seed" and value != defaults.get(key)}
    return "-".join([name, *(f"{key}={value}".replace("/", "_") for key, value in given.items())])


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
    parser.add_argument("--embeddings", type=str | None, default=None, help="Folder of the embeddings.")
    parser.add_class_arguments(Trainer, "trainer", instantiate=False)
    parser.set_defaults({f"trainer.{key}": value for key, value in trainer_defaults().items()})
    return parser


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
    trainer_arguments = config.trainer.as_dict()
    root = Path(trainer_arguments["default_root_dir"])
    folder = root / config.name
    embeddings = Path(config.embeddings or root / "embeddings")
    trainer = Trainer(**{**trainer_arguments, "enable_progress_bar": False})
    runs = _runs(parser, config, folder, str(trainer.precision))
    console = Console(stderr=True, quiet=not trainer.is_global_zero, highlight=False, markup=False, soft_wrap=True)
    extractions: dict[str, Extraction] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        for key, run in {run.extraction: run for run in runs}.items():
            label = f"{run.params['dataset']} {run.params['front_end']} seed {run.probe.require_front_end().seed}"
            task = progress.add_task(f"embeddings {label}", total=len(run.datamodule.listed))
            trainer.callbacks = [_Advance(progress, task)]  # type: ignore[attr-defined]
            extractions[key] = stages.extract(run.probe, run.datamodule, trainer, embeddings)
            progress.remove_task(task)
            console.print(f"{label}: {extractions[key]}")
    stages.leave_process_group()
    if not trainer.is_global_zero:
        return []
    results: list[report.Result] = []
    (folder / "results.csv").unlink(missing_ok=True)
    write_atomically(folder / "study.yaml", parser.dump(config, skip_unset=False).encode())
    for number, run in enumerate(runs, 1):
        result = _result(run, extractions[run.extraction])
        results.append(result)
        report.append_result(folder / "results.csv", result)
        console.print(
            f"[{number}/{len(runs)}] {result.dataset} {result.front_end} {result.back_end} seed {result.seed}: "
            f"{100 * result.accuracy:.1f} % ({result.seconds:.1f} s)"
        )
    report.comparison_figure(results).savefig(folder / "results.png", dpi=150)
    return results


def _runs(parser: Parser, config: Namespace, folder: Path, precision: str) -> list[Run]:
    """All runs of a study; one without randomness is there once, not once a seed."""
    empty = [f"--{key}" for key in ("datamodules", "frontends", "backends", "seeds") if not config[key]]
    if empty:
        raise UsageError(f"the study has nothing for {', '.join(empty)}; give at least one of each")
    runs: dict[Path, Run] = {}
    first = instantiate(parser, config)
    names = _unique([datamodule.dataset_name for datamodule in first.datamodules])
    for seed in config.seeds:
        seeded = config.clone()
        for item in [*seeded.frontends, *seeded.backends]:
            if "seed" in item.init_args:
                item.init_args.seed = seed
        parts = instantiate(parser, seeded)
        for i, j, k in itertools.product(*map(range, map(len, (names, parts.frontends, parts.backends)))):
            front_end = parts.frontends[j] if is_random(parts.frontends[j]) else first.frontends[j]
            probe = Probe(front_end, clone(parts.backends[k]), config.protocol)
            repeated = {
                "data": config.datamodules[i].as_dict(),
                "model": {
                    "frontend": seeded.frontends[j].as_dict(),
                    "backend": seeded.backends[k].as_dict(),
                    "protocol": config.protocol,
                },
                "trainer": config.trainer.as_dict(),
            }
            text = yaml.safe_dump(plain(repeated), sort_keys=False)
            run = Run.of(probe, first.datamodules[i], folder, precision, text, names[i])
            runs.setdefault(run.folder, run)
    return sorted(runs.values(), key=lambda run: first.datamodules.index(run.datamodule))


def _result(run: Run, extraction: Extraction) -> report.Result:
    metrics = fit_run(run, extraction)
    selection = run.probe.selection
    assert selection is not None
    metric, accuracy = selection.score_name, selection.score
    if selection.protocol == "holdout":
        names = run.datamodule.class_names
        metric, accuracy = "test/accuracy", test_run(run.folder, run.probe, run.datamodule, extraction, names)
    return report.Result(
        dataset=run.params["dataset"],
        front_end=run.params["front_end"],
        back_end=run.params["back_end"],
        seed=run.seed,
        protocol=selection.protocol,
        selected_on_test=selection.selected_on_test,
        metric=metric,
        accuracy=accuracy,
        best_candidate=report.describe(selection.best_candidate),
        n_features=extraction.store.embedding_size,
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
