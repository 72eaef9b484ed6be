"""Seconds to extract the embeddings of five frontends with and without the cache of waveforms, in turns.

python benchmarks/waveform_cache.py [--clips 24] [--seconds 29] [--format mp3] [--rounds 3]
    [--frontends mfcc logmel_stats logmel_projection temporal vgg]

Stereo files at 44.1 kHz are made in a temporary folder, which also holds the stores. In each round, all frontends are
extracted without the cache, then with an empty cache, which the first of them fills, and then, into other stores, by a
second command that finds the waveforms in the cache.
"""

import argparse
import logging
import shutil
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import soundfile
import torch
from pytorch_lightning import Trainer
from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.extract import extract
from untrained.frontends import Frontend
from untrained.probes.probe import Probe
from untrained.registry import FRONTENDS

FIVE = ["mfcc", "logmel_stats", "logmel_projection", "temporal", "vgg"]


def make_sounds(root: Path, n_clips: int, seconds: float, suffix: str) -> None:
    """Write stereo files at 44.1 kHz to a folder with a sub-folder for each class."""
    data = Synthetic("rhythm", clips_per_class=-(-n_clips // 8), n_samples=round(seconds * 44_100))
    for clip in data.listed[:: max(1, len(data.listed) // n_clips)][:n_clips]:
        path = root / f"{clip.id}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        mono = data.make(clip, 44_100)[0]
        soundfile.write(path, np.stack([mono, 0.5 * mono], 1), 44_100)


def seconds_of(frontends: list[Frontend], data: AudioFolder, stores: Path, said: list[str]) -> tuple[float, float]:
    """Return the seconds to extract embeddings, and those of them that decoding or reading the cache took."""
    start, decoding = time.perf_counter(), 0.0
    for frontend in frontends:
        trainer = Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)
        found = extract(Probe(frontend), data, trainer, stores, say=said.append)
        decoding += found.profile["seconds_decoding"]
    return time.perf_counter() - start, decoding


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=29)
    parser.add_argument("--format", default="mp3")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frontends", nargs="+", default=FIVE)
    given = parser.parse_args()
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")

    def frontends() -> list[Frontend]:
        small = {"temporal": {"n_filters": 4}, "vgg": {"n_filters": 4}}
        return [FRONTENDS.create(name, **small.get(name, {})) for name in given.frontends]

    turns: dict[str, list[tuple[float, float]]] = {"without": [], "filling": [], "second command": []}
    said: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_sounds(root / "sounds", given.clips, given.seconds, given.format)

        def data(cache: str) -> AudioFolder:
            return AudioFolder(str(root / "sounds"), seconds=given.seconds, cache=cache)

        seconds_of(frontends()[:1], data("off"), root / "warm-up", said)
        for number in range(given.rounds):
            without, with_cache = root / f"{number}-without", root / f"{number}-with"
            turns["without"].append(seconds_of(frontends(), data("off"), without, said))
            turns["filling"].append(seconds_of(frontends(), data("float32"), with_cache, said))
            for store in with_cache.glob("*-*-*"):
                shutil.rmtree(store)
            turns["second command"].append(seconds_of(frontends(), data("float32"), with_cache, said))
    for name, found in turns.items():
        total, decoding = min(found)
        print(f"{name:<15} {total:6.2f} s, of which reading {decoding:.2f} s")
    ratios = [a[0] / b[0] for a, b in zip(turns["without"], turns["filling"], strict=True)]
    listed = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    names, threads = " ".join(given.frontends), torch.get_num_threads()
    print(f"without : with an empty cache = {np.median(ratios):.2f} (rounds: {listed}); {names}; {threads} threads")
    print(said[-1])


if __name__ == "__main__":
    main()
