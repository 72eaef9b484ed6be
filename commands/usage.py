"""Short `--help` of commands with many options: shows the important options, without importing a parser."""

import shutil
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..registry import BACKENDS, DATAMODULES, FRONTENDS, PROXIES
from . import COMMANDS
from .config import bundled_studies

MAX_WIDTH = 100  # columns of text; longer lines are hard to read
_OPTION_WIDTH = 34
_INDENT = 2


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


def _plugin(option: str, kind: str, names: Sequence[str], example: str) -> list[Option]:
    return [
        Option(option, "NAME", f"{kind}: {', '.join(names)}."),
        Option(f"{option}.ARGUMENT", "VALUE", f"Argument of the {kind.lower()}, such as {option}.{example}."),
        Option(f"{option}.help", "NAME", f"Show the arguments of a {kind.lower()} and exit."),
    ]


def _data() -> list[Option]:
    named, more, help = _plugin("--data", "Data set", DATAMODULES.names(), "root DIR")
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


_MODEL = [
    Option(
        "--model.init", "NAME", "Distribution of the weights: he_truncated, he_normal, xavier, orthogonal, pytorch."
    ),
    Option("--model.layers", "all|last|[N, ...]", "Layers of the frontend that the backend learns from."),
    Option("--model.pooling", "NAME", "How feature maps become features: mean, mean_std, max, mean_max."),
    Option("--model.standardize", "NAME", "Scaling of the features: zscore, or none to leave them unchanged."),
    Option("--model.tf32", "true|false", "Whether NVIDIA GPUs compute in TF32, which is faster and less exact."),
    Option("--model.protocol", "NAME", "How candidates are chosen and scored: auto, holdout, nested, study."),
    Option("--model.calibrate", "true|false", "Whether to normalise with statistics of the training clips."),
    Option("--model.weights", "random|FILE", "Random weights, or a frontend.safetensors written by train."),
]
_STORED = [
    Option("--embeddings", "DIR", "Folder of all embedding stores."),
    Option("--force", "", "Recompute stored embeddings and repeat finished runs."),
    Option("--flush_every", "N", "Number of rows to keep in memory before they are written."),
    Option("--flush_seconds", "S", "Maximum time before rows are written, in s."),
]
_CONFIG = [
    Option("--config", "FILE", "YAML file with options; options after it take precedence."),
    Option("--print_config", "", "Print all options as YAML and exit."),
]
_TRAINER = [
    Option("--trainer.accelerator", "NAME", "Device: auto, cpu, gpu, mps."),
    Option("--trainer.devices", "N|auto", "Number of devices that share the clips."),
    Option("--trainer.precision", "NAME", "Precision of the network, such as 32-true or bf16-mixed."),
    Option("--trainer.default_root_dir", "DIR", "Folder of all results; runs by default."),
]


def _frontend() -> list[Option]:
    return _plugin("--model.frontend", "Frontend", FRONTENDS.names(), "n_filters 8")


def _backend() -> list[Option]:
    return _plugin("--model.backend", "Backend", BACKENDS.names(), "kernel rbf")


def _trust(*, applies: bool) -> list[Option]:
    text = (
        "Additional Python types and modules that a checkpoint may load, such as mypackage.MyScaler. Trust only files "
    )
    text += "whose origin you know."  # as in `parsing`, which would import a parser
    return [Option("--trust", "TYPE|[TYPE, ...]", text)] if applies else []


def _stage(stage: str) -> Mapping[str, list[Option]]:
    """Return the sections of the help page of a stage."""
    about = "Checkpoint of a fitted probe: probe.ckpt, or the folder of its run."
    checkpoint = [Option("--ckpt_path", "FILE", about)] if stage == "test" else []
    model = {
        "predict": [*_frontend(), _MODEL[0], _MODEL[2], _MODEL[4], *_MODEL[6:]],
        "fit": [*_frontend(), *_backend(), *_MODEL],
        "test": [],  # comes from the checkpoint
    }[stage]
    return {
        "Data": _data(),
        "Model": [*checkpoint, *model, *_trust(applies=stage == "test")],
        "Files": [*_CONFIG, *_STORED],
        "Devices": _TRAINER,
    }


