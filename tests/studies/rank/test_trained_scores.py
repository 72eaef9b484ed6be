from untrained.studies.rank.items import Item


def test_scores_are_kept_and_files_are_not(finished, known, planned):
    for name in planned().design.architectures:
        first = known.done(Item("synthetic-events", name, "trained", 0.001, 100))
        other = known.done(Item("synthetic-events", name, "trained", 0.003, 100))
        assert len(first.predicted) == 24
        assert set(first.predicted) <= set(range(8))
        assert first.first_epoch is not None
        assert other.first_epoch is None
        assert 0 <= first.train <= 1
    assert list((finished[0] / "tiny").rglob("*.ckpt")) == []
