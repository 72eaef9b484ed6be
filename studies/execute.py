"""Execution of a study: run the missing runs, store each result at once, and continue if a run fails."""

import contextlib
import functools
import itertools
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from ..datamodules.base import Batch
from ..embeddings.changes import changes, is_of_code
from ..embeddings.extract import refuse_broken_before
from ..embeddings.heard import UNKNOWN, Lengths, Say, notices, say_all, stored_lengths
from ..embeddings.outcome import Extraction
from ..embeddings.processes import leave_process_group
from ..embeddings.provenance import precision_field
from ..errors import StoreError
from ..files import locked, plain, write_atomically
from ..probes.extraction import extract_all
from ..probes.observers import Observers
from ..probes.record import OPTIMISTIC, read_metrics
from ..probes.run import Run
from ..probes.stages import fit_run, test_run
from ..terminal import bar
from ..training.jobs import TrainingJob, devices_of, one_per_data_set
from ..training.pool import one_by_one, run_jobs
from . import results
from .aside import put_aside
from .plan import Study
from .problems import in_terms_of_a_study
from .results import Failure, Outcome, Result


def execute(
    study: Study,
    trainer: Trainer,
    embeddings: Path,
    config: str,
    say: Say,
    observers: Callable[[], Observers],
    *,
    force: bool = False,
    flush_every: int = 512,
    flush_seconds: float = 30.0,
    jobs: int = 1,
) -> bool:
    """Run the missing runs of a study, and append each result to the files in its folder.

    All missing embeddings are extracted first, on all devices; then one process fits all backends. A run that fails is
    recorded with its error, and the other runs continue.

    Args:
        study: Study to run.
        trainer: Trainer that extracts the embeddings.
        embeddings: Folder that holds all stores.
        config: Study as YAML, to be written to the folder of the study.
        say: Function that shows a line of text to the user.
        observers: Function that creates the loggers and callbacks of one run.
        force: Whether to repeat finished runs.
        flush_every: Maximum number of rows in memory before they are written.
        flush_seconds: Maximum time that rows stay in memory, in s.
        jobs: Number of training runs that share a device.

    Returns:
        Whether this process has fitted the backends; False if it has only extracted embeddings.

    Raises:
        UsageError: Another version wrote the study in this folder.
        StoreError: Another process runs the study or writes to a store, or the disk is full.
    """
    say_once = functools.cache(say)
    results.refuse_other_versions(study.folder)
    for note in study.notes:
        say(note)
    with contextlib.ExitStack() as stack:
        if trainer.is_global_zero:
            stack.enter_context(locked(study.folder, "give the study another --name"))
        waiting = _waiting(study, say, force=force)
        to_extract = [(run.probe, run.datamodule) for run in _one_per_extraction(_probes(waiting))]
        refuse_broken_before(to_extract, str(trainer.precision), embeddings, force=force)
        if trainer.is_global_zero:
            _start(study, waiting, config, force=force)
        if trainer.is_global_zero:
            _say_notices(study, waiting, str(trainer.precision), embeddings, say_once)
        writing = {"force": force, "flush_every": flush_every, "flush_seconds": flush_seconds, "say": say_once}
        extractions = _extract(_probes(waiting), trainer, embeddings, writing, say)
        leave_process_group()
        if not trainer.is_global_zero:
            return False
        for number, run in enumerate(_carry_out(waiting, extractions, trainer, say, observers, jobs), 1):
            outcome = results.append(study.folder, _named(study, run))
            say(f"[{number}/{len(waiting)}] {run.folder.relative_to(study.folder)}: {_outcome_line(outcome)}")
    return True


def _carry_out(
    waiting: Sequence[Run | TrainingJob],
    extractions: Mapping[str, Extraction | Exception],
    trainer: Trainer,
    say: Say,
    observers: Callable[[], Observers],
    jobs: int,
) -> Iterator[Run | TrainingJob]:
    """Fit the backends, then train, and yield each run when it has ended, with or without an error."""
    for run in _probes(waiting):
        _fit(run, extractions[run.key.extraction], observers)
        yield run
    trainings = [run for run in waiting if isinstance(run, TrainingJob)]
    devices = devices_of(trainer)
    n_processes = min(len(trainings), jobs * len(devices))
    first = one_per_data_set(trainings)
    for job, ended in run_jobs(one_by_one(trainings), devices, n_processes, observers, say, first=first):
        if ended.error:
            line, _, more = ended.error.partition("\n")
            text = f"{in_terms_of_a_study(line)}\n{more}"
            write_atomically(job.folder / "error.txt", text.encode(errors="backslashreplace"))
        yield job


def _probes(waiting: Sequence[Run | TrainingJob]) -> list[Run]:
    return [run for run in waiting if isinstance(run, Run)]


def _waiting(study: Study, say: Say, *, force: bool) -> list[Run | TrainingJob]:
    """Return the runs that are not done yet, after drawing the weights of their frontends."""
    done = study.done()
    waiting = [run for run in study.runs if force or run.key.identity not in done]
    if len(waiting) < len(study.runs):
        say(f"{len(study.runs) - len(waiting)} of {len(study.runs)} runs are done already")
    for why, n in Counter(filter(None, map(_why_again, waiting))).items():
        say(f"{n} {'run is' if n == 1 else 'runs are'} repeated because {why}")
    for run in waiting:
        if isinstance(run, Run):
            run.probe.require_frontend().draw()
    return waiting


def _why_again(run: Run | TrainingJob) -> str:
    """Return the changes since a run with the same settings was done in this folder; empty if there was no such run."""
    before = read_metrics(run.folder).get("key")
    differing = changes(before, plain(run.key.fields)) if isinstance(before, dict) else {}
    is_same_run = all(is_of_code(name) or name in ("clips", "files") for name in differing)
    return "; ".join(differing.values()) if is_same_run else ""


