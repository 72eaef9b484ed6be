from untrained.studies.rank.parser import as_comparison


def test_the_study_of_compare_has_the_same_plug_ins(parsed):
    made = as_comparison(parsed(), [{"class_path": "temporal"}])
    assert made.seeds == [0, 100, 200]
    assert made.model.calibrate == [True]
    assert made.training.max_steps == 20
    assert [entry["class_path"] for entry in made.datamodules] == ["synthetic"]
