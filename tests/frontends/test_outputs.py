import pytest
import torch
from untrained.errors import PluginError
from untrained.frontends import Frontend
from untrained.frontends.outputs import embed, stated

WAVES = torch.randn(4, 100)


class Odd(Frontend):
    """A frontend of three features that returns what a test gives it."""

    embedding_size = 3
    feature_names = ["a", "b", "c"]

    def __init__(self, given=None, *, seed=0):
        super().__init__(seed=seed)
        self.given = given

    def forward(self, waveform):
        if isinstance(self.given, Exception):
            raise self.given
        return self.given


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (KeyError("x"), r"cannot compute a batch of shape \(4, 100\): KeyError: 'x'"),
        (torch.zeros(4, 2), r"embeddings of shape \(4, 2\); expected \(4, 3\)"),
        (torch.zeros(3, 3), r"embeddings of shape \(3, 3\)"),
        (torch.zeros(4, 3, 1), r"embeddings of shape \(4, 3, 1\)"),
        (torch.zeros(4, 3, dtype=torch.int64), "of type torch.int64"),
        (torch.zeros(4, 3, device="meta"), "on meta; expected them on cpu"),
        (torch.full((4, 3), float("nan")), "no finite number for any of 4 clips"),
        ([[0.0] * 3] * 4, "returns list; expected a tensor"),
        (None, "returns NoneType"),
    ],
)
def test_invalid_outputs_are_refused_by_name(given, message):
    with pytest.raises(PluginError, match=rf"frontend Odd .*{message}"):
        embed(Odd(given), WAVES)


def test_embeddings_pass_unchanged():
    found = torch.randn(4, 3)
    assert embed(Odd(found), WAVES) is found


def test_a_text_is_stated_by_the_class_or_the_instance_but_not_by_a_layer():
    frontend = Odd()
    assert stated(frontend, "input") == ""
    Odd.input = "spectrogram"
    try:
        assert stated(frontend, "input") == "spectrogram"
        frontend.input = "waveform"
        assert stated(frontend, "input") == "waveform"
    finally:
        del Odd.input
    frontend = Odd()
    frontend.input = torch.nn.Linear(2, 2)
    assert stated(frontend, "input") == ""
