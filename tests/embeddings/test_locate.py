from untrained.datamodules.folder import AudioFolder
from untrained.datamodules.synthetic import Synthetic
from untrained.embeddings.locate import open_store, store_folder
from untrained.frontends.baselines import MFCC
from untrained.frontends.musical import Temporal


def folder(root, **arguments):
    return AudioFolder(str(root), n_samples=8000, **arguments)


def test_each_setting_that_changes_embeddings_has_its_own_store(sounds, tmp_path):
    folders = set()
    for frontend, data, precision in (
        (Temporal(4), folder(sounds), "32-true"),
        (Temporal(8), folder(sounds), "32-true"),
        (Temporal(4, seed=1), folder(sounds), "32-true"),
        (MFCC(), folder(sounds), "32-true"),
        (Temporal(4), folder(sounds, fit_length="zero"), "32-true"),
        (Temporal(4), AudioFolder(str(sounds), n_samples=9000), "32-true"),
        (Temporal(4), folder(sounds), "bf16-mixed"),
        (Temporal(4), Synthetic("events", n_samples=8000), "32-true"),
        (Temporal(4), Synthetic("events", n_samples=8000, seed=1), "32-true"),
    ):
        folders.add(open_store(tmp_path, frontend, data, precision).folder)
    assert len(folders) == 9
    same = folder(sounds, seed=5, folds=3, batch_size=2)  # splits are not stored
    assert open_store(tmp_path, Temporal(4), same, "32-true").folder in folders


def test_store_folder_does_not_create_the_folder(tmp_path):
    data = Synthetic("events", n_samples=8000)
    folder = store_folder(tmp_path, MFCC(), data, "32-true")
    assert folder.name.startswith("synthetic-events-mfcc-")
    assert not folder.exists()
    assert open_store(tmp_path, MFCC(), data, "32-true").folder == folder
    assert folder.is_dir()
