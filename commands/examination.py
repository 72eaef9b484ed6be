"""Findings of `untrained check data`: clips that are broken, silent or repeated, and splits that leak."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import joblib
import numpy as np

from .. import audio
from ..datamodules import AudioDataModule, Clip
from ..datamodules.base import DEFAULT_SAMPLE_RATE
from ..datamodules.classes import notes_on_classes
from ..datamodules.contract import read_by
from ..embeddings.extract import why_clips_are_absent
from ..errors import AudioError, DataError, PluginError
from ..probes.selection import resolve
from ..terminal import progress

MAX_SILENT_PEAK = 1e-4  # 80 dB below full scale


@dataclass(frozen=True)
class Finding:
    """The findings about one clip.

    Args:
        clip: The clip.
        header: Header of its file; None for a generated sound, or for a file that cannot be read.
        fingerprint: Digest of the audio that a run reads, rounded to 16 bits; empty if it cannot be read.
        silent: Whether the peak is more than 80 dB below full scale.
        reason: Reason why the clip cannot be read; empty if it can.
        seconds: Duration of the whole clip in s, as decoding shows it; 0 if it cannot be read.
        remarks: Unusual properties of a file that can be read.
    """

    clip: Clip
    header: audio.Header | None = None
    fingerprint: str = ""
    silent: bool = False
    reason: str = ""
    seconds: float = 0.0
    remarks: Sequence[audio.Remark] = ()


@dataclass(frozen=True)
class Examination:
    """The findings about a data set.

    Args:
        datamodule: The data set.
        findings: Findings about each clip.
        refusal: Reason why the data set as a whole cannot be used; empty if it can.
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
        """Clips without audible sound."""
        return [finding for finding in self.findings if finding.silent]

    @property
    def repeated(self) -> list[list[Finding]]:
        """Clips that share their audio with other clips."""
        same: dict[str, list[Finding]] = {}
        for finding in self.findings:
            if finding.fingerprint and not finding.silent:
                same.setdefault(finding.fingerprint, []).append(finding)
        return [group for group in same.values() if len(group) > 1]

    @property
    def leaks(self) -> list[list[Finding]]:
        """Clips whose audio occurs in several splits or folds, which leaks test data into training."""
        return [group for group in self.repeated if len({finding.clip.part for finding in group}) > 1]

    @property
    def notes(self) -> list[str]:
        """Notes on the data set, and on classes that are missing."""
        clips, unusable = [finding.clip for finding in self.findings], {finding.clip.id for finding in self.broken}
        return [*self.datamodule.notes, *notes_on_classes(clips, unusable)]

    @property
    def given(self) -> float:
        """Length to which a run cuts or repeats each clip, in s, at the default sample rate if none is given."""
        rate = self.datamodule.sample_rate or DEFAULT_SAMPLE_RATE
        return self.datamodule.samples_at(rate) / rate

    @property
    def lengths(self) -> list[float]:
        """Durations of the clips that can be read, in s, in ascending order."""
        return sorted(finding.seconds for finding in self.findings if not finding.reason)

    @property
    def stops_a_run(self) -> bool:
        """Whether a run on this data with these options would end with an error."""
        return bool(self.refusal or (self.broken and self.datamodule.on_error == "raise"))


def examine(datamodule: AudioDataModule) -> Examination:
    """Decode every clip of a data set, exactly as a run does.

    Args:
        datamodule: Data set to examine.
    """
    try:
        clips = datamodule.listed
    except DataError as error:
        return Examination(datamodule, refusal=str(error))
    # Threads suffice, because the decoder and the resampler release the GIL.
    found = joblib.Parallel(n_jobs=-1, prefer="threads", return_as="generator")(
        joblib.delayed(_examine_clip)(datamodule, clip) for clip in clips
    )
    findings = list(progress(found, len(clips), "decoding"))
    return Examination(datamodule, findings, _refusal(datamodule, findings))


def _refusal(datamodule: AudioDataModule, findings: Sequence[Finding]) -> str:
    """Return the reason why no probe can be fitted to the clips that can be read; empty if there is none."""
    usable = [finding.clip for finding in findings if not finding.reason]
    if not usable:
        errors = [AudioError(str(found.clip.path), found.reason, "") for found in findings if found.clip.path]
        return why_clips_are_absent(datamodule, errors) or "none of its clips can be read"
    try:
        datamodule.require_classes()
    except DataError as error:
        return str(error)
    n_learned = len({clip.label for clip in usable if clip.split in (None, "train")})
    if n_learned < 2:
        return f"{n_learned} classes have clips to fit a backend to; at least two are needed"
    try:
        resolve("auto", usable)
    except DataError as error:
        return str(error)
    return ""


def _examine_clip(datamodule: AudioDataModule, clip: Clip) -> Finding:
    try:
        header = audio.header(clip.path) if clip.path is not None else None
    except AudioError as error:
        return Finding(clip, reason=error.reason)
    rate = datamodule.sample_rate or DEFAULT_SAMPLE_RATE  # exactly as a run does
    decoded = read_by(type(datamodule).__name__, datamodule.read, clip, rate, datamodule.samples_at(rate))
    if isinstance(decoded, AudioError):
        return Finding(clip, reason=decoded.reason)
    if isinstance(decoded, PluginError):
        raise decoded
    coarse = np.round(decoded.waveform * 2**15).astype(np.int32)
    return Finding(
        clip=clip,
        header=header,
        fingerprint=hashlib.sha256(coarse.tobytes()).hexdigest(),
        seconds=decoded.seconds,
        remarks=decoded.remarks,
        silent=bool(np.abs(decoded.waveform).max() < MAX_SILENT_PEAK),
    )
