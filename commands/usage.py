"""Short `--help` of commands with many options: shows the important options, without importing a parser."""

import shutil
import textwrap
from collections.abc import Iterator, Mapping

from ..registry import BACKENDS, DATAMODULES, FRONTENDS, PROXIES
from . import COMMANDS
from .config import bundled_studies
from .options import CONFIG, MODEL, STORED, TRAINER, Option, backend, data, frontend, plugin

MAX_WIDTH = 100  # columns of text; longer lines are hard to read
_OPTION_WIDTH = 34
_INDENT = 2


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
        "predict": [*frontend(), MODEL[0], MODEL[2], MODEL[4], *MODEL[6:8]],
        "fit": [*frontend(), *backend(), *MODEL],
        "test": [],  # comes from the checkpoint
    }[stage]
    return {
        "Data": data(),
        "Model": [*checkpoint, *model, *_trust(applies=stage == "test")],
        "Files": [*CONFIG, *STORED],
        "Devices": TRAINER,
    }


def _train() -> Mapping[str, list[Option]]:
    trained = plugin("--model.frontend", "Frontend with random weights", FRONTENDS.names(), "n_filters 8")
    return {
        "Data": [*data(), Option("--data.batch_size", "N", "Clips per batch in each process; 32 by default.")],
        "Model": [
            *trained,
            Option("--model.head", "NAME", "Classification head: linear, last, musicnn."),
            Option("--model.head_only", "true|false", "Whether to keep the frontend frozen."),
            Option("--model.learning_rate", "X|[X, ...]", "Peak learning rate; the best one of a list is kept."),
            Option("--model.weight_decay", "X", "Weight decay, except of biases and norms."),
            Option("--model.warmup", "SHARE", "Share of the steps during which the rate rises."),
            Option("--model.betas", "[X, X]", "Coefficients of AdamW's running averages."),
            Option("--model.circular_shift", "true|false", "Whether clips start at a random sample."),
            Option("--model.random_crop", "S", "Seconds from which clips are cropped at random."),
            Option("--model.seed", "N", "Seed; by default, that of the frontend."),
            MODEL[0]._replace(text="Distribution of the random weights."),
            MODEL[2]._replace(text="How feature maps become features."),
        ],
        "Budget": [
            Option("--trainer.max_steps", "N", "Number of steps; 1000 by default."),
            Option("--trainer.max_epochs", "N", "Number of passes over the training clips, instead of steps."),
            Option("--trainer.gradient_clip_val", "X", "Maximum norm of the gradient; 1 by default."),
            Option("--trainer.callbacks", "[NAME, ...]", "Callbacks of Lightning, such as EarlyStopping."),
        ],
        "Files": [
            *CONFIG,
            Option("--ckpt_path", "FILE", "The last.ckpt to resume from; the same command finds its own."),
            Option("--force", "", "Train again, although the run is done."),
        ],
        "Devices": TRAINER,
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
            *(option._replace(value="[...]") for option in (*MODEL[:5], MODEL[6])),
            Option("--model.weights", "[...]", "Weights: random, linear, trained, or files."),
            Option("--seeds", "[N, ...]", "Seeds of frontends and backends."),
            MODEL[5]._replace(name="--protocol"),
            MODEL[8]._replace(name="--fit_memory"),
        ],
        "Training, for the weights `linear` and `trained`": [
            Option("--training.max_steps", "N", "Number of steps; 1000 by default."),
            Option("--training.jobs", "N", "Number of training runs that share a device."),
            Option("--training.ARGUMENT", "VALUE", "Argument of the recipe, such as --training.head last."),
        ],
        "Files": [*CONFIG, *STORED],
        "Devices": TRAINER,
    }


def _rank() -> Mapping[str, list[Option]]:
    return {
        "Study": [
            Option("STUDY", "", f"Study file, or a bundled study: {', '.join(bundled_studies('rank'))}."),
            Option("--name", "NAME", "Name of the study's folder in --trainer.default_root_dir."),
            Option("--roots.NAME", "DIR", "Folder of a data set, such as --roots.gtzan DIR."),
            Option("--dry_run", "", "Only count what is done and to do, and estimate the time."),
            Option("--open", "", "Open the report, report.html, in the browser."),
        ],
        "Architectures and tasks": [
            Option("--datamodules", "[NAME, ...]", "Tasks, which need train, validation and test splits."),
            Option("--designs.n", "N", "Number of drawn designs in the list; 0 for none."),
            Option("--designs.max_flop", "X", "Largest number of operations of a design for one clip."),
            Option("--frontends", "[NAME, ...]", f"Further frontends: {', '.join(FRONTENDS.names())}."),
            Option("--apart", "[NAME, ...]", "Frontends that are reported apart and enter no statistic."),
        ],
        "Protocol, which is frozen before anything is trained": [
            Option("--seeds.random", "[N, ...]", "Seeds of frozen frontends; also --seeds.linear, --seeds.trained."),
            Option("--proxies", "[NAME, ...]", f"Rivals: {', '.join(PROXIES.names())}, nngp."),
            Option("--sensitivities", "[NAME, ...]", "Changes of embeddings: raw, mean_std, last, columns."),
            Option("--training.learning_rate", "[X, ...]", "Learning rates to try."),
            Option("--training.ARGUMENT", "VALUE", "Argument of the recipe, such as --training.max_steps 300."),
            Option("--gate.n", "N", "Number of other designs that are trained before the protocol is frozen."),
        ],
        "Time slots and several machines": [
            Option("--max_seconds", "S", "Start nothing new after this time; what is running ends first."),
            Option("--first", "N", "Carry out the first architectures only, which are a smaller study."),
            Option("--part", "I/N", "Share of the architectures of this machine, such as 1/2."),
            Option("--merge", "DIR ...", "Merge the results in these folders; nothing is computed."),
            Option("--jobs", "N|auto", "Number of processes for each device."),
        ],
        "Files": CONFIG,
        "Devices": TRAINER,
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
        "Data": data(),
        "Model": [*frontend(), MODEL[0], MODEL[2], *MODEL[6:8]],
        "Files": CONFIG,
        "Devices": [Option("--device", "NAME", "Device: cpu, cuda, mps; cpu by default.")],
    }


_USAGE = {
    "predict": "--data NAME --model.frontend NAME [OPTION ...]",
    "fit": "--data NAME --model.frontend NAME --model.backend NAME [OPTION ...]",
    "train": "--data NAME --model.frontend NAME [OPTION ...]",
    "test": "--data NAME --ckpt_path FILE [OPTION ...]",
    "compare": "[STUDY] [OPTION ...]",
    "rank": "[STUDY] [OPTION ...]",
    "proxy": "--data NAME --model.frontend NAME [OPTION ...]",
}
_EXAMPLE = {
    "predict": "--data folder --data.root sounds --model.frontend vgg",
    "fit": "--data folder --data.root sounds --model.frontend vgg --model.backend svm",
    "train": "--data folder --data.root sounds --model.frontend vgg --trainer.max_steps 500",
    "test": "--data folder --data.root sounds --ckpt_path RUN/probe.ckpt",
    "compare": "synthetic --frontends '[vgg, mfcc]' --dry_run",
    "rank": "rank --max_seconds 600",
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
    pages = {"compare": _compare, "train": _train, "rank": _rank, "proxy": _proxy}
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
