import shutil
import subprocess

import pytest
from untrained import FRONTENDS
from untrained.frontends.baselines import MFCC

ASK = """
source ./completion.bash
COMP_WORDS=(untrained {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); COMPREPLY=()
_shtab_untrained untrained "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"
echo "${{COMPREPLY[*]}}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_completion_in_a_shell(untrained, tmp_path):
    status, script, _ = untrained("completion", "bash")
    assert status == 0
    assert len(script) < 100_000  # a longer script slows down the start of a shell
    (tmp_path / "completion.bash").write_text(script)

    def completed(words):
        asked = subprocess.run(["bash", "-c", ASK.format(words=words)], capture_output=True, text=True, check=True)
        return asked.stdout.split()

    assert completed("'co'") == ["compare", "config", "completion"]
    assert completed("fit --model.frontend v") == ["vertical_7x86", "vertical_7x96", "vgg"]
    assert completed("fit --model.frontend.help t") == ["tempo", "temporal", "timbral", "timbral_temporal"]
    assert completed("fit --model.frontend.si") == ["--model.frontend.size"]
    assert completed("fit --model.frontend.size ''") == ["small", "large"]
    assert completed("fit --model.pooling ''") == ["mean", "mean_std", "max", "mean_max"]
    assert completed("predict --data.fo") == ["--data.folds"]
    assert "bf16-mixed" in completed("predict --trainer.precision ''")
    assert completed("predict --trainer.devices ''") == []  # any number
    assert completed("compare sy") == ["synthetic", "synthetic-full"]
    assert completed("rank r") == ["rank", "rank-full"]
    assert completed("compare --proto") == ["--protocol"]
    assert completed("config p") == ["paper"]
    assert completed("check backend kn") == ["knn"]
    assert completed("check data --data g") == ["gtzan"]
    assert completed("check proxy z") == ["zico"]
    assert completed("proxy --proxies snip na") == ["naswot"]
    assert completed("list e") == ["embeddings"]
    assert completed("list --de") == ["--details"]
    assert completed("test --ckpt_path comp") == ["completion.bash"]
    for shell in ("zsh", "fish"):
        assert "temporal" in untrained("completion", shell)[1]
    status, _, err = untrained("completion", "basch")
    assert status == 2
    assert "completion needs the name of a shell: bash, zsh" in err


class Helpful(MFCC):
    """Frontend with an argument that has the name of an option of every plug-in."""

    def __init__(self, help: str = "", *, seed: int = 0) -> None:
        super().__init__(seed=seed)


def test_an_argument_named_help_does_not_break_completion(untrained):
    FRONTENDS.register("helpful")(Helpful)
    status, script, _ = untrained("completion", "bash")
    assert status == 0
    assert "helpful" in script
