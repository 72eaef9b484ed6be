import numpy as np
import pytest
from untrained.datamodules.clip import Stamp
from untrained.datamodules.stamps import Stamps

PAIRS = {f"kläng/{number}.wav": Stamp(number, -number) for number in range(20)}


def test_stamps_are_found_by_the_id_of_their_clip():
    stamps = Stamps.of(PAIRS.items())
    assert dict(stamps) == PAIRS
    assert list(stamps) == sorted(PAIRS)
    assert stamps.sizes.dtype == stamps.mtimes_ns.dtype == np.int64


@pytest.mark.parametrize("unknown", ["", "kläng/1", "z"])
def test_an_unknown_id_is_not_found(unknown):
    stamps = Stamps.of(PAIRS.items())
    assert unknown not in stamps
    assert unknown not in Stamps.of([])
