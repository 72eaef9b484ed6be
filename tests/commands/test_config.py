from importlib import metadata

import pytest
import yaml


def test_a_bundled_study_is_found_by_name(untrained, capsys):
    with pytest.raises(SystemExit):
        untrained("compare", "--config", "gtzan", "--config=synthetic", "--print_config")
    out = capsys.readouterr().out
    assert "gtzan: null" in out  # from the first
    assert "name: synthetic\n" in out  # from the second, which overrides it
    status, _, err = untrained("compare", "--config", "gtsan")
    assert status == 2
    assert "no study 'gtsan': neither a file nor a bundled study (extended_ballroom, gtzan" in err
    status, _, err = untrained("fit", "--config", "gtzan", "--data", "synthetic")
    assert status == 2
    assert "--config gtzan: this is a study; run it with untrained compare gtzan" in err


def test_versions_and_bundled_studies_are_printed(untrained):
    status, out, _ = untrained("--version")
    assert status == 0
    lines = out.splitlines()
    assert lines[0] == f"untrained {metadata.version('untrained')}"
    assert lines[1].startswith("Python 3.")
    assert f"torch {metadata.version('torch')}" in lines
    status, out, _ = untrained("config")
    assert (status, out.splitlines()[:2]) == (0, ["extended_ballroom", "gtzan"])
    status, out, _ = untrained("config", "gtzan")
    assert yaml.safe_load(out)["roots"] == {"gtzan": None}
    status, _, err = untrained("config", "gtzn")
    assert status == 2
    assert "untrained config NAME, where NAME is one of extended_ballroom, gtzan" in err
