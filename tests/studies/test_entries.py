def test_axes_over_any_argument(untrained, tmp_path, little):
    (tmp_path / "study.yaml").write_text(
        little.replace("{n_filters: 4}", "{}")
        + "vary: {frontends: {n_filters: [4, 8]}, datamodules: {fit_length: [repeat, zero]}}\n"
    )
    arguments = ["--vary.backends.shrinking", "[true]", "--backends", "[{class_path: svm}, elm]", "--seeds", "[0, 1]"]
    status, out, _ = untrained("compare", "study.yaml", "--dry_run", *arguments[2:])
    assert status == 0
    runs = [line.split(":")[0].removeprefix("runs/small/") for line in out.splitlines() if "seed" in line]
    frontends = ["temporal-n_filters=4", "temporal-n_filters=8"]
    assert set(runs) == {
        f"synthetic-events-fit_length={fit}/{frontend}/{backend}/seed{seed}"
        for fit in ("repeat", "zero")
        for frontend, backend, seed in [
            *((frontend, backend, seed) for frontend in frontends for backend in ("svm", "elm") for seed in (0, 1)),
            ("mfcc", "svm", 0),  # runs once, because nothing is random
            *(("mfcc", "elm", seed) for seed in (0, 1)),
        ]
    }
    status, _, err = untrained("compare", "study.yaml", *arguments)
    assert status == 2
    assert "vary.backends.shrinking: none of the backends has this argument" in err


def test_different_entries_have_different_names_and_equal_entries_are_merged(untrained, tmp_path, results_of, little):
    (tmp_path / "study.yaml").write_text(little)
    given = ["{gamma: 0.5}", "{gamma: 0.25}", "{kernel: rbf, C: 1.0}", "{}"]
    entries = f"[{', '.join(f'{{class_path: svm, init_args: {arguments}}}' for arguments in given)}]"
    status, _, _ = untrained("compare", "study.yaml", "--backends", entries, "--frontends", "[mfcc, mfcc]")
    assert status == 0
    assert {(row["frontend"], row["backend"]) for row in results_of(tmp_path)} == {
        ("mfcc", "svm-gamma=0.5"),
        ("mfcc", "svm-gamma=0.25"),
        ("mfcc", "svm-C=1.0-kernel=rbf"),
        ("mfcc", "svm"),
    }
