"""`untrained classify`: labels for sounds that have none yet, by a trained probe."""

import csv
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, TextIO

import numpy as np
import torch
from pytorch_lightning import Trainer
from pytorch_lightning.utilities.exceptions import MisconfigurationException  # type: ignore[attr-defined]
from rich.table import Table

from ..audio import FitLength
from ..datamodules import AudioDataModule, Clip
from ..datamodules.base import Batch
from ..datamodules.folder import audio_files
from ..errors import UsageError
from ..parsing import Parser, Types
from ..terminal import console, visible
from .checkpoint import Recipe
from .probe import Probe

Format = Literal["table", "csv", "json"]
_MOST_SCORES = 3  # of a sound in a table


@dataclass(frozen=True)
class Labelled:
    """What a probe says of a sound.

    Args:
        path: The file, as it was given.
        label: The class; empty if the file cannot be used.
        scores: Of each class that the backend knows, more is likelier; empty if it gives labels alone.
        kind: What the scores are, as `probability` or `decision value`.
        error: Why the file cannot be used; empty if it can.
    """

    path: str
    label: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    kind: str = ""
    error: str = ""


def classify_parser() -> Parser:
    """Parser of `untrained classify`."""
    parser = Parser(prog="untrained classify", description="Label sounds by a probe that fit has trained.")
    parser.add_argument("paths", nargs="+", help="Files, folders of them, or - for a list of either, one a line.")
    parser.add_argument("--ckpt_path", type=str, required=True, help="The probe.ckpt that fit has written.")
    parser.add_argument("--format", type=Format, default="table", help="Of the output.")
    parser.add_argument("--trust", type=Types, default=[], help="Types that the backend may name beside known ones.")
    parser.add_argument("--batch_size", type=int, default=8, help="Files at a time.")
    parser.add_argument("--num_workers", type=int, default=0, help="Processes that decode.")
    parser.add_argument("--accelerator", type=str, default="auto", help="Where the frontend runs, as cpu or gpu.")
    return parser


def files_of(paths: Sequence[str], listed: Iterable[bytes]) -> Iterator[Labelled]:
    """The files that were asked for, each once: those named, those below folders, and those of a list.

    Args:
        paths: Files, folders, or `-` for the list.
        listed: Files and folders, one a line.

    Yields:
        A sound without a label; of a folder without audio, with an error.
    """
    seen = set()
    for given in paths:
        lines = (os.fsdecode(line).strip("\r\n") for line in listed) if given == "-" else [given]
        for path in filter(None, lines):
            found = [Labelled(path)]
            if os.path.isdir(path):
                files, n_other = audio_files(Path(path))
                found = [Labelled(os.path.join(path, file)) for file in files]
                found = found or [Labelled(path, error=f"holds no audio ({n_other} other files)")]
            for sound in found:
                if sound.path not in seen:
                    seen.add(sound.path)
                    yield sound


def classify(
    probe: Probe,
    recipe: Recipe,
    sounds: Sequence[Labelled],
    *,
    accelerator: str = "auto",
    batch_size: int = 8,
    num_workers: int = 0,
) -> Iterator[Labelled]:
    """Label sounds.

    Args:
        probe: A trained one.
        recipe: What it was made of.
        sounds: The files; those with an error are given back as they are.
        accelerator: Where the frontend runs, as Lightning calls it.
        batch_size: Files at a time.
        num_workers: Processes that decode.

    Yields:
        The sounds, in their order.

    Raises:
        UsageError: There is no such accelerator here.
    """
    try:
        probe.to(Trainer(accelerator=accelerator, devices=1, logger=False).strategy.root_device)
    except (ValueError, MisconfigurationException) as error:
        raise UsageError(f"--accelerator {accelerator}: {error}") from error
    data = _Sounds(
        [sound.path for sound in sounds if not sound.error],
        n_samples=recipe.n_samples,
        fit_length=recipe.fit_length,
        sample_rate=recipe.sample_rate,
        batch_size=batch_size,
        num_workers=num_workers,
    )
    batches = iter(data.predict_dataloader())
    labelled: dict[str, Labelled] = {}
    for sound in sounds:
        while not sound.error and sound.path not in labelled:
            labelled |= _label(next(batches), probe, recipe.class_names)
        yield sound if sound.error else labelled.pop(sound.path)


