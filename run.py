"""A run: a front-end, a back-end and a data set, and the folder for all that comes of them."""

import inspect
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import checkpoint, report, stages
from .backends import BackEnd
from .datamodules import AudioDataModule
from .frontends import FrontEnd
from .frontends.base import Options
from .identity import describe as describe_embeddings
from .metrics import Scores, score
from .probe import Probe
from .protocols import resolve
from .registry import BACKENDS, FRONTENDS
from .stages import Extraction
from .store import digest, plain, write_atomically

_LONGEST = 120  # bytes of a label, as it names a folder


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
        options = {"init": probe.init, "layers": probe.layers, "pooling": probe.pooling}
        seed = front_end.seed if is_random(front_end) else getattr(backend, "seed", front_end.seed)
        params: dict[str, Any] = {
            "dataset": dataset or datamodule.dataset_name,
            "front_end": front_end_label(front_end, options),
            "back_end": back_end_label(backend, probe.standardize),
            "seed": seed,
            "protocol": resolve(probe.protocol, datamodule.listed),
            **{name: as_text(value) for name, value in options.items()},
            "standardize": probe.standardize,
        }
        embeddings = describe_embeddings(front_end, datamodule, precision)
        identity = {
            **params,
            "embeddings": embeddings,
            "back_end_arguments": plain(backend.get_params(deep=False)),
            "clips": [(clip.id, clip.label, clip.split, clip.fold, clip.group) for clip in datamodule.listed],
            "data_seed": datamodule.seed,  # draws the inner folds of a hold-out without validation
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
    checkpoint.name_front_end(run.probe.require_front_end())  # what has no name cannot be saved: said before the search
    stages.name_back_end(run.probe.require_back_end())
    report.forget_run(run.folder)
    (run.folder / "metrics.json").unlink(missing_ok=True)
    write_atomically(run.folder / "config.yaml", run.config.encode())
    data = stages.fit(run.probe, run.datamodule, extraction.store)
    selection = run.probe.selection
    assert selection is not None
    labels = data.labels(data.learned)
    scored = score(labels[selection.scored], selection.predictions, selection.fold_sizes)
    scores = _named(selection.score_name, selection.score, scored)
    metrics = {
        **scores,
        "best_candidate": selection.best_candidate,
        "protocol": selection.protocol,
        "selected_on_test": selection.selected_on_test,
        "fold_scores": selection.fold_scores,
        "n_clips": len(data.clips),
        "n_failed": len(extraction.failed),
        "notes": list(extraction.notes),
        "extraction": dict(extraction.profile),
        "seconds": round(time.perf_counter() - start, 3),
    }
    report.update_metrics(run.folder, {**run.params, **metrics})
    logger = report.run_logger(run.folder)
    report.log_fit(
        logger,
        run.params,
        selection,
        scores,
        labels,
        run.datamodule.class_names,
        data.embeddings(data.learned),
        extraction.profile,
    )
    logger.experiment.close()
    stages.save(run.folder / "probe.ckpt", run.probe, run.datamodule, data)  # last, as a plug-in may hold odd things
    return metrics


def test_run(
    folder: Path, probe: Probe, datamodule: AudioDataModule, extraction: Extraction, class_names: Sequence[str]
) -> dict[str, float]:
    """Score a trained probe on the test split; add the scores to its run's folder, and return them."""
    accuracy, data = stages.score(probe, datamodule, extraction.store, class_names)
    labels = data.labels(data.tested)
    scores = _named("test/accuracy", accuracy, score(labels, probe.test_predictions, [len(labels)]))
    report.update_metrics(folder, {**scores, "n_test_clips": len(data.tested)})
    logger = report.run_logger(folder)
    logger.log_metrics(scores, step=0)
    report.log_predictions(logger, "test", labels, probe.test_predictions, class_names)
    logger.experiment.close()
    return scores


def _named(name: str, accuracy: float, scores: Scores) -> dict[str, float]:
    """All scores by name, beside the accuracy that is called `val/accuracy` or the like."""
    kind = name.split("/")[0]
    return {name: accuracy} | {f"{kind}/{key}": value for key, value in asdict(scores).items()}


def is_random(front_end: FrontEnd) -> bool:
    """Whether a seed decides anything of a front-end."""
    return any(True for _ in front_end.parameters())


def front_end_label(front_end: FrontEnd, options: Mapping[str, Any]) -> str:
    """Registered name of a front-end, and of its arguments and the probe's options those that are not the default."""
    name = FRONTENDS.name_of(type(front_end)) or type(front_end).__name__
    name = _label(name, _defaults(type(front_end)), front_end.arguments)
    return _label(name, {**Options()._asdict(), "layers": "all"}, options)


def back_end_label(backend: BackEnd, standardize: str) -> str:
    """Registered name of a back-end, and of its arguments and the probe's `standardize` what is not the default."""
    name = BACKENDS.name_of(type(backend)) or type(backend).__name__
    name = _label(name, _defaults(type(backend)), backend.get_params(deep=False))
    return _label(name, {"standardize": "none"}, {"standardize": standardize})


def as_text(value: Any) -> str:
    """A value as it stands in a table, and in the name of a folder."""
    if isinstance(value, dict):
        return ",".join(f"{key}:{as_text(item)}" for key, item in value.items())
    return ",".join(map(as_text, value)) if isinstance(value, list | tuple) else str(value).replace("/", "_")


def _defaults(cls: type) -> dict[str, Any]:
    return {key: parameter.default for key, parameter in inspect.signature(cls).parameters.items()}


def _label(name: str, defaults: Mapping[str, Any], arguments: Mapping[str, Any]) -> str:
    given = {
        key: value for key, value in arguments.items() if key != "seed" and as_text(value) != as_text(defaults.get(key))
    }
    label = "-".join([name, *(f"{key}={as_text(value)}" for key, value in given.items())])
    return label if len(label.encode()) <= _LONGEST else f"{name}-{digest(plain(given))[:8]}"
