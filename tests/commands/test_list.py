"""What commands tell of what there is: lists, versions, shipped studies and help."""

import os
import subprocess
import sys
from importlib import metadata

import pytest
import yaml


def test_list_tells_the_place_and_the_layers_of_frontends(untrained):
    status, out, _ = untrained("list", "frontends")
    assert status == 0
    lines = [line.split() for line in out.splitlines()]
    number = next(number for number, line in enumerate(lines) if line[:1] == ["vertical_7x86"])
    place = "spectrogram, single filters, domain knowledge, Lee et al. 2009,"
    assert " ".join(lines[number + 1]).startswith(place)  # which it has from its base
    status, details, _ = untrained("list", "frontends", "--details")
    assert status == 0
    assert "FAILED" not in details
    assert untrained("list", "--details", "backends")[0] == 2
    assert details.count("for 350000 samples:") == 13
    (line,) = (line.split() for line in details.splitlines() if line.strip().startswith("convs.1 ") and "302," in line)
    assert line == ["convs.1", "Conv2d", "32", "x", "16", "x", "85", "9,248", "302,579,712"]  # pooled


def test_list_tells_what_is_stored(untrained, sounds, tmp_path):
    status, _, err = untrained("list", "embeddings")
    assert status == 2
    assert "no folder at runs/embeddings; give" in err
    data = ["--data", "folder", "--data.root", sounds, "--data.n_samples", "8000"]
    for frontend in ("mfcc", "temporal"):
        assert untrained("predict", *data, "--model.frontend", frontend)[0] == 0
    (tmp_path / "runs/embeddings/a").mkdir()
    (tmp_path / "runs/embeddings/a/manifest.json").write_text("{")
    status, out, _ = untrained("list", "embeddings")
    assert status == 0
    header, odd, mfcc, temporal, total = (line.split() for line in out.splitlines())
    assert header == ["store", "clips", "features", "made", "MB"]
    assert "-mfcc-" in mfcc[0]
    assert mfcc[1:3] == ["36", "120"]
    assert temporal[1:3] == ["36", "112"]
    assert odd[1] == "FAILED:"
    assert total[:2] == ["3", "stores,"]
    assert untrained("list", "embeddings", "--embeddings", "runs/embeddings")[1] == out


def test_versions_and_shipped_studies_are_printed(untrained):
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
    assert "untrained config NAME, of extended_ballroom, gtzan" in err


@pytest.mark.parametrize("command", ["report", "new", "new frontend", "config", "check", "check frontend", "list"])
def test_every_command_explains_itself(untrained, command, capsys):
    try:
        status, out, _ = untrained(*command.split(), "--help")
    except SystemExit as end:  # of a parser
        status, out = end.code, capsys.readouterr().out
    assert status == 0
    assert out.startswith("usage: untrained ")


def test_list_and_help_import_no_torch():
    code = (
        "import sys; from untrained.cli import main\n"
        "assert main(['list']) == 0 and main(['--help']) == 0 and main(['--version']) == 0\n"
        "assert main(['list', 'embeddings', '--embeddings', '.']) == 0\n"
        "import untrained; untrained.FRONTENDS.names()\n"
        "heavy = {'torch', 'pytorch_lightning', 'sklearn', 'numpy', 'jsonargparse', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    for name in ("vgg", "temporal", "mfcc", "svm", "elm", "folder", "synthetic", "predict", "compare"):
        assert name in printed


def test_help_of_a_plug_in(tmp_path):
    command = [sys.executable, "-m", "untrained", "predict", "--model.frontend.help", "vgg"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "COLUMNS": "100"})
    assert "--model.frontend.n_filters" in printed.stdout
    assert "Choi et al. 2016" in printed.stdout
