import json

import pytest
import torch
from untrained.frontends import drawn_set
from untrained.frontends.calibrating import needs_calibration
from untrained.frontends.drawn import Drawn
from untrained.frontends.grammar import FAMILIES, draw_design
from untrained.frontends.trained import load_weights, save_weights
from untrained.testing import check_frontend
from untrained.testing.training import train_once

SIXTEEN = drawn_set(16)
SMALL = {"n_parameters": 12_000}


@pytest.mark.parametrize("drawn_design", SIXTEEN, ids=lambda each: f"{each.family}-{each.design}")
def test_designs_meet_the_contract(drawn_design):
    """`benchmarks/drawn_designs.py --check` does the same with 160 designs."""
    check_frontend(drawn_design.create())


def test_the_seed_draws_the_weights_alone():
    first, other = Drawn("shapes", 1, seed=0), Drawn("shapes", 1, seed=1)
    assert first.plan == other.plan
    assert not torch.equal(first.layers[0][0].conv.weight, other.layers[0][0].conv.weight)
    assert torch.equal(first.layers[0][0].conv.weight, Drawn("shapes", 1).layers[0][0].conv.weight)
    wider = Drawn("shapes", 1, 60_000)
    assert wider.plan.design == first.plan.design
    assert wider.embedding_size > first.embedding_size


def test_what_a_frontend_reads_depends_on_its_family():
    told = {family: Drawn(family, 3, 20_000) for family in FAMILIES}
    waveforms = {family for family, each in told.items() if each.input == "waveform"}
    assert waveforms == {"sample_level", "frame_level", "frame_level_many"}
    filters = [told[family].filters for family in FAMILIES]
    assert filters == ["minimal", "single", "single", "many", "minimal", "single", "many", "single"]
    assert [family for family in FAMILIES if not told[family].domain_knowledge] == ["vgg", "sample_level"]


def test_the_list_of_frontends_says_what_decides(untrained):
    _, out, _ = untrained("list", "frontends")
    lines = out.splitlines()
    drawn = next(index for index, line in enumerate(lines) if line.split()[:1] == ["drawn"])
    assert lines[drawn + 1].strip() == "grammar of eight families; input and filters depend on the family"


def test_features_are_those_of_every_layer():
    made = Drawn("vertical", 1, **SMALL)
    assert made.embedding_size == sum(made.plan.widths) == len(made.feature_names)
    assert made.feature_names[-1] == f"layer{len(made.plan.widths) - 1}.map{made.plan.widths[-1] - 1}"
    assert len(made.columns("last")) == made.plan.widths[-1]
    assert made.with_options(pooling="mean_std").embedding_size == 2 * made.embedding_size
    assert str(made.describe(96_000)).splitlines()[-1].split()[:2] == ["embedding", str(made.embedding_size)]


def with_norm(norm, family="vertical"):
    numbers = (number for number in range(100) if draw_design(family, number).norm == norm)
    return Drawn(family, next(numbers), 20_000)


def test_calibration_sets_batch_norm():
    made, clips = with_norm("batch"), 0.1 * torch.randn(3, 6_000, generator=torch.Generator().manual_seed(0))
    before = made(clips)
    assert needs_calibration(made)
    made.calibrate([clips])
    assert not needs_calibration(made)
    assert made.input_scalars != (0.0, 1.0)
    assert not torch.allclose(before, made(clips), rtol=0.01)
    train_once(made, clips)
    assert not needs_calibration(with_norm("group"))


def test_trained_weights_are_restored(tmp_path):
    made, clips = with_norm("group", "frame_level"), torch.randn(2, 2_000)
    save_weights(made, tmp_path / "frontend.safetensors")
    again = load_weights(Drawn(**{**made.arguments, "seed": 5}), tmp_path / "frontend.safetensors")
    assert torch.equal(again(clips), made(clips))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model.frontend.n_parameters", "40"], "family 'vgg', design 0: 40 parameters need fewer than 16 features"),
        (["--model.frontend.design", "-1"], "design=-1; expected an integer of 0 or more"),
        (["--model.frontend.family", "vgg6"], "--model.frontend.family: Expected one of 'vgg', 'vertical'"),
    ],
)
def test_mistakes_are_refused_by_one_message(untrained, words, message):
    status, _, err = untrained("fit", "--data", "synthetic", "--model.frontend", "drawn", *words)
    assert status == 2
    assert message in err
    assert len(err.strip().splitlines()) == 1


def test_a_run_states_what_its_design_reads(untrained, tmp_path):
    """The design has batch norm, which is calibrated."""
    data = ["--data", "synthetic", "--data.task", "events", "--data.clips_per_class", "4", "--data.n_samples", "2000"]
    drawn = ["--model.frontend", "drawn", "--model.frontend.family", "frame_level", "--model.frontend.design", "1"]
    assert untrained("fit", *data, *drawn, "--model.backend", "nearest_class", "--model.calibrate", "true")[0] == 0
    metrics = json.loads(next(tmp_path.rglob("metrics.json")).read_text())
    assert (metrics["input"], metrics["filters"]) == ("waveform", "single")
    assert metrics["n_parameters"] == Drawn("frame_level", 1).plan.n_parameters
