from untrained.probes.record import read_metrics


def test_a_step_costs_three_passes_of_each_of_its_clips(trained):
    metrics = read_metrics(trained)
    assert metrics["n_train_clips"] > 16  # so that batches are full
    assert metrics["clip_passes"] == 3 * 8 * 16 + metrics["n_clips"]
