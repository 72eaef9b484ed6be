"""Frontends as models with HEAR's common API, for evaluation on that benchmark (Turian et al. 2022).

    hearvalidator untrained.hear --model vgg
    hearvalidator untrained.hear --model '{class_path: temporal, init_args: {size: large, seed: 1}}'

The functions and the attributes of a model follow https://hearbenchmark.com/hear-api.html.
"""

from pathlib import Path
from typing import Any

import torch
import torchaudio
import yaml
from torch import Tensor, nn

from ..errors import UsageError
from ..frontends import Frontend
from ..frontends.precision import float32_products
from ..registry import FRONTENDS

SAMPLE_RATES = (16_000, 22_050, 44_100, 48_000)
"""Sample rates at which HEAR provides audio, in Hz."""
_HOP = 0.05  # hop in s; HEAR recommends 50 ms or less
_WINDOW = 0.5  # window length in s, centred on each timestamp
BATCH_WINDOWS = 64


class HearModel(nn.Module):
    """Frontend that takes audio at one of HEAR's sample rates.

    Args:
        frontend: Frontend to wrap.

    Attributes:
        sample_rate: Sample rate of the input audio, in Hz: the lowest of HEAR's sample rates that is at least that of
            the frontend, or the highest one if all are lower.
        scene_embedding_size: Number of features in a scene embedding.
        timestamp_embedding_size: Number of features in a timestamp embedding.
    """

    def __init__(self, frontend: Frontend) -> None:
        super().__init__()
        self.frontend = frontend
        self.sample_rate = next((rate for rate in SAMPLE_RATES if rate >= frontend.sample_rate), SAMPLE_RATES[-1])
        self.scene_embedding_size = self.timestamp_embedding_size = frontend.embedding_size

    def forward(self, audio: Tensor) -> Tensor:
        """Return embeddings of audio.

        Args:
            audio: Audio `(n_sounds, n_samples)` at `sample_rate`, between -1 and 1.

        Returns:
            Embeddings `(n_sounds, n_features)`, float32.
        """
        with float32_products():
            waveform = torchaudio.functional.resample(audio.float(), self.sample_rate, self.frontend.sample_rate)
            embeddings: Tensor = self.frontend(waveform)
        return embeddings.float()


def load_model(model_file_path: str = "") -> HearModel:
    """Load a frontend by its name, optionally with arguments.

    Args:
        model_file_path: Name of a frontend, by default `vgg`; YAML such as `{class_path: vgg, init_args: {size: large,
            seed: 1}}`; or the path of a YAML file that contains either.

    Raises:
        UsageError: The file cannot be read, no such frontend is registered, or the frontend rejects its arguments.

    Example:
        >>> model = load_model("{class_path: temporal, init_args: {n_filters: 4}}")
        >>> model.sample_rate, model.scene_embedding_size
        (16000, 56)
    """
    text = str(model_file_path)
    if text.endswith((".yaml", ".yml")):
        try:
            text = Path(text).read_text("utf-8")
        except OSError as error:
            raise UsageError(
                f"{text} cannot be read: {error.strerror}; give a name or an existing YAML file"
            ) from error
    try:
        entry: Any = yaml.safe_load(text) or "vgg"
    except yaml.YAMLError as error:
        raise UsageError(f"{model_file_path!r} is not valid YAML: {' '.join(str(error).split())}") from error
    entry = {"class_path": entry} if isinstance(entry, str) else entry
    if not isinstance(entry, dict) or set(entry) - {"class_path", "init_args"} or "class_path" not in entry:
        raise UsageError(f"{model_file_path!r} is not a frontend; give NAME or {{class_path: NAME, init_args: ...}}")
    cls = FRONTENDS.get(str(entry["class_path"]))  # accepts only registered names, so that nothing else is imported
    if cls.imports:
        raise UsageError(f"the frontend {entry['class_path']!r} only wraps another module; use that module directly")
    try:
        return HearModel(cls(**(entry.get("init_args") or {})))
    except (TypeError, ValueError) as error:
        raise UsageError(f"frontend {entry['class_path']!r}: {error}") from error


def get_scene_embeddings(audio: Tensor, model: HearModel) -> Tensor:
    """Return one embedding for each sound.

    Args:
        audio: Audio `(n_sounds, n_samples)` at the model's sample rate, between -1 and 1, on the model's device.
        model: Model from `load_model`.

    Returns:
        Embeddings `(n_sounds, scene_embedding_size)`, float32.
    """
    _refuse_odd(audio)
    with torch.no_grad():
        return model(audio)  # type: ignore[no-any-return]


def get_timestamp_embeddings(audio: Tensor, model: HearModel) -> tuple[Tensor, Tensor]:
    """Return an embedding for each timestamp, every 50 ms, from half a second of audio around it.

    The audio is padded with silence at both ends. A frontend that needs longer input repeats the half second.

    Args:
        audio: Audio `(n_sounds, n_samples)` at the model's sample rate, between -1 and 1, on the model's device.
        model: Model from `load_model`.

    Returns:
        Embeddings `(n_sounds, n_timestamps, timestamp_embedding_size)`, and timestamps `(n_sounds, n_timestamps)` in
        ms; both float32.
    """
    _refuse_odd(audio)
    n_sounds, n_samples = audio.shape
    window = round(_WINDOW * model.sample_rate)
    n_timestamps = 1 + int((n_samples - 1) / (_HOP * model.sample_rate))
    moments = torch.arange(n_timestamps)
    # Each centre is rounded individually below, so that rounding errors do not accumulate.
    centres = moments.double() * _HOP * model.sample_rate
    padded = nn.functional.pad(audio, (window // 2, window))
    inside = torch.arange(window, device=audio.device)
    parts = []
    for starts in torch.split(centres.round().long(), max(1, BATCH_WINDOWS // n_sounds)):
        frames = padded[:, starts.to(audio.device)[:, None] + inside]  # (n_sounds, n_windows, window)
        with torch.no_grad():
            parts.append(model(frames.flatten(0, 1)).reshape(n_sounds, len(starts), -1))
    timestamps = 1000 * _HOP * moments.float().to(audio.device)
    return torch.cat(parts, dim=1), timestamps.expand(n_sounds, -1)


def _refuse_odd(audio: Tensor) -> None:
    if audio.ndim != 2 or 0 in audio.shape:
        raise ValueError(f"audio has shape {tuple(audio.shape)}; expected (n_sounds, n_samples), both above 0")
