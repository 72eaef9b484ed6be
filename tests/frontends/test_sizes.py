import numpy as np
import pytest
from untrained import FRONTENDS

ALL = sorted(set(FRONTENDS.names()) - {"hear"})  # it has a required argument


@pytest.mark.parametrize("name", [name for name in ALL if hasattr(FRONTENDS.get(name), "sizes")])
def test_invalid_sizes_are_refused(name):
    number = "n_features" if name == "logmel_projection" else "n_filters"
    with pytest.raises(ValueError, match=rf"size='large' and {number}=4 are both given"):
        FRONTENDS.create(name, size="large", **{number: 4})
    with pytest.raises(ValueError, match="size='huge'; expected one of small, large"):
        FRONTENDS.create(name, size="huge")
    for odd in (0, -4, 2.5, True):
        with pytest.raises(ValueError, match=rf"{number}={odd}; expected an integer of 1 or more"):
            FRONTENDS.create(name, **{number: odd})
    assert FRONTENDS.create(name, **{number: np.int64(8)}).embedding_size == (
        FRONTENDS.create(name, **{number: 8}).embedding_size
    )
