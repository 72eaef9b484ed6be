from untrained.probes.record import read_predictions


def test_a_hold_out_ignores_folds(untrained, sounds, tmp_path):
    """A manifest may have both columns, but scores on a test split are tested without folds."""
    lines = ["path,label,split,fold"]
    for label in ("high", "low", "mid"):
        for index, path in enumerate(sorted((sounds / label).glob(f"{label}*"))):
            split = ("train", "validation", "test")[index % 3]
            lines.append(f"{path},{label},{split},{index % 2}")
    (tmp_path / "clips.csv").write_text("\n".join(lines))
    data = f"[{{class_path: manifest, init_args: {{path: {tmp_path}/clips.csv, root: {sounds}, n_samples: 8000}}}}]"
    frontends = "[mfcc, logmel_stats]"
    arguments = ["--datamodules", data, "--frontends", frontends, "--backends", "[nearest_class]", "--name", "both"]
    arguments += ["--protocol", "auto"]
    status, out, _ = untrained("compare", "synthetic", *arguments)
    assert status == 0
    assert "protocol: holdout" in out
    assert ",clip-level test\n" in (tmp_path / "runs/both/comparisons.csv").read_text()
    assert set(read_predictions(next((tmp_path / "runs/both").rglob("predictions-test.csv"))).folds) == {""}


def test_the_table_groups_frontends_by_kind(untrained):
    one = "[{class_path: synthetic, init_args: {task: events, clips_per_class: 4, n_samples: 8000, folds: 3}}]"
    frontends = "[mfcc, timbral, frame_level, vgg, sample_level]"
    few = ["--datamodules", one, "--backends", "[elm]", "--seeds", "[0]"]
    status, out, _ = untrained("compare", "synthetic", *few, "--frontends", frontends)
    assert status == 0
    rows = [name for line in out.splitlines() if line.startswith("│") and (name := line.split("│")[1].strip())]
    assert rows == [
        *["spectrogram:", "vgg", "timbral"],
        *["waveform:", "sample_level", "frame_level"],
        *["others:", "mfcc", "logmel_stats"],  # the control
        "chance",
    ]
