import math

import numpy as np
from untrained.backends.guard import FailedCandidate
from untrained.training.outcome import Heard, Scored, Trained, best_of, selection_of
from untrained.training.parts import parts_of


def test_the_best_learning_rate_by_accuracy_then_loss():
    assert best_of([0.5, 0.7, 0.6], [1, 1, 1]) == 1
    assert best_of([0.7, 0.7, 0.7], [2, 1, 1]) == 1
    assert best_of([math.nan, 0.1], [0, 1]) == 1


def test_a_learning_rate_has_failed_only_if_it_failed_in_every_part(events):
    datamodule, sounds = events
    heard = Heard(sounds)
    (part,) = parts_of(sounds.clips, datamodule.seed)
    trained = Trained(None, None, "linear")
    rates, failed = [0.1, 0.2, 0.3], [FailedCandidate({"learning_rate": rate}, "diverged") for rate in (0.1, 0.2, 0.3)]
    right = heard.labels(part.validation)
    scored = [
        Scored(part, [0.5, math.nan, math.nan], 0, trained, 1, 1, part.validation, right, None, failed[1:]),
        Scored(part, [math.nan, 0.75, math.nan], 1, trained, 1, 1, part.validation, right, None, failed[::2]),
    ]
    found = selection_of(scored, rates, heard)
    assert found.candidates == [{"learning_rate": 0.1}, {"learning_rate": 0.2}]
    assert (found.candidate_scores, found.best) == ([0.5, 0.75], 1)
    assert found.failed == [failed[2], failed[2]]


def test_clips_are_as_probes_see_them(events):
    datamodule, sounds = events
    heard = Heard(sounds)
    assert heard.class_names == datamodule.class_names
    assert [clip.split for clip in heard.tested] == ["test"] * 8
    assert len(heard.learned) == 32
    assert all(heard.store.audio_of([clip.id for clip in datamodule.listed]))
    assert heard.store.audio_of(["absent"]) == [""]
    heard.keep(heard.tested, np.arange(8)[:, None])
    assert heard.embeddings(heard.tested[2:4]).tolist() == [[2], [3]]
