"""Files of other versions are refused with a remedy, and left unchanged."""

import json

import pytest
import torch
from untrained import load_embeddings
from untrained.errors import UsageError

EARLIER = "of an earlier version of untrained (this version reads format {});"
DATA = ["--data", "synthetic", "--data.task", "events", "--data.clips_per_class", "4", "--data.n_samples", "8000"]


def rewrite(path, **changes):
    """Change fields of a JSON file, as another version would write them; None removes a field."""
    content = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({name: value for name, value in content.items() if value is not None}))


def only(root, pattern):
    (found,) = root.glob(pattern)
    return found


def snapshot(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_its_store_and_its_checkpoint(untrained, tmp_path):
    assert untrained("fit", *DATA, "--model.frontend", "mfcc", "--model.backend", "nearest_class")[0] == 0
    manifest = only(tmp_path, "runs/embeddings/*/manifest.json")
    rewrite(manifest, format=1)
    before = snapshot(manifest.parent)
    status, _, err = untrained("predict", *DATA, "--model.frontend", "mfcc")
    assert status == 1
    assert f"has format 1 {EARLIER.format(3)} delete the folder to compute it again" in err
    assert snapshot(manifest.parent) == before
    assert (
        "has format 1 of an earlier version of untrained (this version reads format 3); delete the folder"
        in untrained("list", "embeddings")[1]
    )
    rewrite(manifest, format=4)
    _, _, err = untrained("predict", *DATA, "--model.frontend", "mfcc")
    assert (
        "has format 4 of a later version of untrained (this version reads format 3); update untrained, or delete" in err
    )
    rewrite(manifest, format=1)
    other = manifest.parent.with_name(manifest.parent.name[:-3] + "abc")  # the name under an earlier key
    manifest.parent.rename(other)
    _, out, _ = untrained("predict", *DATA, "--model.frontend", "mfcc")
    assert "32 clips are computed again: the store format has changed (1 -> 3); the old store " in out
    assert f"{other.relative_to(tmp_path)} can be deleted" in out

    metrics = only(tmp_path, "runs/*/*/*/*/metrics.json")
    rewrite(metrics, format=None)
    with pytest.raises(
        UsageError,
        match=r"has format 1 of an earlier version .* \(this version reads format 2\); run `untrained fit` again",
    ):
        load_embeddings(metrics.parent)

    checkpoint = metrics.with_name("probe.ckpt")
    content = torch.load(checkpoint, weights_only=True)
    content["untrained"]["format"] = 3
    torch.save({"untrained": content["untrained"]}, checkpoint)
    for command in (["test", *DATA], ["classify", "a.wav"]):
        status, _, err = untrained(*command, "--ckpt_path", checkpoint)
        assert status == 2
        assert f"probe.ckpt has format 3 {EARLIER.format(4)} fit the probe again" in err


def test_a_study(untrained, tmp_path, little):
    (tmp_path / "study.yaml").write_text(little)
    assert untrained("compare", "study.yaml")[0] == 0
    results = tmp_path / "runs/small/runs.json"
    runs = json.loads(results.read_text())["runs"]
    results.write_text(json.dumps([run["run"] for run in runs]))  # the former format
    before = snapshot(results.parent)
    for command in (["compare", "study.yaml"], ["report", "runs/small"]):
        status, _, err = untrained(*command)
        assert status == 2
        assert f"runs/small has format 1 {EARLIER.format(2)} delete that folder" in err
    assert snapshot(results.parent) == before
    assert untrained("compare", "study.yaml", "--name", "another")[0] == 0
