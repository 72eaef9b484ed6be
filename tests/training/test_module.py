import pytest
import torch
from pytorch_lightning import Trainer
from untrained.errors import TrainingError, UsageError
from untrained.frontends.baselines import MFCC
from untrained.frontends.musical import Temporal
from untrained.frontends.tempo import Tempo
from untrained.training.fitting import quiet
from untrained.training.module import EndToEnd


def trainer(**options):
    quiet_ones = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    return Trainer(accelerator="cpu", enable_checkpointing=False, num_sanity_val_steps=0, **quiet_ones, **options)


@pytest.fixture
def fitted(data):
    def fit(module, **options):
        used = trainer(**{"max_steps": 2, "gradient_clip_val": 1.0, **options})
        with quiet():
            used.fit(module, datamodule=data)
        return used

    return fit


def test_users_of_lightning_train_by_a_trainer_of_their_own(fitted, data):
    frontend = Temporal(n_filters=4)
    before = [parameter.clone() for parameter in frontend.parameters()]
    module = EndToEnd(frontend)
    used = fitted(module)
    assert set(used.callback_metrics) >= {"train/loss", "train/accuracy", "val/loss", "val/accuracy", "learning_rate"}
    assert all(map(torch.equal, frontend.parameters(), before))  # it is copied
    pairs = zip(module.network.frontend.named_parameters(), frontend.parameters(), strict=True)
    assert not [name for (name, trained), drawn in pairs if torch.equal(trained, drawn) and trained.ndim > 1]
    waveforms = torch.cat(list(data.waveforms()))
    x = module.network.frontend.represent(waveforms)
    assert float(x.mean()) == pytest.approx(0, abs=1e-3)
    assert float(x.std()) == pytest.approx(1, abs=1e-3)


def test_the_same_seed_gives_the_same_weights(fitted):
    states = []
    for seed in (5, 5, 6):
        module = EndToEnd(Temporal(n_filters=4), "musicnn", seed=seed)
        fitted(module)
        states.append(list(module.state_dict().values()))
    assert all(map(torch.equal, states[0], states[1]))
    assert not all(map(torch.equal, states[0], states[2]))


def test_norms_and_biases_do_not_decay(fitted):
    module = EndToEnd(Temporal(n_filters=4), weight_decay=0.1)
    optimizer = fitted(module).optimizers[0]
    decayed, others = optimizer.param_groups
    assert (decayed["weight_decay"], others["weight_decay"]) == (0.1, 0.0)
    assert {parameter.ndim for parameter in others["params"]} == {1}


def test_a_loss_that_is_not_finite_ends_the_training(fitted):
    with pytest.raises(
        TrainingError, match=r"loss is (nan|inf) at step \d, with learning rate .*--model.learning_rate"
    ):
        fitted(EndToEnd(Temporal(n_filters=4), learning_rate=1e20, warmup=0.0), max_steps=5)


@pytest.mark.parametrize("frontend", [MFCC, Tempo])
def test_a_frontend_with_nothing_to_train_is_refused_by_name(frontend):
    with pytest.raises(ValueError, match=f"'{frontend.__name__.lower()}' has no random weights"):
        EndToEnd(frontend())


def test_what_a_trainer_cannot_use_is_refused(fitted, data):
    with pytest.raises(UsageError, match=r"a trainer can use only one learning rate"):
        fitted(EndToEnd(Temporal(n_filters=4), learning_rate=[1e-3, 1e-2]))
    with pytest.raises(
        UsageError,
        match=r"EndToEnd needs a TrainingData datamodule, got .*",
    ):
        trainer(max_steps=1).fit(EndToEnd(Temporal(n_filters=4)), data.train_dataloader())
    with pytest.raises(UsageError, match="call build"):
        EndToEnd(Temporal(n_filters=4))(torch.zeros(1, 4000))
