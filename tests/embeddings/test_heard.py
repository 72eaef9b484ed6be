"""Notices about cropped clips, before an extraction and when all clips are stored."""


def test_a_notice_about_cropped_clips_is_shown_once_even_if_all_are_stored(untrained, sounds):
    fit = ["fit", "--data", "folder", "--data.root", sounds, "--model.frontend", "mfcc", "--model.backend"]
    shown = []
    for length in (["--data.seconds", "0.5"], ["--data.n_samples", "6000"]):
        status, out, err = untrained(*fit, "nearest_class", *length)
        assert status == 0, err
        shown += [line for line in err.splitlines() if "are longer" in line]
        assert err.count("are longer") == 1
    assert "clips present in" in out  # because both lengths are the same at 12 kHz
    assert shown[0].endswith("of 36 clips are longer than 0.5 s: only the first 0.5 s are used")
    assert len(set(shown)) == 1