def _label(batch: Batch, probe: Probe, class_names: Sequence[str]) -> dict[str, Labelled]:
    """What a probe says of the sounds of a batch, by their paths."""
    labelled = {path: Labelled(path, error=error.reason) for path, error in batch.failed}
    if not batch.ids:
        return labelled
    with torch.inference_mode():
        embeddings = probe(batch.waveforms.to(probe.device)).float().cpu().numpy()
    finite = np.isfinite(embeddings).all(axis=1)
    odd = [path for path, is_finite in zip(batch.ids, finite, strict=True) if not is_finite]
    labelled |= {path: Labelled(path, error="its embedding is not finite") for path in odd}
    paths = [path for path in batch.ids if path not in labelled]
    if paths:
        backend = probe.require_backend()
        labels = [class_names[label] for label in backend.predict(embeddings[finite])]
        scores = backend.class_scores(embeddings[finite])
        values, kind = scores or (np.zeros((len(paths), 0)), "")
        known = [class_names[label] for label in backend.classes_] if scores else []
        for path, label, row in zip(paths, labels, values.tolist(), strict=True):
            labelled[path] = Labelled(path, label, dict(zip(known, row, strict=True)), kind)
    return labelled


class _Sounds(AudioDataModule):
    """Files without labels, in the order in which they were asked for."""

    def __init__(
        self,
        paths: Sequence[str],
        *,
        n_samples: int,
        fit_length: FitLength,
        sample_rate: int,
        batch_size: int,
        num_workers: int,
    ) -> None:
        super().__init__(
            n_samples=n_samples,
            fit_length=fit_length,
            sample_rate=sample_rate,
            batch_size=batch_size,
            num_workers=num_workers,
        )
        self._paths = paths

    @cached_property
    def listed(self) -> list[Clip]:
        """The files, which no classes need be checked of."""
        return [Clip(id=path, label="", path=Path(path)) for path in self._paths]


def write_table(sounds: Iterable[Labelled], class_names: Sequence[str], file: TextIO) -> None:
    """Print a table of labels, each with the greatest of its scores; it leaves out files that cannot be used."""
    table = Table("file", "label", "scores")
    kind = ""
    for sound in sounds:
        if not sound.error:
            kind = kind or sound.kind
            best = sorted(sound.scores.items(), key=lambda item: -item[1])[:_MOST_SCORES]
            told = "  ".join(f"{name} {score:.3g}" for name, score in best)
            table.add_row(*map(visible, (sound.path, sound.label, told)))
    if kind:
        table.caption = f"scores: {kind}, greatest first"
    if table.rows:
        console(file, soft_wrap=False).print(table)


def write_csv(sounds: Iterable[Labelled], class_names: Sequence[str], file: TextIO) -> None:
    """Write a line a sound as it comes: its path, label, error, what its scores are, and one for each class."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["path", "label", "error", "kind", *(f"score_{name}" for name in class_names)])
    for sound in sounds:
        scores = [sound.scores.get(name, "") for name in class_names]
        writer.writerow([sound.path, sound.label, sound.error, sound.kind, *scores])
        file.flush()


def write_json(sounds: Iterable[Labelled], class_names: Sequence[str], file: TextIO) -> None:
    """Write a list of objects, a line each as it comes."""
    start = "["
    for sound in sounds:
        scores = {name: score if math.isfinite(score) else None for name, score in sound.scores.items()}
        found = {"label": sound.label, "kind": sound.kind, "scores": scores}
        told = {"path": sound.path, **({"error": sound.error} if sound.error else found)}
        file.write(f"{start}\n{json.dumps(told, allow_nan=False)}")
        file.flush()
        start = ","
    file.write("\n]\n" if start == "," else "[]\n")


WRITERS = {"table": write_table, "csv": write_csv, "json": write_json}
