import torch
from pytorch_lightning import Trainer
from pytorch_lightning.callbacks import ModelCheckpoint
from untrained.frontends.musical import Temporal
from untrained.training.checkpoints import BEST, LAST, RESUMABLE, BestLoss, FinishedEpoch
from untrained.training.fitting import quiet, train_once
from untrained.training.module import MARK, EndToEnd


def make_trainer(**given):
    shown = {"enable_progress_bar": False, "enable_model_summary": False, "num_sanity_val_steps": 0}
    return Trainer(accelerator="cpu", max_steps=2, **shown, **given)


def test_only_the_checkpoint_of_a_finished_epoch_is_marked(data, tmp_path):
    theirs = ModelCheckpoint(tmp_path, "theirs", monitor="val/loss", every_n_epochs=1, save_on_train_epoch_end=False)
    train_once(EndToEnd(Temporal(n_filters=4)), data, make_trainer, tmp_path / "run", [theirs], [])
    paths = (tmp_path / "run" / LAST, tmp_path / "run" / BEST, tmp_path / "theirs.ckpt")
    marks = [torch.load(path, weights_only=True)[MARK] for path in paths]
    assert [each.get(RESUMABLE) for each in marks] == [True, None, None]
    assert all(each["frontend"] == "temporal" for each in marks)


def test_the_best_loss_is_kept_if_its_checkpoint_was_moved_too(tmp_path):
    before, after = (BestLoss(tmp_path / name, "best", monitor="val/loss") for name in ("before", "after"))
    path = str(tmp_path / "before" / BEST)
    before.best_model_path = before.kth_best_model_path = path
    before.best_model_score = before.kth_value = torch.tensor(0.5)
    before.best_k_models = {path: torch.tensor(0.5)}
    after.load_state_dict(before.state_dict())
    assert after.best_model_score is None
    (tmp_path / "after").mkdir()
    (tmp_path / "after" / BEST).touch()
    after.load_state_dict(before.state_dict())
    assert after.best_model_score == 0.5
    assert list(after.best_k_models) == [after.best_model_path] == [str(tmp_path / "after" / BEST)]


def test_a_moved_folder_causes_no_warning(tmp_path, recwarn):
    before, after = (FinishedEpoch(tmp_path / name, "last") for name in ("before", "after"))
    with quiet():
        after.load_state_dict(before.state_dict())
    assert not recwarn.list
