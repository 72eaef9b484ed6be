"""Settings for products of float32, and the restoration of those of the user; no test needs a GPU."""

import pytest
import torch
from untrained.frontends.precision import float32_products

BACKENDS = torch.backends
OF_NVIDIA = [BACKENDS.cudnn.conv, BACKENDS.cudnn.rnn, BACKENDS.cuda.matmul]
PLACES = [BACKENDS, BACKENDS.cudnn, *OF_NVIDIA, BACKENDS.mkldnn.conv, BACKENDS.mkldnn.matmul]


def older_settings():
    """Return each older setting, or None if PyTorch raises an error because a newer setting contradicts it."""
    found = []
    for read in (
        lambda: BACKENDS.cudnn.allow_tf32,
        lambda: BACKENDS.cuda.matmul.allow_tf32,
        torch.get_float32_matmul_precision,
    ):
        try:
            found.append(read())
        except RuntimeError:
            found.append(None)
    return found


def everything():
    return [place.fp32_precision for place in PLACES], older_settings()


USERS = {
    "nothing": lambda: None,
    "everywhere": lambda: setattr(BACKENDS, "fp32_precision", "tf32"),
    "nowhere": lambda: setattr(BACKENDS, "fp32_precision", "ieee"),
    "cuDNN": lambda: setattr(BACKENDS.cudnn, "fp32_precision", "ieee"),
    "convolutions": lambda: setattr(BACKENDS.cudnn.conv, "fp32_precision", "tf32"),
    "matrices": lambda: setattr(BACKENDS.cuda.matmul, "fp32_precision", "tf32"),
    "oneDNN": lambda: setattr(BACKENDS.mkldnn.matmul, "fp32_precision", "bf16"),
    "older, of cuDNN": lambda: setattr(BACKENDS.cudnn, "allow_tf32", True),
    "older, high": lambda: torch.set_float32_matmul_precision("high"),
    "older, medium": lambda: torch.set_float32_matmul_precision("medium"),
}


@pytest.mark.parametrize("tf32", [False, True])
@pytest.mark.parametrize("user", USERS)
def test_the_settings_of_the_user_are_restored_after_an_error(user, tf32):
    with float32_products():  # restores what the test changes
        for place in PLACES:
            place.fp32_precision = "none"
        USERS[user]()
        before = everything()
        with pytest.raises(ZeroDivisionError), float32_products(tf32=tf32):  # noqa: PT012
            assert {place.fp32_precision for place in OF_NVIDIA} == {"tf32" if tf32 else "ieee"}
            assert {BACKENDS.mkldnn.conv.fp32_precision, BACKENDS.mkldnn.matmul.fp32_precision} == {"ieee"}
            assert older_settings() == ([True, True, "high"] if tf32 else [False, False, "highest"])
            raise ZeroDivisionError
        assert everything() == before


def test_the_inner_of_two_contexts_applies():
    with float32_products(tf32=True):
        with float32_products():
            assert BACKENDS.cudnn.conv.fp32_precision == "ieee"
        assert BACKENDS.cudnn.conv.fp32_precision == "tf32"