def _train() -> Mapping[str, list[Option]]:
    frontend = _plugin("--model.frontend", "Frontend with random weights", FRONTENDS.names(), "n_filters 8")
    return {
        "Data": [*_data(), Option("--data.batch_size", "N", "Clips per batch in each process; 32 by default.")],
        "Model": [
            *frontend,
            Option("--model.head", "NAME", "Classification head: linear, last, musicnn."),
            Option("--model.head_only", "true|false", "Whether to keep the frontend frozen."),
            Option("--model.learning_rate", "X|[X, ...]", "Peak learning rate; the best one of a list is kept."),
            Option("--model.weight_decay", "X", "Weight decay, except of biases and norms."),
            Option("--model.warmup", "SHARE", "Share of the steps during which the rate rises."),
            Option("--model.betas", "[X, X]", "Coefficients of AdamW's running averages."),
            Option("--model.circular_shift", "true|false", "Whether clips start at a random sample."),
            Option("--model.random_crop", "S", "Seconds from which clips are cropped at random."),
            Option("--model.seed", "N", "Seed; by default, that of the frontend."),
            _MODEL[0]._replace(text="Distribution of the random weights."),
            _MODEL[2]._replace(text="How feature maps become features."),
        ],
        "Budget": [
            Option("--trainer.max_steps", "N", "Number of steps; 1000 by default."),
            Option("--trainer.max_epochs", "N", "Number of passes over the training clips, instead of steps."),
            Option("--trainer.gradient_clip_val", "X", "Maximum norm of the gradient; 1 by default."),
            Option("--trainer.callbacks", "[NAME, ...]", "Callbacks of Lightning, such as EarlyStopping."),
        ],
        "Files": [
            *_CONFIG,
            Option("--ckpt_path", "FILE", "The last.ckpt to resume from; the same command finds its own."),
            Option("--force", "", "Train again, although the run is done."),
        ],
        "Devices": _TRAINER,
    }


def _compare() -> Mapping[str, list[Option]]:
    return {
        "Study": [
            Option("STUDY", "", f"Study file, or a bundled study: {', '.join(bundled_studies())}."),
            Option("--name", "NAME", "Name of the study's folder in --trainer.default_root_dir."),
            Option("--roots.NAME", "DIR", "Folder of a data set, such as --roots.gtzan DIR."),
            Option("--dry_run", "", "Only list the runs and stored embeddings, and estimate the time."),
            Option("--rank", "DIR", "Folder of a rank study: what have such differences been worth after training?"),
            Option("--open", "", "Open the report, report.html, in the browser."),
        ],
        "Axes": [
            Option("--datamodules", "[NAME, ...]", f"Data sets: {', '.join(DATAMODULES.names())}."),
            Option("--frontends", "[NAME, ...]", f"Frontends: {', '.join(FRONTENDS.names())}."),
            Option("--controls", "[NAME, ...]", "Baseline frontends to compare with; [logmel_stats] by default."),
            Option("--backends", "[NAME, ...]", f"Backends: {', '.join(BACKENDS.names())}."),
            *(
                Option(f"--vary.{kind}", "{ARGUMENT: [...]}", f"Values of arguments to try with all {kind}.")
                for kind in ("datamodules", "frontends", "backends")
            ),
            *(option._replace(value="[...]") for option in (*_MODEL[:5], _MODEL[6])),
            Option("--model.weights", "[...]", "Weights: random, linear, trained, or files."),
            Option("--seeds", "[N, ...]", "Seeds of frontends and backends."),
            _MODEL[5]._replace(name="--protocol"),
        ],
        "Training, for the weights `linear` and `trained`": [
            Option("--training.max_steps", "N", "Number of steps; 1000 by default."),
            Option("--training.jobs", "N", "Number of training runs that share a device."),
            Option("--training.ARGUMENT", "VALUE", "Argument of the recipe, such as --training.head last."),
        ],
        "Files": [*_CONFIG, *_STORED],
        "Devices": _TRAINER,
    }


