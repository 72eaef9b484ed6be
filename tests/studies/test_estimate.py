def test_a_dry_run_lists_runs_and_stored_embeddings_and_writes_nothing(untrained, tmp_path, little):
    (tmp_path / "study.yaml").write_text(little)
    status, out, err = untrained("compare", "study.yaml", "--dry_run")
    assert (status, err) == (0, "")
    assert out.splitlines()[:3] == [
        "runs/small/synthetic-events/temporal-n_filters=4/nearest_class/seed0: to do, 0 of 32 embeddings are stored",
        "runs/small/synthetic-events/mfcc/nearest_class/seed0: to do, 0 of 32 embeddings are stored",
        "2 runs: 0 done, 2 to do; 64 embeddings to compute",
    ]
    assert out.splitlines()[3].startswith("about ")
    assert out.splitlines()[4].startswith("waveforms: 32 clips x 8,000 samples float32 = 1.0 MB -> runs/embeddings/")
    assert not (tmp_path / "runs").exists()
    assert untrained("compare", "study.yaml", "--frontends", "[mfcc]")[0] == 0
    status, out, _ = untrained("compare", "study.yaml", "--dry_run", "--backends", "[nearest_class, elm]")
    assert status == 0
    assert "mfcc/nearest_class/seed0: done" in out
    assert "waveforms" not in out  # all are cached
    assert "mfcc/elm/seed0: to do, 32 of 32 embeddings are stored" in out
    assert "4 runs: 1 done, 3 to do; 32 embeddings to compute" in out
    status, out, _ = untrained("compare", "study.yaml", "--dry_run", "--frontends", "[mfcc]")
    assert out.endswith("1 runs: 1 done, 0 to do; 0 embeddings to compute\n")
