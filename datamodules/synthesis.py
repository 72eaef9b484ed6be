"""Procedural sounds: dance-like rhythms, synthesised instruments and urban-like events.

The properties that distinguish the classes of a task are fixed; all others are drawn from the clip's random generator.
Amplitudes are relative: the caller sets the level of the clip.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Signal = np.ndarray[Any, np.dtype[np.float32]]
Rng = np.random.Generator

# Beats per bar, steps per beat, tempo range in beats per minute, and the steps of each of three drums.
RHYTHMS: dict[str, tuple[int, int, tuple[float, float], tuple[tuple[int, ...], ...]]] = {
    "waltz": (3, 2, (120, 180), ((0,), (2, 4), (3,))),
    "jig": (2, 3, (95, 140), ((0,), (3,), (2, 5))),
    "five": (5, 2, (130, 190), ((0, 6), (4, 8), (3,))),
    "march": (4, 2, (100, 150), ((0, 4), (2, 6), (7,))),
    "tresillo": (4, 2, (100, 160), ((0, 3, 6), (4,), (2,))),
    "samba": (2, 4, (80, 120), ((0, 3, 4, 7), (2,), (6,))),
    "swing": (4, 3, (125, 190), ((0, 6), (3, 9), (5, 11))),
    "chacha": (4, 2, (95, 140), ((0,), (2, 4), (6, 7))),
}

TIMBRES = ("plucked", "bowed", "bell", "reed", "brass", "organ", "breath", "pad")

EVENTS = ("siren", "jackhammer", "drilling", "engine", "horn", "bark", "shot", "air_conditioner")


def rhythm(name: str, seconds: float, sample_rate: int, rng: Rng) -> tuple[Signal, float]:
    """Return a drum pattern played by a random kit, with ghost notes, dropped hits and uneven timing.

    The number of hits per second is drawn independently of the pattern: ghost notes on random steps make up the
    difference, so that the density of hits does not reveal the class.

    Args:
        name: Name of the rhythm, one of `RHYTHMS`.
        seconds: Duration in s.
        sample_rate: Sample rate in Hz.
        rng: Random number generator of the clip.

    Returns:
        The signal, and the tempo in beats per minute.
    """
    beats, steps_per_beat, tempo_range, pattern = RHYTHMS[name]
    tempo = float(np.exp(rng.uniform(*np.log(tempo_range))))
    step = 60 / tempo / steps_per_beat
    bar = beats * steps_per_beat
    n_steps = int(np.ceil(seconds / step)) + 1
    phase = int(rng.integers(bar))
    kit = [_drum(sample_rate, rng) for _ in pattern]
    hits = [
        (index * step, voice, rng.uniform(0.6, 1.0))
        for voice, steps in enumerate(pattern)
        for index in range(n_steps)
        if (index + phase) % bar in steps and rng.random() > 0.05
    ]
    n_ghosts = max(0, int(rng.uniform(4.5, 6.5) * seconds) - len(hits))
    hits += [
        (int(rng.integers(n_steps)) * step, int(rng.integers(len(kit))), rng.uniform(0.05, 0.3))
        for _ in range(n_ghosts)
    ]
    signal = np.zeros(round(seconds * sample_rate), np.float32)
    for time, voice, velocity in hits:
        _add(signal, kit[voice] * np.float32(velocity), int((time + rng.normal(0, 0.008)) * sample_rate))
    chord = _loop(rng.uniform(80, 400) * np.array([1.0, rng.choice([1.2, 1.25]), 1.5]), sample_rate)
    signal += np.resize(chord, len(signal)) * _rms(signal) * np.float32(10 ** rng.uniform(-1.5, -0.25))
    return _colour(signal, rng) + _background(signal, rng, decibels=rng.uniform(-30, -8)), tempo


def timbre(name: str, seconds: float, sample_rate: int, rng: Rng) -> Signal:
    """Return a random melody at a random tempo, played by one type of synthesised instrument.

    Attack, decay, register, tempo and note lengths are drawn independently of the instrument.

    Args:
        name: Name of the instrument, one of `TIMBRES`.
        seconds: Duration in s.
        sample_rate: Sample rate in Hz.
        rng: Random number generator of the clip.
    """
    step = rng.uniform(0.12, 0.35)
    root = np.exp(rng.uniform(np.log(110), np.log(520)))
    scale = rng.choice([0, 2, 3, 5, 7, 8, 10, 12], size=5, replace=False)
    length = rng.uniform(1.0, 3.0) * step
    tones = [_tone(name, root * 2 ** (degree / 12), length, sample_rate, rng) for degree in scale]
    signal = np.zeros(round(seconds * sample_rate), np.float32)
    time = -rng.uniform(0, step)
    while time < seconds:
        tone = tones[rng.integers(len(tones))]
        _add(signal, tone * np.float32(rng.uniform(0.4, 1.0)), int(time * sample_rate))
        time += step * rng.choice([1, 1, 1, 2, 2, 3]) * rng.uniform(0.95, 1.05)
    return _colour(signal, rng, bumps=3) + _background(signal, rng, decibels=rng.uniform(-16, 2))


def event(name: str, sample_rate: int, rng: Rng) -> Signal:
    """Return an urban-like sound of 0.5 to 4 s over a random background.

    Args:
        name: Name of the event, one of `EVENTS`.
        sample_rate: Sample rate in Hz.
        rng: Random number generator of the clip.
    """
    n = int(rng.uniform(0.5, 4.0) * sample_rate)
    time = (np.arange(n) / sample_rate).astype(np.float32)
    signal: Signal = _EVENTS[name](time, sample_rate, rng).astype(np.float32)
    return _colour(signal, rng, bumps=2) + _background(signal, rng, decibels=rng.uniform(-15, 9))


def _drum(sample_rate: int, rng: Rng) -> Signal:
    """Return a decaying, falling tone mixed with noise in a random proportion."""
    time = np.arange(int(0.35 * sample_rate), dtype=np.float32) / sample_rate
    pitch = np.exp(rng.uniform(np.log(60), np.log(1200)))
    tone = np.sin(2 * np.pi * pitch * time * (1 + rng.uniform(0, 0.5) * np.exp(-time / 0.02)))
    noise = _noise(len(time), rng.uniform(-1.5, 0.5), rng)
    share = rng.uniform(0, 1)
    envelope = np.exp(-time / np.exp(rng.uniform(np.log(0.02), np.log(0.12))))
    sound = (share * tone + (1 - share) * noise) * envelope
    drum: Signal = (sound / np.sqrt(np.sum(sound**2))).astype(np.float32)
    return drum


def _tone(name: str, pitch: float, seconds: float, sample_rate: int, rng: Rng) -> Signal:
    """Return one note of a synthesised instrument, with an envelope that does not depend on the instrument."""
    time = np.arange(int(seconds * sample_rate), dtype=np.float32) / sample_rate
    n_partials = max(1, min(16, int(0.45 * sample_rate / pitch)))
    partial = np.arange(1, n_partials + 1, dtype=np.float32)[:, None]
    roll_off = rng.uniform(0.7, 1.5)

    def harmonics(weights: Any, pitch_curve: Any = 1.0) -> Any:
        phase = 2 * np.pi * np.cumsum(np.broadcast_to(pitch * pitch_curve, time.shape)) / sample_rate
        return (weights * np.sin(partial * phase + rng.uniform(0, 2 * np.pi, partial.shape))).sum(0)

    falling = partial**-roll_off
    if name == "plucked":
        sound = harmonics(falling * np.exp(-time * partial * rng.uniform(1.0, 4.0)))
    elif name == "bowed":
        sound = harmonics(falling, 1 + rng.uniform(0.004, 0.012) * np.sin(2 * np.pi * rng.uniform(4.5, 7) * time))
    elif name == "bell":
        index = rng.uniform(1, 4) * np.exp(-time * rng.uniform(1, 5))
        phase = 2 * np.pi * pitch * time
        sound = np.sin(phase + index * np.sin(rng.choice([1.41, 2.76, 3.5]) * phase))
    elif name == "reed":
        sound = harmonics(falling * np.where(partial % 2 == 1, 1.0, rng.uniform(0.02, 0.2)))
    elif name == "brass":
        brightness = 0.5 + 0.5 * np.sin(2 * np.pi * (rng.uniform(1, 4) * time + rng.random()))
        swell = partial**-0.3 * np.exp(-partial * (1.2 - brightness) * rng.uniform(0.5, 1.0))
        sound = harmonics(swell / np.sqrt((swell**2).sum(0)))
    elif name == "organ":
        sound = harmonics(np.isin(partial, (1, 2, 3, 4, 6, 8)) * rng.uniform(0.2, 1.0, partial.shape))
    elif name == "breath":
        air = _noise(len(time), 0.0, rng) * np.sin(2 * np.pi * pitch * time)
        sound = harmonics(falling**2) * rng.uniform(0.5, 1.2) + rng.uniform(0.3, 1.0) * air
    else:  # pad: slightly detuned copies of a dull tone
        detune = rng.uniform(0.003, 0.012)
        sound = sum(harmonics(falling**2, 1 + shift) for shift in (-detune, 0, detune))
    attack = np.exp(rng.uniform(np.log(0.005), np.log(0.06)))
    envelope = np.minimum(1, time / attack) * np.exp(-time * rng.uniform(0, 6))
    # Vibrato, beating and noise make some instruments fluctuate, so the level of all instruments is made to fluctuate.
    envelope *= 1 - rng.uniform(0.1, 0.6) * (0.5 + 0.5 * np.sin(2 * np.pi * (rng.uniform(3, 12) * time + rng.random())))
    envelope *= np.minimum(1, (seconds - time) / 0.02)
    sound = sound * envelope
    tone: Signal = (sound / (np.sqrt(np.mean(sound**2)) + 1e-9)).astype(np.float32)
    return tone


def _siren(time: Signal, sample_rate: int, rng: Rng) -> Any:
    low, high = rng.uniform(400, 800), rng.uniform(1000, 1800)
    sweep = 0.5 - 0.5 * np.cos(2 * np.pi * (rng.uniform(0.2, 3) * time + rng.random()))
    phase = 2 * np.pi * np.cumsum(low + (high - low) * sweep) / sample_rate
    return np.sin(phase) + rng.uniform(0, 0.5) * np.sin(2 * phase) + rng.uniform(0, 0.3) * np.sin(3 * phase)


def _jackhammer(time: Signal, sample_rate: int, rng: Rng) -> Any:
    position = (rng.uniform(10, 30) * time + rng.random()) % 1
    ring = np.sin(2 * np.pi * rng.uniform(200, 1500) * time)
    return np.exp(-position * rng.uniform(3, 10)) * (_noise(len(time), -0.5, rng) + rng.uniform(0, 1) * ring)


def _drilling(time: Signal, sample_rate: int, rng: Rng) -> Any:
    pitch = rng.uniform(60, 180) * (1 + 0.02 * np.sin(2 * np.pi * rng.uniform(0.5, 3) * time))
    buzz = 2 * ((np.cumsum(pitch) / sample_rate) % 1) - 1
    return buzz * rng.uniform(0.4, 1) + _noise(len(time), 0.3, rng) * (1 + buzz) * rng.uniform(0.3, 1)


def _engine(time: Signal, sample_rate: int, rng: Rng) -> Any:
    wobble = np.interp(time, np.linspace(0, 4, 9), rng.uniform(0.9, 1.1, 9))
    phase = 2 * np.pi * np.cumsum(rng.uniform(25, 80) * wobble) / sample_rate
    tones = sum(rng.uniform(0.3, 1) / k**0.7 * np.sin(k * phase + rng.uniform(0, 6)) for k in range(1, 13))
    return tones + rng.uniform(0.2, 1) * _noise(len(time), -1.0, rng)


def _horn(time: Signal, sample_rate: int, rng: Rng) -> Any:
    pitch = rng.uniform(280, 520)
    tones = [(pitch * ratio, k) for ratio in (1, rng.choice([1.2, 1.25, 1.33])) for k in range(1, 9)]
    sound = sum(
        np.sin(2 * np.pi * k * f * time + rng.uniform(0, 6)) / k**0.8 for f, k in tones if k * f < sample_rate / 2
    )
    start, end = np.sort(rng.uniform(0, time[-1], 2))
    return sound * ((time < start) | (time > min(end, start + 0.3)))


def _bark(time: Signal, sample_rate: int, rng: Rng) -> Any:
    sound = np.zeros_like(time)
    pitch = rng.uniform(250, 900)
    for start in np.sort(rng.uniform(0, max(time[-1] - 0.2, 0.01), rng.integers(1, 5))):
        length = rng.uniform(0.08, 0.25)
        local = np.clip((time - start) / length, 0, 1)
        phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.5 * np.sin(np.pi * local))) / sample_rate
        voice = sum(np.sin(k * phase) / k for k in range(1, 7)) + rng.uniform(0.2, 1) * _noise(len(time), 0.0, rng)
        sound += voice * np.sin(np.pi * local)
    return sound


def _shot(time: Signal, sample_rate: int, rng: Rng) -> Any:
    sound = np.zeros_like(time)
    for start in rng.uniform(0, time[-1] * 0.7, rng.integers(1, 4)):
        after = np.maximum(time - start, 0)
        sound += _noise(len(time), rng.uniform(-1, 0), rng) * np.exp(-after / rng.uniform(0.03, 0.25)) * (time >= start)
    return sound


def _air_conditioner(time: Signal, sample_rate: int, rng: Rng) -> Any:
    mains = rng.choice([50.0, 60.0])
    hum = sum(rng.uniform(0, 1) * np.sin(2 * np.pi * k * mains * time + rng.uniform(0, 6)) for k in (1, 2, 3, 4, 6))
    return hum * rng.uniform(0.1, 0.6) + _noise(len(time), rng.uniform(-1.2, -0.3), rng)


_EVENTS: dict[str, Callable[[Signal, int, Rng], Any]] = {
    "siren": _siren,
    "jackhammer": _jackhammer,
    "drilling": _drilling,
    "engine": _engine,
    "horn": _horn,
    "bark": _bark,
    "shot": _shot,
    "air_conditioner": _air_conditioner,
}


def _add(signal: Signal, sound: Signal, start: int) -> None:
    """Mix a sound into a signal in place, starting at a position, cropped at both ends."""
    sound = sound[max(0, -start) :]
    start = max(0, start)
    part = signal[start : start + len(sound)]
    part += sound[: len(part)]


def _loop(pitches: Any, sample_rate: int) -> Signal:
    """Return one second of a chord that loops seamlessly, because its frequencies are rounded to whole Hz."""
    time = np.arange(sample_rate, dtype=np.float32) / sample_rate
    chord: Signal = np.sum([np.sin(2 * np.pi * np.round(pitch) * time) for pitch in pitches], axis=0, dtype=np.float32)
    return chord


def _noise(n: int, tilt: float, rng: Rng) -> Signal:
    """Return n samples of noise whose spectrum is proportional to frequency to the power of `tilt`.

    At most 12,000 samples are generated, and repeated.
    """
    white = rng.standard_normal(min(n, 12_000))
    spectrum = np.fft.rfft(white)
    spectrum *= np.maximum(np.arange(len(spectrum)), 4.0) ** tilt
    shaped = np.fft.irfft(spectrum, len(white))
    return np.resize(shaped / (np.sqrt(np.mean(shaped**2)) + 1e-9), n).astype(np.float32)


def _colour(signal: Signal, rng: Rng, bumps: int = 0) -> Signal:
    """Filter by a random spectral tilt and some resonances, as a different room and microphone would."""
    size = len(signal) + -len(signal) % 4096  # a length with a fast Fourier transform
    frequency = np.linspace(1e-3, 1, size // 2 + 1)
    decibels = rng.uniform(-6, 6) * np.log2(frequency / 0.1).clip(-4, 4)
    for _ in range(bumps):
        centre, width = rng.uniform(-5, 0), rng.uniform(0.3, 1.0)
        decibels += rng.uniform(-12, 12) * np.exp(-(((np.log2(frequency) - centre) / width) ** 2))
    gain = (10 ** (decibels / 20)).astype(np.float32)
    return np.fft.irfft(np.fft.rfft(signal, size) * gain, size)[: len(signal)].astype(np.float32)


def _background(signal: Signal, rng: Rng, decibels: float) -> Signal:
    """Return noise of random colour at a level relative to the signal."""
    return _noise(len(signal), rng.uniform(-1.2, 0.2), rng) * _rms(signal) * np.float32(10 ** (decibels / 20))


def _rms(signal: Signal) -> np.float32:
    return np.float32(np.sqrt(np.mean(signal**2)) + 1e-9)
