import random

import numpy as np
import pyarrow as pa
from untrained.datamodules.sorted_ids import lower_bound, matched, span


def test_bounds_are_those_of_a_sorted_list_of_texts():
    rng = random.Random(0)
    for _ in range(200):
        texts = sorted("".join(rng.choices("aé音𝄞\0", k=rng.randint(0, 3))) for _ in range(rng.randint(0, 8)))
        first, last = sorted(rng.choices(["", "a", "é", "音é", "𝄞", *texts], k=2))
        ids = pa.array(texts, pa.large_string())
        assert lower_bound(ids, first) == sum(text < first for text in texts)
        assert [texts[number] for number in span(ids, first, last)] == [t for t in texts if first <= t <= last]


def test_matches_are_pairs_of_equal_ids_in_both_columns():
    ids, others = pa.array(["c", "a", "c", "x"], pa.large_string()), pa.array(["y", "c", "a"], pa.string())
    positions, places = matched(ids, others)
    assert list(zip(positions, places, strict=True)) == [(0, 1), (1, 2), (2, 1)]
    assert positions.dtype == places.dtype == np.int64
    assert [len(found) for found in matched(ids, others[:0])] == [0, 0]
