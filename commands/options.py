"""Options that the short help of several commands shows."""

from collections.abc import Sequence
from typing import NamedTuple

from ..registry import BACKENDS, DATAMODULES, FRONTENDS


class Option(NamedTuple):
    """Option on a help page.

    Args:
        name: Name of the option.
        value: Placeholder of its value; empty if it takes none.
        text: Description.
    """

    name: str
    value: str
    text: str


def plugin(option: str, kind: str, names: Sequence[str], example: str) -> list[Option]:
    """Return the options of a kind of plug-in.

    Args:
        option: Name of the option that takes the plug-in.
        kind: Description of the kind.
        names: Registered names.
        example: Argument of a plug-in with a value.
    """
    return [
        Option(option, "NAME", f"{kind}: {', '.join(names)}."),
        Option(f"{option}.ARGUMENT", "VALUE", f"Argument of the {kind.lower()}, such as {option}.{example}."),
        Option(f"{option}.help", "NAME", f"Show the arguments of a {kind.lower()} and exit."),
    ]


def data() -> list[Option]:
    """Return the options of data sets."""
    named, more, help = plugin("--data", "Data set", DATAMODULES.names(), "root DIR")
    return [
        named,
        Option("--data.root", "DIR", "Folder of the sounds; `folder` expects one sub-folder per class."),
        Option("--data.seconds", "S", "Length of every clip, in s."),
        Option("--data.n_samples", "N", "Length of every clip, in samples, instead of --data.seconds."),
        Option("--data.cache", "NAME", "Waveforms on disk: auto, float32, int16, off."),
        Option("--data.folds", "N", "Number of folds, for data without official splits."),
        Option(
            "--data.group_by",
            "REGEX",
            "Regular expression that extracts the recording, which is never divided, from a clip id.",
        ),
        Option("--data.on_error", "skip|raise", "Whether to skip files that cannot be read, or to raise an error."),
        more,
        help,
    ]


MODEL = [
    Option(
        "--model.init", "NAME", "Distribution of the weights: he_truncated, he_normal, xavier, orthogonal, pytorch."
    ),
    Option("--model.layers", "all|last|[N, ...]", "Layers that the backend learns from."),
    Option("--model.pooling", "NAME", "How feature maps become features: mean, mean_std, max, mean_max."),
    Option("--model.standardize", "NAME", "Scaling of the features: zscore, or none to leave them unchanged."),
    Option("--model.tf32", "true|false", "Whether NVIDIA GPUs compute in TF32, which is faster and less exact."),
    Option("--model.protocol", "NAME", "How candidates are chosen and scored: auto, holdout, nested, study."),
    Option("--model.calibrate", "true|false", "Whether to normalise with statistics of the training clips."),
    Option("--model.weights", "random|FILE", "Random weights, or a frontend.safetensors written by train."),
    Option("--model.fit_memory", "GIB|auto", "Memory for the fit, in GiB."),
]
STORED = [
    Option("--embeddings", "DIR", "Folder of all embedding stores."),
    Option("--force", "", "Recompute stored embeddings and repeat finished runs."),
    Option("--flush_every", "N", "Number of rows to keep in memory before they are written."),
    Option("--flush_seconds", "S", "Maximum time before rows are written, in s."),
]
CONFIG = [
    Option("--config", "FILE", "YAML file with options; options after it take precedence."),
    Option("--print_config", "", "Print all options as YAML and exit."),
]
TRAINER = [
    Option("--trainer.accelerator", "NAME", "Device: auto, cpu, gpu, mps."),
    Option("--trainer.devices", "N|auto", "Number of devices that share the clips."),
    Option("--trainer.precision", "NAME", "Precision of the network, such as 32-true or bf16-mixed."),
    Option("--trainer.default_root_dir", "DIR", "Folder of all results; runs by default."),
]


def frontend() -> list[Option]:
    """Return the options of frontends."""
    return plugin("--model.frontend", "Frontend", FRONTENDS.names(), "n_filters 8")


def backend() -> list[Option]:
    """Return the options of backends."""
    return plugin("--model.backend", "Backend", BACKENDS.names(), "kernel rbf")
