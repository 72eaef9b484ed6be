from dataclasses import replace

import pytest
from untrained.probes.checkpoint import add_scores, read


def test_the_accuracy_to_expect_comes_from_the_test_split_if_it_is_scored(stored):
    path = stored(untrained={"scores": {"cv/accuracy": [0.5, 0.25, 0.75]}})
    recipe = read(path)[0]
    assert "50.0 % [25.0, 75.0] (cv/accuracy, protocol" in recipe.describe_expected()
    assert "optimistic" in replace(recipe, selected_on_test=True).describe_expected()
    add_scores(path, {"test/accuracy": 0.75, "test/accuracy_low": 0.5, "test/accuracy_high": 1.0, "test/macro_f1": 0.1})
    recipe = read(path)[0]
    assert set(recipe.scores) == {"cv/accuracy", "test/accuracy"}
    assert "75.0 % [50.0, 100.0] (test/accuracy" in recipe.describe_expected()
    assert "unknown" in replace(recipe, scores={}).describe_expected()


@pytest.mark.parametrize(
    "odd",
    [
        {"scores": {"cv/accuracy": [2.0, 0.0, 1.0]}},
        {"scores": 5},
        {"inverse_temperature": -1.0},
        {"n_calibrated": "x"},
        {"smoothing": 0.0},
        {"selected_on_test": 1},
    ],
)
def test_invalid_values_are_rejected(stored, odd):
    recipe = read(stored())[0]
    with pytest.raises(ValueError, match=f"{next(iter(odd))} has an invalid type or value"):
        replace(recipe, **odd)
