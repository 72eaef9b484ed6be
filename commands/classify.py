"""`untrained classify`: label new sounds with a fitted probe."""

import csv
import io
import json
import math
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TextIO

from rich.table import Column, Table

from ..datamodules.lengths import length_notice, repetition_notice
from ..datamodules.machine import Auto
from ..datamodules.search import search
from ..errors import UsageError
from ..escaping import for_terminal
from ..parsing import ABOUT_TRUST, Parser, Types
from ..probes.calibration import PROBABILITY
from ..probes.fitted import FittedProbe, load_probe
from ..probes.labelling import Labelled
from ..probes.recipe import Recipe
from ..terminal import console, say
from .dispatch import begin, refuse_several_checkpoints

Format = Literal["table", "csv", "json"]
MAX_OTHERS = 2  # classes that a table shows besides the label
MAX_NAMES = 3  # files that a warning names


def run(argv: list[str]) -> int:
    """Label files, and also report files that cannot be used on standard error.

    Args:
        argv: Command line without `classify`.

    Returns:
        Exit status.
    """
    refuse_several_checkpoints(argv)
    begin()
    config = classify_parser().parse_args(argv)
    fitted = load_probe(config.ckpt_path, config.trust)
    options = {name: config[name] for name in ("accelerator", "batch_size", "num_workers")}
    failed = 0
    lengths: list[float] = []
    learned: list[str] = []

    def with_errors_reported(sounds: Iterable[Labelled]) -> Iterator[Labelled]:
        nonlocal failed
        for sound in sounds:
            if sound.error:
                failed += 1
                say(f"untrained: {for_terminal(sound.path)}: {sound.error}", sys.stderr)
            else:
                lengths.append(sound.seconds)
            if sound.used_to_fit:
                learned.append(sound.path)
            yield sound

    if isinstance(sys.stdout, io.TextIOWrapper):
        # Print the bytes of a path unchanged, if the encoding can represent them.
        sys.stdout.reconfigure(errors="surrogateescape" if sys.stdout.encoding == "utf-8" else "backslashreplace")
    if "-" in config.paths and sys.stdin is None:
        raise UsageError("-: standard input is closed; redirect a list of files to it, or give files instead of -")
    sounds = list(files_of(config.paths, sys.stdin.buffer if "-" in config.paths else []))
    WRITERS[config.format](with_errors_reported(fitted.label(sounds, **options)), fitted.recipe, sys.stdout)
    if config.format == "csv":
        say(f"untrained: {fitted.recipe.describe_expected()}", sys.stderr)
    for notice in _notices(fitted, lengths):
        say(f"untrained: {notice}", sys.stderr)
    if learned:
        say(f"untrained: warning: {_describe_learned(learned, len(sounds))}", sys.stderr)
    return int(failed > 0)


def _notices(fitted: FittedProbe, lengths: Sequence[float]) -> list[str]:
    """Return notes on files that are cut or repeated to the length that the probe reads; `lengths` is in s."""
    recipe = fitted.recipe
    given = recipe.n_samples / recipe.sample_rate
    needed = fitted.frontend.min_samples / recipe.sample_rate
    found = [length_notice(lengths, given, recipe.fit_length, "files")]
    found += [repetition_notice(recipe.frontend, needed, given)] if lengths else []
    return [notice for notice in found if notice]


def classify_parser() -> Parser:
    """Return the parser of `untrained classify`."""
    parser = Parser(prog="untrained classify", description="Label sounds with a fitted probe.")
    help = "Files, folders, or - to read paths from standard input, one per line."
    parser.add_argument("paths", nargs="+", help=help)
    help = "Checkpoint of a fitted probe: probe.ckpt, or the folder of its run."
    parser.add_argument("--ckpt_path", type=str, required=True, help=help)
    parser.add_argument("--format", type=Format, default="table", help="Format of the output.")
    parser.add_argument("--trust", type=Types, default=[], help=ABOUT_TRUST)
    parser.add_argument("--batch_size", type=int | Auto, default="auto", help="Number of files in a batch, or auto.")
    help = "Number of processes that decode files, or auto."
    parser.add_argument("--num_workers", type=int | Auto, default="auto", help=help)
    help = "Device that runs the frontend, such as cpu or gpu."
    parser.add_argument("--accelerator", type=str, default="auto", help=help)
    return parser


