"""`compare`: run what is missing of a study, each result kept as it comes, and go on where one run fails."""

import contextlib
import itertools
import shutil
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jsonargparse import Namespace
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.utilities.exceptions import MisconfigurationException  # type: ignore[attr-defined]
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..datamodules.base import Batch
from ..errors import StoreError, UsageError
from ..files import held, write_atomically
from ..parsing import Parser, instantiate
from ..probes import stages
from ..probes.run import Run, fit_run, test_run
from ..probes.stages import Extraction
from ..probes.tensorboard import OPTIMISTIC
from . import results
from .estimate import dry_run
from .plan import RUNS, Study, plan
from .results import Failure, Result


def compare(parser: Parser, config: Namespace) -> Path | None:
    """Run what is missing of a study, and append each result to the files in its folder.

    Every embedding that is missing is extracted first, on all devices; then one process fits all backends. A run that
    fails is kept with its error, and the others go on.

    Args:
        parser: That the configuration was parsed by.
        config: The study.

    Returns:
        The folder of the study; None after a dry run, and in processes that only extracted.
    """
    trainer = _trainer(config)
    console = Console(stderr=True, quiet=not trainer.is_global_zero, highlight=False, markup=False, soft_wrap=True)
    root = Path(trainer.default_root_dir)
    study = plan(config, str(trainer.precision), root)
    embeddings = Path(config.embeddings or root / "embeddings")
    if config.dry_run:
        for line in dry_run(study, trainer, embeddings, force=config.force):
            print(line)
        return None
    for note in study.notes:
        console.print(note)
    with contextlib.ExitStack() as stack:
        if trainer.is_global_zero:
            stack.enter_context(held(study.folder, "give the study another --name"))
        there = study.done()
        waiting = [run for run in study.runs if config.force or run.identity not in there]
        if len(waiting) < len(study.runs):
            console.print(f"{len(study.runs) - len(waiting)} of {len(study.runs)} runs are done already")
        for run in waiting:
            run.probe.require_frontend().draw()
        planned = [(run.probe, run.datamodule) for run in _one_of_each(waiting)]
        stages.refuse_broken_before(planned, str(trainer.precision), embeddings, force=config.force)
        if trainer.is_global_zero:
            _start(study, waiting, parser, config)
        extractions = _extract(waiting, trainer, embeddings, config, console)
        stages.leave_process_group()
        if not trainer.is_global_zero:
            return None
        for number, run in enumerate(waiting, 1):
            outcome = _outcome(study, run, extractions[run.extraction])
            results.append(study.folder, outcome)
            console.print(f"[{number}/{len(waiting)}] {run.folder.relative_to(study.folder)}: {_told(outcome)}")
    return study.folder


def _start(study: Study, waiting: Sequence[Run], parser: Parser, config: Namespace) -> None:
    """Write the study itself, and the results that are there; other runs in its folder are put aside."""
    _put_aside(study)
    repeated = config.clone()
    repeated.force = False
    write_atomically(study.folder / "study.yaml", parser.dump(repeated, skip_unset=False).encode())
    left = {run.identity for run in waiting}
    done = [run for run in study.runs if run.identity not in left]
    for run in done:
        (run.folder / "error.txt").unlink(missing_ok=True)
    runs = [_named(study, run)["run"] for run in study.runs]
    results.start(study.folder, [_result(study, run) for run in done], runs)


def _put_aside(study: Study) -> None:
    """Have in the study's folder its own runs alone, as TensorBoard shows what is there, and lose no other.

    Runs of what the study was before, or of another of its name, go to the folder `NAME-earlier` beside it, and come
    back when they are asked for again.
    """
    identity_of = {run.folder: run.identity for run in study.runs}
    for path in list(study.folder.glob(RUNS)):
        identity = results.read_metrics(path.parent).get("identity")
        if identity and identity_of.get(path.parent) != identity:
            place = study.aside(str(identity))  # of a damaged file it may be anything
            place.parent.mkdir(parents=True, exist_ok=True)
            path.parent.rename(_free(place) if place.exists() else place)
    done = study.done()
    for run in study.runs:
        place = done.get(run.identity, run.folder)
        if place != run.folder:
            shutil.rmtree(run.folder, ignore_errors=True)  # what was left of a run that did not end
            run.folder.parent.mkdir(parents=True, exist_ok=True)
            place.rename(run.folder)


def _free(place: Path) -> Path:
    """A name that nothing has, as this one is taken."""
    return next(free for n in itertools.count(1) if not (free := place.with_name(f"{place.name}-{n}")).exists())


def _extract(
    waiting: Sequence[Run], trainer: Trainer, embeddings: Path, config: Namespace, console: Console
) -> dict[str, Extraction | Exception]:
    """Compute what is missing for some runs; what fails in one process is kept, and fails in several for all."""
    found: dict[str, Extraction | Exception] = {}
    writing = {name: config[name] for name in ("force", "flush_every", "flush_seconds")}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        for run in _one_of_each(waiting):
            label = f"{run.params['dataset']} {run.params['frontend']} seed {run.probe.require_frontend().seed}"
            task = progress.add_task(f"embeddings {label}", total=len(run.datamodule.listed))
            trainer.callbacks = [_Advance(progress, task)]  # type: ignore[attr-defined]
            try:
                found[run.extraction] = stages.extract(run.probe, run.datamodule, trainer, embeddings, **writing)
            except StoreError:  # of all runs: another process writes there, or the disk is full
                raise
            except Exception as error:  # a plug-in may raise anything
                if trainer.world_size > 1:
                    raise
                found[run.extraction] = error
            progress.remove_task(task)
            outcome = found[run.extraction]
            console.print(f"{label}: {_one_line(outcome) if isinstance(outcome, Exception) else outcome}")
    return found


def _outcome(study: Study, run: Run, extraction: Extraction | Exception) -> Result | Failure:
    """Fit and score a run; its failure, with all that is known of it in `error.txt` of its folder."""
    try:
        if isinstance(extraction, Exception):
            raise extraction
        fit_run(run, extraction)
        if run.params["protocol"] == "holdout":
            test_run(run.folder, run.probe, run.datamodule, extraction, run.datamodule.class_names)
        return _result(study, run)
    except Exception as error:  # a plug-in may raise anything
        text = "".join(traceback.format_exception(error))
        write_atomically(run.folder / "error.txt", text.encode(errors="backslashreplace"))
        return Failure(**_named(study, run), error=_one_line(error))


def _result(study: Study, run: Run) -> Result:
    # Names are those of this study; the run may have had others in an earlier one.
    return Result.of({**results.read_metrics(run.folder), **run.params}, _named(study, run)["run"])


def _named(study: Study, run: Run) -> dict[str, Any]:
    names = {name: run.params[name] for name in ("dataset", "frontend", "backend", "seed")}
    return {**names, "run": run.folder.relative_to(study.folder).as_posix()}


def _told(outcome: Result | Failure) -> str:
    if isinstance(outcome, Failure):
        return f"failed: {outcome.error}"
    optimistic = OPTIMISTIC if outcome.selected_on_test else ""
    return f"{100 * outcome.accuracy:.1f} %{optimistic} ({outcome.seconds:.1f} s)"


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _one_of_each(runs: Sequence[Run]) -> list[Run]:
    """One run for each extraction."""
    found: dict[str, Run] = {}
    for run in runs:
        found.setdefault(run.extraction, run)
    return list(found.values())


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
