"""Recipe of a fitted probe: everything besides the weights that rebuilds and describes it, as plain values."""

import math
from dataclasses import dataclass, field
from typing import Any, get_args

from ..audio import FitLength
from ..backends.standardized import Standardize
from ..frontends.columns import Layers
from ..frontends.initialisers import Init
from ..frontends.pooling import Pooling

MAX_SAMPLE_RATE = 10_000_000
"""Maximum sample rate of waveforms, in Hz; resampling to a higher sample rate may exhaust memory."""


@dataclass(frozen=True)
class Recipe:
    """Everything besides the weights that rebuilds and describes a fitted probe.

    Args:
        frontend: Registered name of the frontend.
        frontend_arguments: Arguments of the frontend by name, defaults included.
        init: Distribution of the frontend's weights.
        layers: Layers that the backend was fitted to.
        pooling: Pooling of the frontend's feature maps.
        standardize: Standardisation of the features that the backend is fitted to.
        backend: Registered name of the backend.
        sample_rate: Sample rate of waveforms, in Hz.
        n_samples: Length of every waveform, in samples.
        fit_length: Method of extending a shorter clip.
        class_names: Names of the classes, in the order of the backend's labels.
        protocol: Protocol that chose the candidate.
        fitted_to: Fingerprints of the clips that the backend was fitted to; it must not be scored on these clips.
        tf32: Whether embeddings were computed in TF32 on NVIDIA GPUs.
        inverse_temperature: Inverse temperature of the calibrated class scores, see `calibration`; None if the scores
            are not calibrated.
        smoothing: Smoothing of scores that are probabilities, see `calibration`.
        n_calibrated: Number of held-out clips that were available for the calibration.
        scores: Accuracies by name, such as `test/accuracy`. Each is a list of the accuracy and the lower and upper end
            of its 95 % interval, as fractions.
        selected_on_test: Whether the candidate was chosen on the scored clips.
        also_tested: Subset of `fitted_to` whose audio also occurred in the test split; `fit` warned about it.
        calibration: Digests of the calibration clips and of the weights before calibration; empty if the frontend is
            not calibrated.
        input_scalars: Mean and standard deviation by which the frontend normalises its input; (0, 1) means no
            normalisation.
    """

    frontend: str
    frontend_arguments: dict[str, Any]
    init: Init
    layers: Layers
    pooling: Pooling
    standardize: Standardize
    backend: str
    sample_rate: int
    n_samples: int
    fit_length: FitLength
    class_names: list[str]
    protocol: str
    fitted_to: list[str]
    tf32: bool = False
    inverse_temperature: float | None = None
    smoothing: float = 0.001
    n_calibrated: int = 0
    scores: dict[str, list[float]] = field(default_factory=dict)
    selected_on_test: bool = False
    also_tested: list[str] = field(default_factory=list)
    calibration: list[str] = field(default_factory=list)
    input_scalars: list[float] = field(default_factory=lambda: [0.0, 1.0])

    def __post_init__(self) -> None:
        texts = ("frontend", "backend", "protocol")
        choices = {"init": Init, "pooling": Pooling, "standardize": Standardize, "fit_length": FitLength}
        names = {"class_names": self.class_names, "fitted_to": self.fitted_to, "also_tested": self.also_tested}
        names["calibration"] = self.calibration
        wrong = [name for name in texts if not isinstance(getattr(self, name), str)]
        wrong += [name for name, choice in choices.items() if getattr(self, name) not in get_args(choice)]
        wrong += [n for n, found in names.items() if not (type(found) is list and all(type(x) is str for x in found))]
        wrong += [n for n in ("sample_rate", "n_samples") if type(getattr(self, n)) is not int or getattr(self, n) < 1]
        wrong += ["sample_rate"] if not wrong and self.sample_rate > MAX_SAMPLE_RATE else []
        wrong += [n for n in ("tf32", "selected_on_test") if type(getattr(self, n)) is not bool]
        factor = self.inverse_temperature
        wrong += [] if factor is None or _is_positive(factor) else ["inverse_temperature"]
        wrong += [] if type(self.smoothing) is float and 0 < self.smoothing < 1 else ["smoothing"]
        wrong += [] if type(self.n_calibrated) is int else ["n_calibrated"]
        wrong += [] if _are_scores(self.scores) else ["scores"]
        wrong += [] if _are_scalars(self.input_scalars) else ["input_scalars"]
        if not isinstance(self.frontend_arguments, dict) or wrong:
            raise ValueError(f"{(wrong or ['frontend_arguments'])[0]} has an invalid type or value")

    @property
    def expected(self) -> tuple[str, list[float]] | None:
        """Name and values of the accuracy to expect on new clips, from the test split if it is scored."""
        names = ("test/accuracy", "cv/accuracy", "val/accuracy")
        return next(((name, self.scores[name]) for name in names if name in self.scores), None)

    def describe_expected(self) -> str:
        """Return one sentence on the accuracy to expect on new clips."""
        if self.expected is None:
            return "Accuracy to expect: unknown, because this checkpoint holds no scores; fit the probe again."
        name, (accuracy, low, high) = self.expected
        text = (
            f"Accuracy to expect: {100 * accuracy:.1f} % [{100 * low:.1f}, {100 * high:.1f}] "
            f"({name}, protocol {self.protocol}), if these sounds are similar to those that it was measured on"
        )
        chosen = self.selected_on_test or name == "val/accuracy"
        return (
            f"{text}; it is optimistic, because the backend was chosen on the scored clips." if chosen else f"{text}."
        )

    def describe_scores(self, kind: str) -> str:
        """Return a text that explains the class scores of sounds.

        Args:
            kind: Kind of the scores, as `Backend.class_scores` names it.
        """
        if self.inverse_temperature is not None:
            return f"Probabilities are calibrated on {self.n_calibrated} held-out clips."
        return (
            f"Scores are uncalibrated ({kind}): calibration needs more held-out clips with scores "
            f"({self.n_calibrated} available); compare the classes of one clip, not scores between clips."
        )


def _is_positive(value: object) -> bool:
    return type(value) is float and 0 < value < math.inf


def _are_scalars(scalars: object) -> bool:
    """Return whether these are a finite mean and a standard deviation above 0."""
    return type(scalars) is list and len(scalars) == 2 and _is_finite(scalars[0]) and _is_positive(scalars[1])


def _is_finite(value: object) -> bool:
    return type(value) is float and math.isfinite(value)


def _are_scores(scores: object) -> bool:
    """Return whether a value is a dictionary of accuracies, each with the ends of its interval."""
    return isinstance(scores, dict) and all(
        type(name) is str
        and type(values) is list
        and len(values) == 3
        and all(type(value) is float and 0 <= value <= 1 for value in values)
        for name, values in scores.items()
    )
