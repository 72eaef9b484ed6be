"""A run: a frontend, a backend and a data set, and the folder for all that comes of them."""

import functools
import inspect
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..backends import Backend
from ..backends.base import Array
from ..datamodules import AudioDataModule, Clip
from ..embeddings.provenance import code_digest
from ..files import write_atomically
from ..frontends import Frontend
from ..frontends.base import Options
from ..frontends.measure import Description
from ..plain import digest, plain
from ..registry import BACKENDS, DATAMODULES, FRONTENDS
from ..studies.results import Predictions, predictions_file, read_metrics, units, update_metrics, write_predictions
from . import checkpoint, stages, trained
from . import selection as protocols
from . import tensorboard as review
from .metrics import score
from .probe import EmbeddedData, Probe
from .selection import Selection, resolve
from .stages import Extraction

_LONGEST = 120  # bytes of a label, as it names a folder
_TELLING = {"size"}  # arguments whose values need no name beside them
_OF_PLACE = {"root", "path", "on_error", "batch_size", "num_workers", "sample_rate"}  # change no result
FORMAT = 1  # of a run's results; a run of another is not done


@dataclass(frozen=True)
class Run:
    """A frontend, a backend and a data set, and the folder for all that comes of them.

    Args:
        probe: With frontend, backend and protocol.
        datamodule: The clips.
        folder: Of the run.
        params: What tells the run from others, flat, for tables.
        seed: Of frontend and backend.
        extraction: Digest of the data set and of everything that decides its embeddings.
        identity: Digest of everything that decides the run's result, files and code included.
        config: YAML that `untrained fit --config` repeats it by.
    """

    probe: Probe
    datamodule: AudioDataModule
    folder: Path
    params: dict[str, Any]
    seed: int
    extraction: str
    identity: str
    config: str

    @property
    def is_done(self) -> bool:
        """Whether its folder holds the result of the very same run."""
        return self.is_done_in(self.folder)

    def is_done_in(self, folder: Path) -> bool:
        """Whether a folder holds the result of the very same run."""
        metrics = read_metrics(folder)
        metric = "test/accuracy" if self.params["protocol"] == "holdout" else "cv/accuracy"
        files = ("probe.ckpt", predictions_file(metric))
        return (
            metrics.get("identity") == self.identity
            and metric in metrics
            and all((folder / name).is_file() for name in files)
        )

    @classmethod
    def of(
        cls,
        probe: Probe,
        datamodule: AudioDataModule,
        root: Path,
        embeddings: Mapping[str, Any],
        config: str,
        dataset: str = "",
    ) -> "Run":
        """Name a run by its parts, and by a digest of everything that decides its result.

        Args:
            probe: With frontend, backend and protocol.
            datamodule: The clips.
            root: Folder of all runs.
            embeddings: Everything that decides them, as `identity.describe` gives it.
            config: YAML that repeats the run.
            dataset: Name of the data set, by default the datamodule's own.
        """
        frontend, backend = probe.require_frontend(), probe.require_backend()
        options = {"init": probe.init, "layers": probe.layers, "pooling": probe.pooling}
        seed = frontend.seed if frontend.is_random else getattr(backend, "seed", 0)
        told: dict[str, Any] = {
            "frontend": frontend_label(frontend, options),
            "backend": backend_label(backend, probe.standardize),
            "seed": seed,
            "protocol": resolve(probe.protocol, datamodule.listed),
            **{name: as_text(value) for name, value in options.items()},
            "standardize": probe.standardize,
        }
        params = {"dataset": dataset or datamodule.dataset_name, "datamodule": data_label(datamodule), **told}
        identity = {
            **told,
            "format": FORMAT,
            "embeddings": embeddings,
            "backend_arguments": plain(backend.get_params(deep=False)),
            "clips": [(clip.id, clip.label, clip.split, clip.fold, clip.group) for clip in datamodule.listed],
            "data_seed": datamodule.seed,  # draws the inner folds of a hold-out without validation
        }
        place = [re.sub(r"[^\w.,=+ -]", "_", params[name]) for name in ("dataset", "frontend", "backend")]
        folder = Path(root, *place) / f"seed{seed}-{digest(identity)[:6]}"
        # Data sets of one source share a store, but each has clips of its own.
        extraction = digest({"dataset": params["dataset"], **embeddings})
        state = {"stamps": _stamps(datamodule), "code": code_digest([type(backend), protocols])}
        return cls(probe, datamodule, folder, params, seed, extraction, digest({**identity, **state}), config)


