"""Version numbers of the parts of this package; a test fails if values change but the version does not.

After an intended change of values, raise the version in `embeddings/provenance.py` and write the golden values:
python tests/embeddings/test_versions.py
"""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from sklearn.preprocessing import StandardScaler
from untrained import BACKENDS, FRONTENDS, audio
from untrained.backends.nearest_class import NearestClass
from untrained.backends.standardized import Standardized
from untrained.datamodules import Clip
from untrained.datamodules.synthetic import CLASSES, Synthetic
from untrained.embeddings.provenance import VERSIONS
from untrained.frontends import LogMel
from untrained.frontends.vgg import VGG
from untrained.probes.metrics import score_predictions
from untrained.probes.selection import select

GOLDEN = Path(__file__).parents[1] / "fixtures" / "golden.json"
TOLERANCE = 1e-4  # relative to the largest value; results of different processors differ by less
SMALL = {"sample_level": {"n_filters": 2}, "temporal": {"n_filters": 4}, "timbral_temporal": {"size": "small"}}


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, shape)


def decoding():
    """Return samples of two stereo files with different formats and sample rates, one cropped and one repeated."""
    values = []
    with tempfile.TemporaryDirectory() as folder:
        for name, rate, n_samples in (("a.wav", 44_100, 6000), ("b.flac", 8000, 1500)):
            soundfile.write(Path(folder, name), noise(8000, 2), rate)
            values += audio.load(Path(folder, name), sample_rate=12_000, n_samples=n_samples).waveform[::301].tolist()
    return values


def shared_by_frontends():
    waveform = torch.from_numpy(noise(1, 9000).astype(np.float32))
    values = [*LogMel()(waveform)[0, ::24, ::9].flatten().tolist()]
    for init in ("he_truncated", "he_normal", "xavier", "orthogonal", "pytorch"):
        values += (10 * VGG(n_filters=4).with_options(init=init).convs[1].weight).flatten()[:4].tolist()
    for pooling in ("mean", "mean_std", "max"):
        values += VGG(n_filters=2).with_options(pooling=pooling)(waveform[:, :50])[0, :8].tolist()
    return values


def frontend(name):
    waveform = torch.from_numpy(noise(1, 12_000).astype(np.float32))
    embedding = FRONTENDS.create(name, **SMALL.get(name, {}))(waveform)[0]
    return embedding[:: max(1, len(embedding) // 8)].tolist()


def embedded(seed=0):
    """Return embeddings of three overlapping classes, and their labels."""
    labels = np.arange(90) % 3
    return noise(90, 6, seed=seed) * [1, 1, 1, 1, 1, 30] + 0.1 * labels[:, None], labels


def backend(name):
    X, y = embedded()
    made = BACKENDS.create(name).fit(X[:60], y[:60])
    scores = made.class_scores(X[60:])
    return [*map(float, made.predict(X[60:])), *(scores[0][::7].flatten().tolist() if scores else [])]


def selection():
    X, y = embedded()
    clips = [Clip(str(index), str(label), fold=index % 4) for index, label in enumerate(y)]
    found = select(NearestClass(), X, y, clips, "nested")
    folds = [clips[index].fold for index in found.scored]
    scores = score_predictions(y[found.scored], found.predictions, folds, list(range(90)))
    return [found.score, *found.fold_scores, scores.macro_f1, scores.balanced_accuracy, scores.accuracy_low]


def z_scoring():
    X, y = embedded()
    made = Standardized(NearestClass()).fit(X, y)
    return [*made.mean_, *made.deviation_, *map(float, made.predict(X[::3]))]


def synthetic():
    values = []
    for task in CLASSES:
        data = Synthetic(task, clips_per_class=3, n_samples=6000)
        values += data.read(data.listed[5], 12_000).waveform[::701].tolist()
    return values


# Plug-ins that tests register are not part of this package; `hear` and `sklearn` only wrap other code.
PARTS = {
    "audio decoding": decoding,
    "frontends": shared_by_frontends,
    "selection": selection,
    "z-scoring": z_scoring,
    "datamodule synthetic": synthetic,
    **{
        f"frontend {p.name}": lambda name=p.name: frontend(name)
        for p in FRONTENDS.plugins
        if p.is_ours and p.name != "hear"
    },
    **{
        f"backend {p.name}": lambda name=p.name: backend(name)
        for p in BACKENDS.plugins
        if p.is_ours and p.name != "sklearn"
    },
}


def problem_with(part):
    """Return a message if the values of a part do not match its version; empty if they match."""
    golden, version = json.loads(GOLDEN.read_text())[part], VERSIONS.get(part, 1)
    values, known = np.array(PARTS[part]()), np.array(golden["values"])
    same = values.shape == known.shape and np.abs(values - known).max() <= TOLERANCE * np.abs(known).max()
    if not same and version == golden["version"]:
        return f"values of {part!r} have changed and its version has not: raise it in embeddings/provenance.py"
    return "" if same and version == golden["version"] else f"golden values of {part!r} belong to another version"


@pytest.mark.parametrize("part", PARTS)
def test_values_match_the_version(part):
    assert problem_with(part) == ""
    assert set(VERSIONS) <= set(PARTS)


def test_a_change_of_values_without_a_new_version_is_found(monkeypatch):
    load, transform = audio.load, StandardScaler.fit

    def louder(*arguments, **options):
        decoded = load(*arguments, **options)
        return decoded._replace(waveform=decoded.waveform * np.float32(1.01))

    def wider(self, X, *more):
        transform(self, X, *more)
        self.scale_ *= 1.01
        return self

    monkeypatch.setattr(audio, "load", louder)
    monkeypatch.setattr(StandardScaler, "fit", wider)
    for part in ("audio decoding", "z-scoring"):
        assert "raise it in embeddings/provenance.py" in problem_with(part)
    monkeypatch.setitem(VERSIONS, "audio decoding", VERSIONS["audio decoding"] + 1)
    assert "belong to another version" in problem_with("audio decoding")


if __name__ == "__main__":
    known = {part: {"version": VERSIONS.get(part, 1), "values": values()} for part, values in PARTS.items()}
    GOLDEN.write_text(json.dumps(known, indent=1) + "\n")
