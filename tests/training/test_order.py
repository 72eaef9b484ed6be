import pytest
from hypothesis import given
from hypothesis import strategies as st
from untrained.errors import UsageError
from untrained.training.order import LEAST, BatchOrder


@given(st.integers(1, 200), st.integers(2, 40), st.integers(1, 4))
def test_all_clips_once_an_epoch_in_batches_that_batchnorm_can_use(n_clips, batch_size, world_size):
    if n_clips < LEAST * world_size:
        with pytest.raises(UsageError, match="BatchNorm"):
            BatchOrder(n_clips, batch_size, 0, 0, world_size)
        return
    shares = [list(BatchOrder(n_clips, batch_size, 0, rank, world_size)) for rank in range(world_size)]
    assert sorted(place for share in shares for batch in share for place in batch) == list(range(n_clips))
    sizes = [len(batch) for share in shares for batch in share]
    assert min(sizes) >= LEAST
    assert max(sizes) <= batch_size + 1 or len(shares[0]) == n_clips // (LEAST * world_size)
    assert len({len(share) for share in shares}) == 1


def test_the_order_depends_on_seed_and_epoch_alone():
    def order(seed, epoch):
        made = BatchOrder(50, 8, seed)
        list(made)
        made.set_epoch(epoch)
        return list(made)

    assert order(1, 3) == order(1, 3)
    assert order(1, 3) != order(1, 4)
    assert order(1, 3) != order(2, 3)


def test_one_clip_a_batch_is_refused():
    with pytest.raises(UsageError, match=r"--data.batch_size 1: BatchNorm needs 2 clips or more"):
        BatchOrder(10, 1, 0)
    with pytest.raises(UsageError, match=r"5 training clips on 3 devices.*use --trainer.devices 2 or fewer"):
        BatchOrder(5, 8, 0, 0, 3)