def _proxy() -> Mapping[str, list[Option]]:
    return {
        "Proxies": [
            Option("--proxies", "NAME ...", f"Proxies: {', '.join(PROXIES.names())}, nngp; all by default."),
            Option("--n_clips", "N", "Number of training clips in a batch; 64 by default."),
            Option(
                "--n_batches", "N", "Number of batches; 2 by default. Most proxies read the first; zico and nngp, all."
            ),
            Option(
                "--seeds", "N ...", "Seeds of the frontend, over which values are averaged; nngp joins their features."
            ),
        ],
        "Data": _data(),
        "Model": [*_frontend(), _MODEL[0], _MODEL[2], *_MODEL[6:]],
        "Files": _CONFIG,
        "Devices": [Option("--device", "NAME", "Device: cpu, cuda, mps; cpu by default.")],
    }


_USAGE = {
    "predict": "--data NAME --model.frontend NAME [OPTION ...]",
    "fit": "--data NAME --model.frontend NAME --model.backend NAME [OPTION ...]",
    "train": "--data NAME --model.frontend NAME [OPTION ...]",
    "test": "--data NAME --ckpt_path FILE [OPTION ...]",
    "compare": "[STUDY] [OPTION ...]",
    "proxy": "--data NAME --model.frontend NAME [OPTION ...]",
}
_EXAMPLE = {
    "predict": "--data folder --data.root sounds --model.frontend vgg",
    "fit": "--data folder --data.root sounds --model.frontend vgg --model.backend svm",
    "train": "--data folder --data.root sounds --model.frontend vgg --trainer.max_steps 500",
    "test": "--data folder --data.root sounds --ckpt_path RUN/probe.ckpt",
    "compare": "synthetic --frontends '[vgg, mfcc]' --dry_run",
    "proxy": "--data folder --data.root sounds --model.frontend vgg --proxies naswot snip",
}


def run(argv: list[str]) -> int:
    """Print the short help of a command.

    Args:
        argv: Name of the command.

    Returns:
        Exit status.
    """
    print(page(argv[0], shutil.get_terminal_size().columns))
    return 0


def sections(command: str) -> Mapping[str, list[Option]]:
    """Return the options on the help page of a command, by section."""
    pages = {"compare": _compare, "train": _train, "proxy": _proxy}
    return pages[command]() if command in pages else _stage(command)


def page(command: str, width: int) -> str:
    """Return the short help of a command.

    Args:
        command: One of `WITH_SHORT_HELP`.
        width: Number of columns.
    """
    width = min(width, MAX_WIDTH)
    lines = textwrap.wrap(f"usage: untrained {command} {_USAGE[command]}", width, subsequent_indent=" " * 7)
    lines += ["", COMMANDS[command]]
    for title, options in sections(command).items():
        lines += ["", f"{title}:", *(line for option in options for line in _lines(option, width))]
    lines += ["", *textwrap.wrap(f"example: untrained {command} {_EXAMPLE[command]}", width, subsequent_indent=" " * 9)]
    more = f"untrained {command} --help-all shows all options, including those of Lightning."
    lines += ["", *textwrap.wrap(more, width)]
    return "\n".join(lines)


def _lines(option: Option, width: int) -> Iterator[str]:
    """Yield the lines of an option: name and value on the left, the description on the right."""
    left = f"{' ' * _INDENT}{option.name} {option.value}".rstrip()
    text = textwrap.wrap(option.text, width - _OPTION_WIDTH, break_on_hyphens=False)
    if len(left) >= _OPTION_WIDTH - 1:
        yield left
        left = ""
    for line in text:
        yield f"{left:<{_OPTION_WIDTH}}{line}"
        left = ""
