from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from untrained.studies.tensorboard import logs_to_tensorboard


def test_a_study_is_logged_to_tensorboard(study):
    events = EventAccumulator(str(study / "_study"), size_guidance={"tensors": 0, "images": 0}).Reload()
    assert set(events.Tags()["images"]) == {
        "_study/accuracy",
        "_study/cost",
        "_study/ranks",
        *(
            f"_study/confusion/{dataset}/{frontend}/nearest_class"  # also for mfcc and the control, with one seed
            for dataset in ("synthetic-events", "synthetic-timbre")
            for frontend in ("temporal-n_filters=4", "sample_level-n_filters=2", "mfcc", "logmel_stats")
        ),
    }
    (report,) = events.Tensors("_study/report/text_summary")
    text = report.tensor_proto.string_val[0].decode()
    assert text == "\n".join(line for line in (study / "report.md").read_text().splitlines() if line[:2] != "![")
    (ranking,) = events.Tensors("_study/ranking/text_summary")
    assert ranking.tensor_proto.string_val[0].startswith(b"| data set | rank | frontend |")
    (settings,) = events.Tensors("_study/settings/text_summary")
    assert b"n_filters: 4" in settings.tensor_proto.string_val[0]


def test_a_study_with_other_loggers_is_not_logged_to_tensorboard():
    assert logs_to_tensorboard("trainer: {logger: null}")
    assert logs_to_tensorboard("")
    assert logs_to_tensorboard("{")
    assert not logs_to_tensorboard("trainer: {logger: false}")
    assert not logs_to_tensorboard("trainer: {logger: {class_path: CSVLogger}}")
