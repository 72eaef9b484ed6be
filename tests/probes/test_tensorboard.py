from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData


def test_a_run_in_tensorboard(study):
    run = study / "synthetic-timbre/temporal-n_filters=4/nearest_class/seed1"
    events = EventAccumulator(str(run), size_guidance={"tensors": 0, "images": 0}).Reload()
    assert {"confusion/val", "confusion/test", "random filters"} == set(events.Tags()["images"])
    content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    hparams = HParamsPluginData.FromString(content).session_start_info.hparams
    assert {name: value.string_value for name, value in hparams.items()} == {
        "dataset": "synthetic-timbre",
        "frontend": "temporal-n_filters=4",
        "backend": "nearest_class",
        "seed": "1",
        "candidate": "",
    }
    content = events.SummaryMetadata("_hparams_/experiment").plugin_data.content
    declared = [info.name.tag for info in HParamsPluginData.FromString(content).experiment.metric_infos]
    assert declared == ["test/accuracy", "val/accuracy", "cv/accuracy"]
    (settings,) = events.Tensors("settings/text_summary")
    assert b"class_path: untrained.frontends.names.temporal" in settings.tensor_proto.string_val[0]
