import json

import pytest


@pytest.mark.filterwarnings("default:.*it is kept as metrics.json.damaged:UserWarning")
def test_a_changed_study_moves_runs_aside_and_restores_them(untrained, tmp_path, results_of, little, tiny):
    """Finished runs are found under any name, and TensorBoard shows only the runs of the current study."""
    (tmp_path / "study.yaml").write_text(little)
    few = ["--frontends", "[mfcc]"]
    assert untrained("compare", "study.yaml", *few)[0] == 0
    other = ["--datamodules", f"[{tiny.replace('clips_per_class: 4', 'clips_per_class: 5')}]"]
    assert "[1/1]" in untrained("compare", "study.yaml", *few, *other)[2]
    assert len(list((tmp_path / "runs/small").rglob("seed*/events*"))) == 1
    both = ["--datamodules", f"[{tiny}, {tiny.replace('clips_per_class: 4', 'clips_per_class: 5')}]"]
    _, out, err = untrained("compare", "study.yaml", *few, *both)
    assert err.splitlines()[0] == "2 of 2 runs are done already"
    assert "[1/" not in err
    assert "synthetic-events-clips_per_class=4" in out
    swapped = ["--datamodules", f"[{tiny.replace('clips_per_class: 4', 'clips_per_class: 5')}, {tiny}]"]
    assert "2 of 2 runs are done already" in untrained("compare", "study.yaml", *few, *swapped, "--seeds", "[3]")[2]
    assert "1 of 1 runs are done already" in untrained("compare", "study.yaml", *few)[2]
    assert [row["run"] for row in results_of(tmp_path)] == ["synthetic-events/mfcc/nearest_class/seed0"]
    assert "1 done, 0 to do" in untrained("compare", "study.yaml", *few, *other, "--dry_run")[1]
    metrics = tmp_path / "runs/small/synthetic-events/mfcc/nearest_class/seed0/metrics.json"
    text = metrics.read_text()
    for identity in ("of another version", "../../x", 3, ["a/b"]):
        metrics.write_text(json.dumps({**json.loads(text), "identity": identity}))
        assert "0 done, 1 to do" in untrained("compare", "study.yaml", *few, "--dry_run")[1]
    earlier = tmp_path / "runs" / "small-earlier"
    kept = set(earlier.iterdir())
    for damaged in ("damaged", metrics.read_text()):
        metrics.write_text(damaged)
        (tmp_path / "runs/small/runs.json").write_text("damaged")
        assert "[1/1]" in untrained("compare", "study.yaml", *few)[2]
    assert {path.name for path in set(earlier.iterdir()) - kept} == {"__a_b__"}
    assert "1 of 1 runs are done already" in untrained("compare", "study.yaml", *few, *other)[2]  # it was moved aside
