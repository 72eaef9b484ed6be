from untrained.studies.weights import beside, beside_rows, gain_lines, multiply_adds, seconds, spent_rows


def test_rows_hold_each_accuracy_and_what_training_adds(trained_weights):
    header, rows = beside_rows(beside(trained_weights))
    assert header[2:] == [
        *("svm (%)", "frozen-last (%)", "trained-last (%)"),
        *("trained - random, svm (points)", "trained - linear (points)"),
    ]
    assert {row[1]: row[2:] for row in rows} == {
        "vgg": ["50.0 ± 0.0", "50.0 ± 0.0", "50.0 ± 0.0", "+41.7 *", "+33.3 *"],
        "temporal": ["50.0 ± 0.0", "50.0 ± 0.0", "50.0 ± 0.0", "+41.7 *", "+33.3 *"],
        "mfcc": ["50.0", "-", "-", "-", "-"],
    }


def test_costs_are_those_of_extraction_and_fit_or_of_training(trained_weights):
    rows = [row for row in beside(trained_weights) if row.frontend == "vgg"]
    cells = rows[0].cells
    assert [seconds(cell) for cell in cells.values()] == [60 * 0.5 + 1.0, 1.0, 1.0]
    assert [multiply_adds(cell) for cell in cells.values()] == [500 * 60, 500 * 1000, 500 * 1000]
    header, found = spent_rows(rows)
    assert header[2:4] == ["svm (s)", "svm (G multiply-adds)"]
    assert found[0][2] == "31.0"


def test_lines_for_the_terminal(trained_weights):
    lines = list(gain_lines(beside(trained_weights)))
    assert lines[0] == "trained minus random, svm, in points (* significant):"
    assert (
        lines[1] == "  my copy: temporal +41.7 *, vgg +41.7 *" or lines[1] == "  my copy: vgg +41.7 *, temporal +41.7 *"
    )


def test_verdicts_on_trained_weights_are_apart_from_those_on_random_ones(trained_weights):
    variants = {overall.variant for overall in trained_weights.overall}
    assert not any("trained" in variant and "random" in variant for variant in variants)
    assert {family.variant for family in trained_weights.families} == {""}


def test_a_study_without_training_has_no_rows(analysis):
    assert beside(analysis) == []
    assert list(gain_lines([])) == []
