import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData
from untrained.probes.record import OPTIMISTIC
from untrained.studies.analysis import Analysis, Cell
from untrained.studies.ranking import ranking, ranking_table, sessions


def hparams_of(value):
    info = HParamsPluginData.FromString(value.metadata.plugin_data.content).session_start_info
    return {name: value.string_value for name, value in info.hparams.items()}


def test_rows_are_means_over_seeds_sorted_by_accuracy_with_chance(analysis, study):
    rows = ranking(analysis)
    of_events = [row for row in rows if row.dataset == "synthetic-events"]
    assert rows[: len(of_events)] == of_events
    accuracies = [row.metrics["accuracy"] for row in of_events]
    assert accuracies == sorted(accuracies, reverse=True)
    assert [row.rank for row in of_events if row.frontend != "chance"] == ["1", "2", "3", "4"]
    (chance,) = [row for row in of_events if row.frontend == "chance"]
    assert chance.metrics == {"accuracy": 1 / 8}
    cell = analysis.cells["synthetic-events", "temporal-n_filters=4", "nearest_class"]
    (row,) = [row for row in of_events if row.frontend == "temporal-n_filters=4"]
    assert (row.seeds, row.metrics["accuracy"], row.metrics["over seeds"]) == (2, cell.accuracy, cell.deviation)
    assert f"| {row.frontend} | nearest_class | {100 * cell.accuracy:.1f} | {100 * cell.deviation:.1f} | 2 |" in (
        ranking_table(rows)
    )

    events = EventAccumulator(str(study / "_study/ranking" / row.folder)).Reload()
    assert events.Scalars("accuracy")[0].value == pytest.approx(cell.accuracy)
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    start = HParamsPluginData.FromString(content).session_start_info
    assert int(start.group_name) == 1 + rows.index(row)
    shown = {name: value.string_value for name, value in start.hparams.items()}
    # Values that are the same in all rows are left out, and options have a separate column, so that no text is cut.
    assert shown == {
        "dataset": "synthetic-events",
        "frontend": "temporal",
        "frontend options": "n_filters=4",
        "rank": row.rank,
    }
    content = events.SummaryMetadata("_hparams_/experiment").plugin_data.content
    declared = HParamsPluginData.FromString(content).experiment.metric_infos
    assert [info.name.tag for info in declared] == ["accuracy", "over seeds"]


def test_scores_selected_on_the_scored_clips_are_marked(made):
    runs = {name: made(name, run=f"d/{name}/svm/seed0", selected_on_test=name == "vgg") for name in ("vgg", "mfcc")}
    cells = {("my copy", name, "svm"): Cell([run], 0.4, 0.6) for name, run in runs.items()}
    rows = ranking(Analysis(cells, [], [], {}))
    assert [row.frontend for row in rows] == ["vgg", "mfcc", "chance"]
    assert OPTIMISTIC[2:] in ranking_table(rows).splitlines()[2]
    marks = [hparams_of(session[1])["scores"] for session in sessions(rows)]
    assert marks == [OPTIMISTIC[2:], "", ""]
