import subprocess
import sys

import pytest


@pytest.mark.slow
def test_list_and_help_import_no_torch():
    code = (
        "import sys; from untrained.cli import main\n"
        "assert main(['list']) == 0 and main(['--help']) == 0 and main(['--version']) == 0\n"
        "assert main(['list', 'embeddings', '--embeddings', '.']) == 0\n"
        "import untrained; untrained.FRONTENDS.names()\n"
        "heavy = {'torch', 'pytorch_lightning', 'sklearn', 'numpy', 'jsonargparse', 'rich'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    for name in ("vgg", "temporal", "mfcc", "svm", "elm", "folder", "synthetic", "predict", "compare"):
        assert name in printed
