from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def test_tensorboard_shows_a_run(study):
    run = study / "synthetic-timbre/temporal-n_filters=4/nearest_class/seed1"
    events = EventAccumulator(str(run), size_guidance={"tensors": 0, "images": 0}).Reload()
    assert {"confusion/val", "confusion/test", "random filters"} == set(events.Tags()["images"])
    assert not [tag for tag in events.Tags()["tensors"] if "hparams" in tag]  # a study logs means over seeds instead
    assert events.Tags()["scalars"]
    assert "candidates/accuracy" not in events.Tags()["scalars"]
    (candidates,) = events.Tensors("candidates/text_summary")
    header, _, *rows = candidates.tensor_proto.string_val[0].decode().splitlines()
    assert header == "| candidate | accuracy (%) | |"
    assert [row.endswith("chosen |") for row in rows] == [True]
    (settings,) = events.Tensors("settings/text_summary")
    assert b"class_path: untrained.frontends.names.temporal" in settings.tensor_proto.string_val[0]
