import shutil
import subprocess
import sys

import pytest

FITTED = ["fit", "--data", "folder", "--model.frontend", "mfcc", "--model.backend", "nearest_class", "--data.root"]


@pytest.mark.slow
def test_list_and_help_import_no_torch(study):
    code = (
        "import sys; from untrained.cli import main\n"
        "assert main(['list']) == 0 and main(['--help']) == 0 and main(['--version']) == 0\n"
        "assert main(['fit', '--help']) == 0 and main(['help', 'compare']) == 0\n"
        "assert main(['list', 'embeddings', '--embeddings', '.']) == 0\n"
        f"assert main(['list', 'runs', {str(study)!r}]) == 0\n"
        "import untrained; untrained.FRONTENDS.names()\n"
        "heavy = {'torch', 'pytorch_lightning', 'sklearn', 'numpy', 'jsonargparse', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    for name in ("vgg", "temporal", "mfcc", "svm", "elm", "folder", "synthetic", "predict", "compare"):
        assert name in printed


@pytest.mark.slow
def test_commands_without_a_loop_import_no_lightning(untrained, sounds, study, tmp_path):
    """All commands run in one process, those that import less first."""
    assert untrained(*FITTED, sounds, "--data.n_samples", "8000")[0] == 0
    shutil.copytree(study, tmp_path / "small")
    (checkpoint,) = tmp_path.glob("runs/**/probe.ckpt")
    classify = ["classify", "--ckpt_path", str(checkpoint), str(sounds / "low" / "low 00.wav")]
    code = (
        "import sys; from untrained.cli import main\n"
        "def imported(*names): return set(names) & set(sys.modules)\n"
        "assert main(['report', 'small']) == 0\n"
        "assert not imported('torch', 'sklearn', 'scipy.stats', 'pytorch_lightning')\n"
        "assert main(['check', 'backend', 'nearest_class']) == 0\n"
        f"assert main({classify!r}) == 0\n"
        "assert main(['check', 'frontend', 'mfcc']) == 0\n"
        "assert main(['check', 'proxy', 'n_features']) == 0\n"
        "assert not imported('pytorch_lightning')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
