"""Notices on what is heard of clips, before an extraction and when everything is stored."""


def test_a_command_says_once_what_is_heard_also_when_all_is_stored(untrained, sounds):
    fit = ["fit", "--data", "folder", "--data.root", sounds, "--model.frontend", "mfcc", "--model.backend"]
    told = []
    for length in (["--data.seconds", "0.5"], ["--data.n_samples", "6000"]):
        status, out, err = untrained(*fit, "nearest_class", *length)
        assert status == 0, err
        told += [line for line in err.splitlines() if "are longer" in line]
        assert err.count("are longer") == 1
    assert "clips present in" in out  # because both lengths are the same at 12 kHz
    assert told[0].endswith("of 36 clips are longer than 0.5 s: only the first 0.5 s are used")
    assert len(set(told)) == 1
