"""`untrained check data`: decode of every clip what a run reads, and tell what it would meet."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

import joblib
import numpy as np
from jsonargparse import Namespace
from rich.console import Group, RenderableType
from rich.table import Table

from .. import audio
from ..datamodules import AudioDataModule, Clip
from ..datamodules.base import DEFAULT_SAMPLE_RATE
from ..datamodules.clip import SPLITS
from ..errors import AudioError, DataError
from ..parsing import Parser, instantiate
from ..probes.selection import n_inner_folds, resolve
from ..terminal import progress

_SILENT = 1e-4  # peak, -80 dB below full scale
_MOST_SHOWN = 20


@dataclass(frozen=True)
class Finding:
    """What was found of one clip.

    Args:
        clip: The clip.
        header: What its file says of itself; None for a sound that is made, or that cannot be read.
        fingerprint: Digest of the audio that a run reads, rounded to 16 bits; empty if it cannot be read.
        silent: Whether its peak is more than 80 dB below full scale.
        reason: Why it cannot be read; empty if it can.
    """

    clip: Clip
    header: audio.Header | None = None
    fingerprint: str = ""
    silent: bool = False
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """What was found of a data set.

    Args:
        datamodule: The data set.
        findings: Of each clip.
        refusal: Why the data set as a whole cannot be used; empty if it can.
    """

    datamodule: AudioDataModule
    findings: Sequence[Finding] = field(default_factory=list)
    refusal: str = ""

    @property
    def broken(self) -> list[Finding]:
        """Clips that cannot be read."""
        return [finding for finding in self.findings if finding.reason]

    @property
    def silent(self) -> list[Finding]:
        """Clips in which nothing is heard."""
        return [finding for finding in self.findings if finding.silent]

    @property
    def repeated(self) -> list[list[Finding]]:
        """Clips of the same audio, where there are several."""
        same: dict[str, list[Finding]] = {}
        for finding in self.findings:
            if finding.fingerprint and not finding.silent:
                same.setdefault(finding.fingerprint, []).append(finding)
        return [group for group in same.values() if len(group) > 1]

    @property
    def leaks(self) -> list[list[Finding]]:
        """Clips of the same audio in different splits or folds: what is learned of one is tested on the other."""
        return [group for group in self.repeated if len({_place(finding.clip) for finding in group}) > 1]

    @property
    def stops_a_run(self) -> bool:
        """Whether a run on this data, with these options, would end with an error."""
        return bool(self.refusal or (self.broken and self.datamodule.on_error == "raise"))


def data_parser() -> Parser:
    """Parser of `untrained check data`."""
    parser = Parser(prog="untrained check data", description="Decode every clip of a data set, and report on it.")
    parser.add_argument("--config", action="config", help="The options, as a YAML file.")
    parser.add_subclass_arguments(AudioDataModule, "data", required=True, help="The data set.")
    return parser


def check_data(parser: Parser, config: Namespace) -> Report:
    """Decode every clip of a data set.

    Args:
        parser: That the configuration was parsed by.
        config: The data set.
    """
    datamodule: AudioDataModule = instantiate(parser, config).data
    try:
        clips = datamodule.listed
    except DataError as error:
        return Report(datamodule, refusal=str(error))
    # Threads: the decoder and the resampler work outside Python's lock.
    found = joblib.Parallel(n_jobs=-1, prefer="threads", return_as="generator")(
        joblib.delayed(_examine)(datamodule, clip) for clip in clips
    )
    findings = list(progress(found, len(clips), "decoding"))
    return Report(datamodule, findings, _refusal([finding.clip for finding in findings if not finding.reason]))


def _refusal(usable: Sequence[Clip]) -> str:
    """Why no probe could be fitted to these clips; empty if one can."""
    if not usable:
        return "not one of its clips can be read"
    n_learned = len({clip.label for clip in usable if clip.split in (None, "train")})
    if n_learned < 2:
        return f"{n_learned} of its classes are left to learn from; at least two are needed"
    try:
        if resolve("auto", usable) == "holdout" and not any(clip.split == "validation" for clip in usable):
            n_inner_folds([clip for clip in usable if clip.split == "train"])
    except DataError as error:
        return str(error)
    return ""


def render(report: Report) -> RenderableType:
    """A report as tables and lists for a terminal."""
    parts: list[RenderableType] = []
    if report.findings:
        parts += [_counts(report), _properties(report)]
    broken = [f"{finding.clip.id}: {finding.reason}" for finding in report.broken]
    parts += _listed("cannot be read", broken, most=len(broken))
    parts += _listed("silent (peak 80 dB below full scale)", [finding.clip.id for finding in report.silent])
    same = [", ".join(f"{finding.clip.id} ({_place(finding.clip)})" for finding in group) for group in report.leaks]
    parts += _listed("the same audio in different splits or folds (leakage)", same)
    apart = [group for group in report.repeated if group not in report.leaks]
    parts += _listed("the same audio twice", [", ".join(finding.clip.id for finding in group) for group in apart])
    parts += _listed("notes", report.datamodule.notes)
    if report.datamodule.n_other_files:
        parts.append(f"{report.datamodule.n_other_files} other files: no audio, or not of this data set")
    if report.refusal:
        parts.append(f"this data set cannot be used: {report.refusal}")
    elif report.stops_a_run:
        parts.append(
            f"a run would end at {len(report.broken)} of {len(report.findings)} clips; replace or remove them, or skip "
            "them with --data.on_error skip"
        )
    else:
        left = f", {len(report.broken)} are skipped" if report.broken else ""
        parts.append(f"{len(report.findings) - len(report.broken)} clips can be used{left}")
    return Group(*parts)


def _examine(datamodule: AudioDataModule, clip: Clip) -> Finding:
    try:
        header = audio.header(clip.path) if clip.path is not None else None
        decoded = datamodule.read(clip, datamodule.sample_rate or DEFAULT_SAMPLE_RATE)  # just what a run reads
    except AudioError as error:
        return Finding(clip, reason=error.reason)
    coarse = np.round(decoded.waveform * 2**15).astype(np.int32)
    return Finding(
        clip=clip,
        header=header,
        fingerprint=hashlib.sha256(coarse.tobytes()).hexdigest(),
        silent=bool(np.abs(decoded.waveform).max() < _SILENT),
    )


def _place(clip: Clip) -> str:
    return clip.split if clip.split is not None else f"fold {clip.fold}"


def _counts(report: Report) -> Table:
    """Clips of each class in each split or fold."""
    counts = Counter((finding.clip.label, _place(finding.clip)) for finding in report.findings)
    folds = sorted({finding.clip.fold for finding in report.findings if finding.clip.fold is not None})
    places = [*SPLITS, *(f"fold {fold}" for fold in folds)]
    places = [place for place in places if any(place == found for _, found in counts)]
    labels = sorted({label for label, _ in counts})
    table = Table(title=f"{report.datamodule.dataset_name}: {len(report.findings)} clips, {len(labels)} classes")
    for name in ("class", *places, "all"):
        table.add_column(name, justify="left" if name == "class" else "right")
    for label in labels:
        row = [counts[label, place] for place in places]
        table.add_row(label, *map(str, [*row, sum(row)]))
    table.add_section()
    sums = [sum(counts[label, place] for label in labels) for place in places]
    table.add_row("all", *map(str, [*sums, sum(sums)]))
    return table


def _properties(report: Report) -> Table:
    """Durations, rates, channels and formats of the files."""
    headers = [finding.header for finding in report.findings if finding.header is not None]
    table = Table(show_header=False)
    if not headers:
        made = all(finding.clip.path is None for finding in report.findings)
        table.add_row("audio", "made, not read from files" if made else "none that can be read")
        return table
    seconds = sorted(header.seconds for header in headers)
    table.add_row(
        "duration",
        f"{seconds[0]:.2f} to {seconds[-1]:.2f} s, median {median(seconds):.2f} s, {sum(seconds) / 3600:.2f} h in all",
    )
    for name, values in (
        ("rate", [f"{header.rate} Hz" for header in headers]),
        ("channels", [str(header.n_channels) for header in headers]),
        ("format", [header.format for header in headers]),
    ):
        table.add_row(name, ", ".join(f"{value} ({n})" for value, n in Counter(values).most_common()))
    return table


def _listed(title: str, lines: Sequence[str], most: int = _MOST_SHOWN) -> list[str]:
    if not lines:
        return []
    left = [f"  and {len(lines) - most} more"] if len(lines) > most else []
    return [f"{len(lines)} {title}:", *(f"  {line}" for line in lines[:most]), *left]
