import pytest
from torch import nn
from untrained.frontends import Frontend


def test_layers_without_an_initialiser_are_refused():
    class Recurrent(Frontend):
        def __init__(self, *, seed: int = 0) -> None:
            super().__init__(seed=seed)
            self.gru = nn.GRU(2, 2)

    with pytest.raises(TypeError, match=r"gru.weight_ih_l0.*override reset_parameters"):
        Recurrent()

    class Kept(Recurrent):
        def reset_parameters(self, generator):
            pass

    assert not any(parameter.requires_grad for parameter in Kept().parameters())
