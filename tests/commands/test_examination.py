import pytest
from untrained.commands.examination import Examination, Finding
from untrained.datamodules import Clip
from untrained.datamodules.synthetic import Synthetic


def test_the_same_audio_in_different_folds_is_a_leak():
    def found(name, part, fingerprint="x", **more):
        return Finding(Clip(name, "a", fold=part), fingerprint=fingerprint, **more)

    together, apart = [found("a", 0), found("b", 0)], [found("c", 0, "y"), found("d", 1, "y")]
    quiet = [found("e", 0, "z", silent=True), found("f", 1, "z", silent=True)]
    unread = [Finding(Clip(name, "a", fold=fold), reason="is empty") for fold, name in enumerate("gh")]
    examination = Examination(Synthetic(), [*together, *apart, *quiet, *unread])
    assert examination.repeated == [together, apart]
    assert examination.leaks == [apart]
    assert examination.silent == quiet
    assert examination.broken == unread


@pytest.mark.parametrize(("on_error", "stops"), [("raise", True), ("skip", False)])
def test_a_broken_clip_stops_a_run_unless_it_is_skipped(on_error, stops):
    data = Synthetic(on_error=on_error)
    assert Examination(data, [Finding(Clip("a", "x"), reason="is empty")]).stops_a_run == stops
    assert not Examination(data, [Finding(Clip("a", "x"))]).stops_a_run
    assert Examination(data, refusal="too few classes").stops_a_run


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data.folds", "2"], "define three folds or more, or use --model.protocol study"),
        (["--data.on_error", "skip"], "none of its clips can be read"),
    ],
)
def test_what_stops_a_fit_is_predicted(untrained, sounds, tmp_path, options, message):
    root = sounds
    if "skip" in options:
        root = tmp_path / "broken"
        for number in range(10):
            (root / str(number % 2)).mkdir(parents=True, exist_ok=True)
            (root / str(number % 2) / f"{number}.wav").write_bytes(b"")
    data = ["--data", "folder", "--data.root", root, *options]
    status, out, _ = untrained("check", "data", *data)
    assert status == 1
    assert message in out
    status, _, _ = untrained(
        "fit", *data, "--data.n_samples", "4000", "--model.frontend", "mfcc", "--model.backend", "elm"
    )
    assert status == 2
