"""Speed of decoding, compared with librosa in the same run: python benchmarks/decoding.py.

Files of 30 s of stereo noise at 44.1 kHz (wav, flac and mp3) are decoded, averaged to mono, resampled to 12 kHz and
cropped to 350,000 samples, in one thread. The two libraries take turns for several rounds; the fastest round of each
counts. The last column is the speed of untrained divided by that of librosa.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import soundfile
from untrained import audio

RATE, N_SAMPLES, SECONDS = 12_000, 350_000, 30
FORMATS = ("wav", "flac", "mp3")


def by_untrained(path: Path) -> np.ndarray:
    """Load a file as a datamodule does."""
    return audio.load(path, sample_rate=RATE, n_samples=N_SAMPLES).waveform


def by_librosa(path: Path) -> np.ndarray:
    """Load a file with librosa."""
    waveform, _ = librosa.load(path, sr=RATE)
    return librosa.util.fix_length(waveform, size=N_SAMPLES)


def measure(folder: Path, n_files: int = 4, n_rounds: int = 5) -> dict[str, dict[str, float]]:
    """Return the clips per second of each format and library."""
    rng = np.random.default_rng(0)
    readers: dict[str, Callable[[Path], np.ndarray]] = {"untrained": by_untrained, "librosa": by_librosa}
    rates: dict[str, dict[str, float]] = {}
    for extension in FORMATS:
        paths = [folder / f"{number}.{extension}" for number in range(n_files)]
        for path in paths:
            # Noise that falls off towards high frequencies, like music: white noise would be unfair to the codecs.
            noise = np.cumsum(rng.standard_normal((44_100 * SECONDS, 2)), axis=0)
            noise -= np.linspace(noise[0], noise[-1], len(noise))
            soundfile.write(path, 0.9 * noise / np.abs(noise).max(), 44_100)
        seconds: dict[str, list[float]] = {name: [] for name in readers}
        for read in readers.values():
            read(paths[0])  # warm-up
        for _ in range(n_rounds):
            for name, read in readers.items():
                start = time.perf_counter()
                for path in paths:
                    read(path)
                seconds[name].append(time.perf_counter() - start)
        rates[extension] = {name: n_files / min(times) for name, times in seconds.items()}
    return rates


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        rates = measure(Path(folder))
    print("| format | untrained (clips/s) | librosa (clips/s) | ratio |\n|---|---:|---:|---:|")
    for extension, rate in rates.items():
        ratio = rate["untrained"] / rate["librosa"]
        print(f"| {extension} | {rate['untrained']:.1f} | {rate['librosa']:.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
