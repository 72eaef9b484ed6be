def test_list_shows_the_design_and_the_layers_of_frontends(untrained):
    status, out, _ = untrained("list", "frontends")
    assert status == 0
    lines = [line.split() for line in out.splitlines()]
    number = next(number for number, line in enumerate(lines) if line[:1] == ["vertical_7x86"])
    design = "spectrogram, single filters, domain knowledge, Lee et al. 2009,"
    assert " ".join(lines[number + 1]).startswith(design)  # inherited from its base class
    status, details, _ = untrained("list", "frontends", "--details")
    assert status == 0
    assert "FAILED" not in details
    assert untrained("list", "--details", "backends")[0] == 2
    assert details.count("for 350000 samples:") == 14
    (line,) = (line.split() for line in details.splitlines() if line.strip().startswith("convs.1 ") and "302," in line)
    assert line == ["convs.1", "Conv2d", "32", "x", "16", "x", "85", "9,248", "302,579,712"]  # pooled


def test_list_shows_what_proxies_need(untrained):
    status, out, _ = untrained("list", "proxies")
    assert status == 0
    lines = [line.strip() for line in out.splitlines()]
    number = next(number for number, line in enumerate(lines) if line.startswith("snip "))
    assert lines[number + 1] == "needs data, labels, head, backward"
    number = next(number for number, line in enumerate(lines) if line.startswith("n_features "))
    assert lines[number + 1] == "needs no data"
    number = next(number for number, line in enumerate(lines) if line.startswith("synflow "))
    assert lines[number + 1] == "needs no data, head, backward"


def test_list_shows_stored_embeddings(untrained, sounds, tmp_path):
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
    header, odd, mfcc, temporal, waveforms, total = (line.split() for line in out.splitlines())
    assert header == ["store", "clips", "features", "made", "MB"]
    assert "-mfcc-" in mfcc[0]
    assert mfcc[1:3] == ["36", "120"]
    assert temporal[1:3] == ["36", "112"]
    assert odd[1] == "FAILED:"
    assert waveforms[0].startswith("waveforms/sounds0-12000-")
    assert total[:2] == ["3", "stores,"]
    assert untrained("list", "embeddings", "--embeddings", "runs/embeddings")[1] == out