def _start(study: Study, waiting: Sequence[Run | TrainingJob], config: str, *, force: bool) -> None:
    """Write the study and the results of its finished runs; move runs of other studies out of its folder."""
    put_aside(study)
    write_atomically(study.folder / "study.yaml", config.encode())
    for run in study.runs:
        (run.folder / "error.txt").unlink(missing_ok=True)
    named, unfinished = [_named(study, run) for run in study.runs], [_relative(study, run) for run in waiting]
    results.start(study.folder, named, unfinished, study.controls)
    for run in waiting:
        if force and isinstance(run, TrainingJob):
            run.forget()


def _say_notices(
    study: Study, waiting: Sequence[Run | TrainingJob], precision: str, embeddings: Path, say: Say
) -> None:
    """Report clips that are cropped, repeated or padded; extractions report the lengths in their own data sets."""
    extracted = {run.key.params["dataset"] for run in _probes(waiting)}
    lengths_of: dict[str, Lengths] = dict.fromkeys(extracted, UNKNOWN)
    said: set[tuple[str, str]] = set()
    for run in study.probes:
        dataset, label = run.key.params["dataset"], run.key.params["frontend"]
        if (dataset, label) in said:  # already reported for another seed or backend
            continue
        said.add((dataset, label))
        frontend = run.probe.require_frontend()
        if dataset not in lengths_of:
            frontend.draw()
            field = precision_field(precision, run.probe)
            lengths_of[dataset] = stored_lengths(embeddings, frontend, run.datamodule, field)
        say_all(notices(frontend, run.datamodule, lengths_of[dataset]), say)


def _extract(
    waiting: Sequence[Run], trainer: Trainer, embeddings: Path, writing: Mapping[str, Any], say: Say
) -> dict[str, Extraction | Exception]:
    """Extract the missing embeddings of runs.

    The error of a failed extraction is returned in its place. With several processes it is raised, because all of them
    must take part in the next extraction.
    """
    found: dict[str, Extraction | Exception] = {}
    for _, runs in itertools.groupby(_one_per_extraction(waiting), lambda run: id(run.datamodule)):
        of_a_data_set = list(runs)
        with of_a_data_set[0].datamodule.workers_kept():
            for run in of_a_data_set:
                found[run.key.extraction] = _extract_one(run, trainer, embeddings, writing, say)
    return found


def _extract_one(
    run: Run, trainer: Trainer, embeddings: Path, writing: Mapping[str, Any], say: Say
) -> Extraction | Exception:
    params = run.key.params
    label = f"{params['dataset']} {params['frontend']} seed {run.probe.require_frontend().seed}"
    outcome: Extraction | Exception
    with bar(f"embeddings {label}", len(run.datamodule.listed)) as advance:
        named: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]
        trainer.callbacks = [*named, _Advance(advance)]  # type: ignore[attr-defined]
        try:
            outcome = extract_all(run.probe, run.datamodule, trainer, embeddings, **writing)
        except StoreError:  # it affects all runs: another process writes to the store, or the disk is full
            raise
        except Exception as error:  # a plug-in may raise anything
            if trainer.world_size > 1:
                raise
            outcome = error
        finally:
            trainer.callbacks = named  # type: ignore[attr-defined]
    say(f"{label}: {_one_line(outcome) if isinstance(outcome, Exception) else outcome}")
    return outcome


def _fit(run: Run, extraction: Extraction | Exception, observers: Callable[[], Observers]) -> None:
    """Fit and score a run; if it fails, write the error and the traceback to `error.txt` in its folder."""
    (run.folder / "error.txt").unlink(missing_ok=True)
    try:
        if isinstance(extraction, Exception):
            raise extraction
        seen_by = observers()
        fit_run(run, extraction, seen_by)
        if run.key.params["protocol"] == "holdout":
            ckpt = run.folder / "probe.ckpt"
            test_run(ckpt, run.probe, run.datamodule, extraction, (), seen_by)
        seen_by.close()
    except Exception as error:  # a plug-in may raise anything
        text = f"{_one_line(error)}\n\n{''.join(traceback.format_exception(error))}"
        write_atomically(run.folder / "error.txt", text.encode(errors="backslashreplace"))


def _named(study: Study, run: Run | TrainingJob) -> dict[str, Any]:
    names = {name: run.key.params[name] for name in ("dataset", "frontend", "backend", "seed")}
    return {**names, "run": _relative(study, run)}


def _relative(study: Study, run: Run | TrainingJob) -> str:
    """Return the folder of a run, relative to the folder of the study."""
    return run.folder.relative_to(study.folder).as_posix()


def _outcome_line(outcome: Outcome | None) -> str:
    if isinstance(outcome, Failure):
        return f"failed: {outcome.error}"
    assert isinstance(outcome, Result)
    optimistic = OPTIMISTIC if outcome.selected_on_test else ""
    return f"{100 * outcome.accuracy:.1f} %{optimistic} ({outcome.seconds:.1f} s)"


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {in_terms_of_a_study(' '.join(str(error).split()))}"


def _one_per_extraction(runs: Sequence[Run]) -> list[Run]:
    """Return the first run of each extraction."""
    found: dict[str, Run] = {}
    for run in runs:
        found.setdefault(run.key.extraction, run)
    return list(found.values())


class _Advance(Callback):
    """Callback that advances a progress bar by the clips of each batch.

    Args:
        advance: Function that takes the number of clips in a finished batch.
    """

    def __init__(self, advance: Callable[[int], None]) -> None:
        self._advance = advance

    def on_predict_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self._advance(len(batch.ids) + len(batch.failed))
