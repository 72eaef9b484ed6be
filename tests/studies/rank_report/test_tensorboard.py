import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from untrained.studies.rank_report.tensorboard import scalars


def test_figures_report_and_headline_numbers_are_logged(written, whole):
    events = EventAccumulator(str(written[0] / "_study"), size_guidance={"images": 0})
    events.Reload()
    tags = events.Tags()
    assert set(tags["images"]) == {f"_study/{name}" for name in ("accuracies", "rivals", "regret", "agreement")}
    assert "_study/report/text_summary" in tags["tensors"]
    (value,) = events.Scalars("_study/headline/value")
    assert value.value == pytest.approx(whole.analysis.pooled.rho.value)
    assert "_study/regret/1_of_12" in tags["scalars"]


def test_numbers_that_are_unknown_are_not_logged(nothing, parts):
    assert dict(scalars(nothing)) == {"items/done": 0.0, "items/total": 486.0}
    assert not any("rho" in name for name, _ in scalars(parts(lambda record: record.item.arm == "random")))
