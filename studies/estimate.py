"""Dry run of a study: list its runs and their state, and estimate the time for the runs that are not done."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from pytorch_lightning import Trainer

from ..backends.standardized import Standardized
from ..datamodules import AudioDataModule, Clip
from ..datamodules.machine import plan_loading
from ..embeddings.locate import open_store, store_folder
from ..embeddings.provenance import precision_field
from ..embeddings.recognition import recognise
from ..embeddings.waveforms import Waveforms
from ..errors import AudioError
from ..frontends import Frontend
from ..probes.extraction import fold_probes
from ..probes.run import Run
from ..probes.selection import resolve, select
from ..training.estimate import seconds_of_jobs
from ..training.jobs import TrainingJob, devices_of
from .plan import Study

SEARCH_CLIPS = (150, 300)  # numbers of clips in the two small grid searches that are timed
MIN_TIMED_SECONDS = 0.5  # if the first pass is faster than this, it counts as warm-up and a second pass is timed
WRITING_SECONDS = 0.8  # approximate time for the figures, logs and checkpoint of a run


def dry_run(study: Study, trainer: Trainer, embeddings: Path, *, force: bool) -> Iterator[str]:
    """Yield a description of the work that a study would do, line by line, without doing it.

    Args:
        study: Study to estimate.
        trainer: Trainer that would extract the embeddings.
        embeddings: Folder that holds all stores.
        force: Whether the study would compute everything again.

    Yields:
        A line for each run, then the counts and the estimated times.
    """
    missing: dict[str, tuple[int, Run]] = {}
    waiting = []
    done = study.done()
    for run in study.runs:
        if run.key.identity in done and not force:
            yield f"{run.folder}: done"
            continue
        waiting.append(run)
        if isinstance(run, TrainingJob):
            yield f"{run.folder}: to do, to be trained"
            continue
        if run.key.extraction not in missing:
            missing[run.key.extraction] = (_n_missing(run, str(trainer.precision), embeddings, force=force), run)
        n, total = missing[run.key.extraction][0], len(run.datamodule.listed) * _n_extractions(run)
        yield f"{run.folder}: to do, {total - n} of {total} embeddings are stored"
    yield from study.notes
    n_clips = sum(n for n, _ in missing.values())
    n_done = len(study.runs) - len(waiting)
    yield f"{len(study.runs)} runs: {n_done} done, {len(waiting)} to do; {n_clips} embeddings to compute"
    if waiting:
        extracting = sum(n * _seconds_per_clip(run, trainer) for n, run in missing.values() if n) / trainer.world_size
        trainings = [run for run in waiting if isinstance(run, TrainingJob)]
        fitting = _seconds_of_fits([run for run in waiting if isinstance(run, Run)])
        training = seconds_of_jobs(trainings, trainer.strategy.root_device) / len(devices_of(trainer))
        together = duration(extracting + fitting + training)
        how = "estimated from one clip of each frontend and from small grid searches"
        parts = [f"embeddings {duration(extracting)}", f"fits {duration(fitting)}"]
        if trainings:
            parts.append(f"training {duration(training)}")
            how = "estimated from one clip of each frontend, from small grid searches and from a few steps of training"
        yield f"about {together}: {', '.join(parts)} ({how})"
    to_read = {(run.datamodule, run.probe.require_frontend().sample_rate) for n, run in missing.values() if n}
    to_read |= {(run.datamodule, run.module.frontend.sample_rate) for run in waiting if isinstance(run, TrainingJob)}
    plans = (Waveforms(embeddings, *pair, say=lambda text: None).plan() for pair in to_read)
    yield from sorted(set(filter(None, plans)))


def duration(seconds: float) -> str:
    """Return a duration as readable text.

    Args:
        seconds: Duration in s.

    Example:
        >>> duration(42.3), duration(600), duration(5000)
        ('42 s', '10 min', '1 h 23 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def _n_extractions(run: Run) -> int:
    """Return how often the clips of a run are extracted: once, and once for each fold if its frontend is calibrated."""
    return 1 + len(fold_probes(run.probe, run.datamodule))


def _n_missing(run: Run, precision: str, embeddings: Path, *, force: bool) -> int:
    run.probe.require_frontend().draw()
    probes = [run.probe, *fold_probes(run.probe, run.datamodule).values()]
    precision = precision_field(precision, run.probe)
    return sum(_n_missing_in(embeddings, probe.require_frontend(), run, precision, force=force) for probe in probes)


def _n_missing_in(embeddings: Path, frontend: Frontend, run: Run, precision: str, *, force: bool) -> int:
    """Return the number of embeddings computed with a frontend that are not stored."""
    folder = store_folder(embeddings, frontend, run.datamodule, precision)
    if force or not folder.is_dir():  # opening a store would create it
        return len(run.datamodule.listed)
    store = open_store(embeddings, frontend, run.datamodule, precision, damaged=True)
    return len(store.missing(run.datamodule.stamps())) - len(recognise(store, run.datamodule).found)


def _seconds_per_clip(run: Run, trainer: Trainer) -> float:
    """Time the decoding of the first clip and its pass through the frontend; ignore errors, which the run reports."""
    device, datamodule = trainer.strategy.root_device, run.datamodule
    probe = run.probe
    start = time.perf_counter()
    rate = probe.require_frontend().sample_rate
    try:
        waveform = datamodule.read(datamodule.listed[0], rate).waveform
    except AudioError:
        waveform = np.zeros(datamodule.samples_at(rate), np.float32)
    decoding = time.perf_counter() - start
    probe = probe.to(device)
    n, n_workers = 1, 0
    with contextlib.suppress(Exception):
        n, n_workers = plan_loading(
            1 if device.type == "cpu" else datamodule.batch_size,
            datamodule.num_workers,
            n_clips=len(datamodule.listed),
            n_samples=len(waveform),
            device=device,
            forward=probe,
            n_processes=trainer.num_devices,
        )
    batch = torch.from_numpy(waveform).repeat(n, 1).to(device)
    for _ in range(2):
        start = time.perf_counter()
        with torch.inference_mode(), contextlib.suppress(Exception):
            probe(batch).cpu()  # copying the result waits for the device
        seconds = time.perf_counter() - start
        if seconds > MIN_TIMED_SECONDS:
            break
    probe.to("cpu")
    return decoding / max(1, n_workers) + seconds / n


def _seconds_of_fits(runs: Sequence[Run]) -> float:
    """Extrapolate the time of all fits from small grid searches on random embeddings."""
    known: dict[tuple[str, str, int], float] = {}
    total = 0.0
    for run in runs:
        n_features = run.probe.n_features
        key = (run.key.params["dataset"], run.key.params["backend"], round(np.log2(n_features)))
        if key not in known:
            known[key] = _seconds_of_fit(run, n_features)
        total += known[key] + WRITING_SECONDS
    return total


def _seconds_of_fit(run: Run, n_features: int) -> float:
    n_clips = len([clip for clip in run.datamodule.listed if clip.split != "test"])
    few, more = (min(n, n_clips) for n in SEARCH_CLIPS)
    try:
        longer = _time_search(run, n_features, more)
        if more == n_clips:
            return longer
        growth = np.clip(np.log(longer / _time_search(run, n_features, few)) / np.log(more / few), 0.5, 3)
    except Exception:  # these few clips may not fill all folds, or a plug-in fails, which the run reports
        return 0.0
    return float(longer * (n_clips / more) ** growth)


def _time_search(run: Run, n_features: int, n_clips: int) -> float:
    clips = _thinned(run.datamodule, n_clips)
    labels = np.unique([clip.label for clip in clips], return_inverse=True)[1]
    rng = np.random.default_rng(0)
    X = rng.normal(size=(len(clips), n_features)).astype("f4")  # random data is the slowest case
    backend = run.probe.require_backend()
    backend = Standardized(backend) if run.probe.standardize == "zscore" else backend
    start = time.perf_counter()
    select(backend, X, labels, clips, resolve(run.probe.protocol, run.datamodule.listed), run.datamodule.seed)
    return time.perf_counter() - start


def _thinned(datamodule: AudioDataModule, n: int) -> list[Clip]:
    """Return `n` clips outside the test split, with the same proportions of classes, splits and folds."""
    learned = [clip for clip in datamodule.listed if clip.split != "test"]
    learned.sort(key=lambda clip: (str(clip.split), -1 if clip.fold is None else clip.fold, clip.label))
    return [learned[index] for index in np.linspace(0, len(learned) - 1, n).astype(int)]
