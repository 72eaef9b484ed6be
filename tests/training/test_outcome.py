import math

import numpy as np
from untrained.training.outcome import Heard, best_of


def test_the_best_learning_rate_by_accuracy_then_loss():
    assert best_of([0.5, 0.7, 0.6], [1, 1, 1]) == 1
    assert best_of([0.7, 0.7, 0.7], [2, 1, 1]) == 1
    assert best_of([math.nan, 0.1], [0, 1]) == 1


def test_clips_are_as_probes_see_them(events):
    datamodule, sounds = events
    heard = Heard(sounds)
    assert heard.class_names == datamodule.class_names
    assert [clip.split for clip in heard.tested] == ["test"] * 8
    assert len(heard.learned) == 32
    assert {row.id for row in heard.store.rows} == {clip.id for clip in datamodule.listed}
    heard.keep(heard.tested, np.arange(8)[:, None])
    assert heard.embeddings(heard.tested[2:4]).tolist() == [[2], [3]]