def files_of(paths: Sequence[str], listed: Iterable[bytes]) -> Iterator[Labelled]:
    """Yield each requested file once: files that are named, files below folders, and files of a list.

    Args:
        paths: Files, folders, or `-` for the list.
        listed: Lines of the list, each a file or a folder.

    Yields:
        Sound without a label. It has an error if its path is a checkpoint, or a folder that cannot be searched or that
        contains no audio.
    """
    seen = set()
    for given in paths:
        lines = (os.fsdecode(line).strip("\r\n") for line in listed) if given == "-" else [given]
        for path in filter(None, lines):
            other = "the file is a checkpoint, not audio; give it with --ckpt_path" if path.endswith(".ckpt") else ""
            found = [Labelled(path, error=other)]
            if os.path.isdir(path):
                content = search(Path(path))
                found = [Labelled(os.path.join(path, file)) for file in content.files]
                found += [
                    Labelled(os.path.join(path, name), error=f"the folder {why}")
                    for name, why in content.problems.items()
                ]
                found = found or [
                    Labelled(path, error=f"the folder contains no audio ({len(content.others)} other files)")
                ]
            for sound in found:
                if sound.path not in seen:
                    seen.add(sound.path)
                    yield sound


def write_table(sounds: Iterable[Labelled], recipe: Recipe, file: TextIO) -> None:
    """Print a table of labels, each with its score and the scores of the next classes.

    Files that cannot be used are left out. The kind of scores and the expected accuracy are printed below the table.
    """
    usable = [sound for sound in sounds if not sound.error]
    kind = usable[0].kind if usable else ""
    is_probability = kind.endswith(PROBABILITY)
    table = Table(Column("file", overflow="fold"), "label")
    for name in (PROBABILITY if is_probability else "score", "other classes") if kind else ():
        table.add_column(name)
    for sound in usable:
        scores = {name: f"{score:.2f}" if is_probability else f"{score:.3g}" for name, score in sound.scores.items()}
        others = sorted(sound.scores.keys() - {sound.label}, key=lambda name: (-sound.scores[name], name))
        shown = ", ".join(f"{name} {scores[name]}" for name in others[:MAX_OTHERS])
        table.add_row(*map(for_terminal, (sound.path, sound.label, *([scores[sound.label], shown] if kind else []))))
    if usable:
        console(file, soft_wrap=False).print(table)
        notes = [recipe.describe_scores(kind)] if kind else []
        say("\n".join([*notes, recipe.describe_expected()]), file)


def write_csv(sounds: Iterable[Labelled], recipe: Recipe, file: TextIO) -> None:
    """Write one CSV row per sound, as soon as the sound is labelled.

    The columns are the path, the label, the error, whether the probe was fitted to the file, the kind of scores, and
    the score of each class.
    """
    names = recipe.class_names
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["path", "label", "error", "used_to_fit", "kind", *(f"score_{name}" for name in names)])
    for sound in sounds:
        scores = [sound.scores.get(name, "") for name in names]
        used = "" if sound.error else str(sound.used_to_fit).lower()
        writer.writerow([sound.path, sound.label, sound.error, used, sound.kind, *scores])
        file.flush()


def write_json(sounds: Iterable[Labelled], recipe: Recipe, file: TextIO) -> None:
    """Write a JSON list with one object per sound, each on its own line and as soon as the sound is labelled."""
    name, values = recipe.expected or ("", [])
    expected = {"score": name, **dict(zip(("value", "low", "high"), values, strict=True))} if name else None
    start = "["
    for sound in sounds:
        scores = {name: score if math.isfinite(score) else None for name, score in sound.scores.items()}
        found: dict[str, Any] = {"label": sound.label, "kind": sound.kind, "scores": scores}
        found |= {"used_to_fit": sound.used_to_fit, "expected_accuracy": expected}
        line = {"path": sound.path, **({"error": sound.error} if sound.error else found)}
        file.write(f"{start}\n{json.dumps(line, allow_nan=False)}")
        file.flush()
        start = ","
    file.write("\n]\n" if start == "," else "[]\n")


def _describe_learned(paths: Sequence[str], n_sounds: int) -> str:
    names = ", ".join(map(for_terminal, paths[:MAX_NAMES])) + (", ..." if len(paths) > MAX_NAMES else "")
    return (
        f"the probe was fitted to {len(paths)} of these {n_sounds} sounds ({names}), so their labels and scores are "
        "better than those of new sounds"
    )


WRITERS = {"table": write_table, "csv": write_csv, "json": write_json}