def fit_run(run: Run, extraction: Extraction) -> dict[str, Any]:
    """Fit a run's backend; log, save and return its metrics.

    Args:
        run: Whose probe is fitted.
        extraction: Of its embeddings.
    """
    start = time.perf_counter()
    probe, datamodule, folder = run.probe, run.datamodule, run.folder
    frontend = probe.require_frontend()
    checkpoint.name_frontend(frontend)  # what has no name cannot be saved: said before the search
    checkpoint.name_backend(probe.require_backend())
    cost = _cost(frontend, datamodule.n_samples)
    review.forget_run(folder)
    for path in [folder / "metrics.json", folder / "error.txt", *folder.glob("predictions-*.csv")]:
        path.unlink(missing_ok=True)
    write_atomically(folder / "config.yaml", run.config.encode())
    data = stages.fit(probe, datamodule, extraction.store)
    selection = probe.selection
    assert selection is not None
    scored = [data.learned[index] for index in selection.scored]
    parts = np.repeat(range(len(selection.fold_sizes)), selection.fold_sizes)  # of the train split, without validation
    folds = [str(part) if clip.fold is None else str(clip.fold) for clip, part in zip(scored, parts, strict=True)]
    if selection.protocol == "holdout":
        folds = [str(part) if len(selection.fold_sizes) > 1 else "" for part in parts]
    predictions = _predictions(scored, selection.predictions, datamodule.class_names, folds)
    scores = _scores(selection.score_name, selection.score, predictions)
    write_predictions(folder / predictions_file(selection.score_name), predictions)
    metrics = {
        **run.params,
        "identity": run.identity,
        "input": str(getattr(type(frontend), "input", "")),
        "filters": str(getattr(type(frontend), "filters", "")),
        **scores,
        "best_candidate": selection.best_candidate,
        "protocol": selection.protocol,
        "selected_on_test": selection.selected_on_test,
        "fold_scores": selection.fold_scores,
        "n_features": probe.n_features,
        "n_parameters": cost.n_parameters,
        "flop": cost.flop,
        "n_clips": len(data.clips),
        "n_classes": len(datamodule.class_names),
        "n_failed": len(extraction.failed),
        "notes": list(extraction.notes),
        "extraction": dict(extraction.profile),
        "seconds": round(time.perf_counter() - start, 3),
    }
    trained.save(folder / "probe.ckpt", probe, datamodule, data)
    try:
        _log(run, selection, scores, predictions, data, extraction)
    except Exception as error:  # of a plug-in's odd parts; what was found is not lost for them
        metrics["notes"] = [*extraction.notes, f"not all of it is in TensorBoard ({type(error).__name__}: {error})"]
    update_metrics(folder, metrics)  # last, as a run is done when they are there
    return metrics


def _log(
    run: Run,
    selection: Selection,
    scores: Mapping[str, float],
    predictions: Predictions,
    data: EmbeddedData,
    extraction: Extraction,
) -> None:
    """Show a fitted run in TensorBoard."""
    logger = review.run_logger(run.folder)
    names = run.datamodule.class_names
    review.log_fit(logger, run.params, selection, scores, predictions, names, extraction.profile, run.config)
    ids, labels = zip(*((clip.id, clip.label) for clip in data.learned), strict=True)
    review.log_embeddings(logger, data.embeddings(data.learned), ids, labels, run.probe.require_frontend())
    logger.experiment.close()


def test_run(
    folder: Path, probe: Probe, datamodule: AudioDataModule, extraction: Extraction, class_names: Sequence[str]
) -> dict[str, float]:
    """Score a trained probe on the test split; add the scores to its run's folder, and return them."""
    accuracy, data = stages.score(probe, datamodule, extraction.store, class_names)
    predictions = _predictions(data.tested, probe.test_predictions, class_names, [""] * len(data.tested))
    scores = _scores("test/accuracy", accuracy, predictions)
    write_predictions(folder / predictions_file("test/accuracy"), predictions)
    logger = review.run_logger(folder)
    logger.log_metrics(scores, step=0)
    review.log_predictions(logger, "test", predictions, class_names)
    logger.experiment.close()
    update_metrics(folder, {**scores, "n_test_clips": len(data.tested)})
    return scores


def _predictions(clips: Sequence[Clip], given: Array, class_names: Sequence[str], folds: Sequence[str]) -> Predictions:
    return Predictions(
        ids=[clip.id for clip in clips],
        folds=folds,
        groups=[clip.group or "" for clip in clips],
        labels=[clip.label for clip in clips],
        given=[class_names[label] for label in given],
    )


def _scores(name: str, accuracy: float, predictions: Predictions) -> dict[str, float]:
    """All scores by name, beside the accuracy that is called `val/accuracy` or the like."""
    kind = name.split("/")[0]
    labels, given = np.array(predictions.labels), np.array(predictions.given)
    scored = score(labels, given, predictions.folds, units(predictions))
    return {name: accuracy} | {f"{kind}/{key}": value for key, value in asdict(scored).items()}


@functools.lru_cache(maxsize=4)
def _cost(frontend: Frontend, n_samples: int) -> Description:
    return frontend.describe(n_samples)


def frontend_label(frontend: Frontend, options: Mapping[str, Any]) -> str:
    """Registered name of a frontend, and of its arguments and the probe's options those that are not the default."""
    name = FRONTENDS.name_of(type(frontend)) or type(frontend).__name__
    name = _label(name, _defaults(type(frontend)), frontend.arguments)
    return _label(name, {**Options()._asdict(), "layers": "all"}, options)


def backend_label(backend: Backend, standardize: str) -> str:
    """Registered name of a backend, and of its arguments and the probe's `standardize` what is not the default."""
    name = BACKENDS.name_of(type(backend)) or type(backend).__name__
    name = _label(name, _defaults(type(backend)), backend.get_params(deep=False))
    return _label(name, {"standardize": "none"}, {"standardize": standardize})


def data_label(datamodule: AudioDataModule) -> str:
    """Registered name of a datamodule, and of its arguments those that are not the default and change results."""
    name = DATAMODULES.name_of(type(datamodule)) or type(datamodule).__name__
    defaults = _defaults(type(datamodule))
    given = {key: getattr(datamodule, key, None) for key in defaults if key not in _OF_PLACE}
    return _label(name, defaults, given)


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
    said = (as_text(value) if key in _TELLING else f"{key}={as_text(value)}" for key, value in given.items())
    label = "-".join([name, *said])
    return label if len(label.encode()) <= _LONGEST else f"{name}-{digest(plain(given))[:8]}"


@functools.lru_cache(maxsize=64)
def _stamps(datamodule: AudioDataModule) -> str:
    """Digest of the state of all files of a data set."""
    return digest({"stamps": sorted(datamodule.stamps().items())})
