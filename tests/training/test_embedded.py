import pytest
import torch
from pytorch_lightning import Trainer
from untrained.cli import main
from untrained.frontends.baselines import MFCC
from untrained.frontends.musical import Temporal
from untrained.probes.fitted import load_probe
from untrained.probes.record import read_metrics
from untrained.training.data import TrainingData
from untrained.training.embedded import Embedded
from untrained.training.fitting import quiet
from untrained.training.module import EndToEnd
from untrained.training.parts import parts_of

from .conftest import CLIPS, TEMPORAL

DEVICE = torch.device("cpu")


def fitted(data, module):
    options = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = Trainer(accelerator="cpu", max_steps=4, enable_checkpointing=False, num_sanity_val_steps=0, **options)
    with quiet():
        trainer.fit(module, datamodule=data)
    return module


def test_a_head_trains_alone_and_equally_on_embeddings_and_on_waveforms(events, data):
    frontend = Temporal(n_filters=4)
    on_waveforms = fitted(data, EndToEnd(frontend, head_only=True))
    weights = on_waveforms.network.frontend.state_dict()
    assert all(torch.equal(weights[name], drawn) for name, drawn in frontend.state_dict().items())
    assert on_waveforms.frontend.input_scalars != (0.0, 1.0)  # as those of a frontend that is trained
    calibrated = on_waveforms.frontend
    (part,) = parts_of(events[1].clips, events[0].seed)
    module = EndToEnd(calibrated, head_only=True)
    module.build(len(data.class_names)).reads_embeddings = True
    source = Embedded(events[1], calibrated, part.clips, DEVICE)
    fitted(TrainingData(source, part, data.class_names), module)
    for found, wanted in zip(module.network.head.parameters(), on_waveforms.network.head.parameters(), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    drawn = EndToEnd(frontend).build(len(data.class_names)).head
    assert not torch.equal(module.network.head[1].weight, drawn[1].weight)


def test_a_frontend_with_nothing_to_train_can_have_a_head_of_its_own(data):
    module = fitted(data, EndToEnd(MFCC(), head_only=True))
    assert module.weights == "linear"
    assert module.network.head[1].in_features == MFCC().embedding_size


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("frozen")
    words = ["--model.head_only", "true", "--trainer.max_steps", "4", "--trainer.default_root_dir", str(root)]
    assert main(["train", *CLIPS, "--data.clips_per_class", "5", *TEMPORAL, *words]) == 0
    return next(root.glob("*/*/frozen-linear*/*/metrics.json")).parent


def test_a_run_of_a_head_is_named_after_it(run_folder):
    metrics = read_metrics(run_folder)
    assert metrics["weights"] == "linear"
    assert metrics["n_clips"] < metrics["clip_passes"] < 2 * metrics["n_clips"]  # test clips are computed once
    probe = load_probe(run_folder)
    drawn = Temporal(n_filters=4).state_dict()
    assert all(torch.equal(tensor, drawn[name]) for name, tensor in probe.frontend.state_dict().items())
