import json
import re

import numpy as np
import pytest
from untrained.studies import confusion
from untrained.studies.confusion import Confusion, class_section, mean_confusion


@pytest.fixture(scope="module")
def matrices(study, analysis):
    return {key: mean_confusion(study, cell) for key, cell in analysis.cells.items()}


def test_the_diagonal_of_the_mean_over_seeds_is_the_balanced_accuracy(analysis, matrices):
    key = "synthetic-events", "temporal-n_filters=4", "nearest_class"
    found = matrices[key]
    assert len(analysis.cells[key].runs) == 2
    assert found.shares.sum(axis=1) == pytest.approx(100)
    assert found.shares.diagonal().mean() == pytest.approx(100 * analysis.cells[key].balanced_accuracy)


def test_tables_and_embedded_matrices(analysis, matrices):
    drawn = "".join(class_section(analysis, matrices))
    assert drawn.count('data-choice="') == 2  # one table of recall for each data set
    data = json.loads(re.search(r'id="confusion-data">(.*)</script>', drawn)[1])
    assert len(data["cells"]) == len(matrices) == drawn.count("<option") - 2
    for caption, classes, sparse in data["cells"]:
        (key,) = [key for key in matrices if caption.startswith(f"{key[1]}, {key[2]} on {key[0]}: ")]
        assert data["classes"][classes] == matrices[key].class_names
        flat = np.zeros(len(matrices[key].class_names) ** 2)
        flat[sparse[::2]] = sparse[1::2]
        assert flat == pytest.approx(matrices[key].shares.ravel(), abs=0.06)


def test_the_colour_of_a_share_is_its_tenth_rounded_up(analysis, matrices):
    key = next(iter(analysis.cells))
    shares = np.array([[0, 10.0, 90.0], [10.1, 0.4, 89.5], [100.0, 0, 0]])
    drawn = "".join(class_section(analysis, {key: Confusion(["x", "y", "z"], shares)}))
    body = drawn[drawn.index("true class") :]
    assert re.findall(r'<td class="h(\d+)">([^<]*)', body) == [
        *[("0", "·"), ("1", "10"), ("9", "90")],
        *[("2", "10"), ("1", "0"), ("9", "90")],
        *[("10", "100"), ("0", "·"), ("0", "·")],
    ]


def test_tables_that_would_make_the_page_too_large_are_left_out_with_a_note(analysis, matrices, monkeypatch):
    monkeypatch.setattr(confusion, "MAX_SHARES", 90)
    monkeypatch.setattr(confusion, "MAX_RECALLS", 1)
    drawn = "".join(class_section(analysis, matrices))
    kept = len(json.loads(re.search(r'id="confusion-data">(.*)</script>', drawn)[1])["cells"])
    assert 0 < kept < len(matrices)
    assert f"{len(matrices) - kept} matrices are left out" in drawn
    assert re.search(r"\d+ tables are left out", drawn)
