"""Requirements of the contract of a frontend: ours meet them, and each violation is reported with a remedy."""

import pytest
import torch
from torch import nn
from untrained import FRONTENDS, Frontend, LogMel
from untrained.errors import ContractError
from untrained.frontends.hear import Hear
from untrained.testing import check_frontend, parametrize_with_checks

OURS = [FRONTENDS.get(name) for name in FRONTENDS.names() if name != "hear"]


class Good(Frontend):
    """One layer."""

    def __init__(self, n_filters: int = 4, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.representation = LogMel()
        self.conv = nn.Conv2d(1, n_filters, 3)

    def feature_maps(self, x):
        return [self.conv(x[:, None]).relu()]


class NoDocstring(Good):
    def feature_maps(self, x):
        return super().feature_maps(x)


class NoSeed(Good):
    """Takes no seed."""

    def __init__(self, n_filters: int = 4) -> None:
        super().__init__(n_filters)


class LosesItsSeed(Good):
    """Takes a seed and does not pass it on."""

    def __init__(self, n_filters: int = 4, *, seed: int = 0) -> None:
        super().__init__(n_filters)


class Untyped(Good):
    """Has an argument without a type."""

    def __init__(self, n_filters=4, *, seed: int = 0) -> None:
        super().__init__(n_filters, seed=seed)


class Anything(Good):
    """Takes arguments of any name."""

    def __init__(self, *, seed: int = 0, **more: int) -> None:
        super().__init__(seed=seed)


class WrongSize(Good):
    """States a wrong size."""

    embedding_size = 7


class NamesTwice(Good):
    """Gives several features the same name."""

    feature_names = ("map", "map", "map", "other")


class NotFinite(Good):
    """Divides by a deviation that may be 0."""

    def feature_maps(self, x):
        return [x[:, None] / x.std(dim=(1, 2), keepdim=True)[:, None]]


class OverTheBatch(Good):
    """Takes a maximum over all clips."""

    def feature_maps(self, x):
        return super().feature_maps(x / x.abs().max())


class Noisy(Good):
    """Draws random numbers in feature_maps."""

    def feature_maps(self, x):
        return [super().feature_maps(x)[0] + torch.rand(())]


class InPlace(Good):
    """Changes its input."""

    def represent(self, waveform):
        return super().represent(waveform.mul_(0.5))


class KeepsCounts(Good):
    """Updates a buffer."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.register_buffer("count", torch.zeros(()))

    def feature_maps(self, x):
        self.count += 1
        return super().feature_maps(x)


class Trains(Good):
    """Has a training mode."""

    def train(self, mode=True):
        return nn.Module.train(self, mode)


class Learns(Good):
    """Has a parameter that was not frozen."""

    def feature_maps(self, x):
        self.conv.weight.requires_grad_(True)
        return super().feature_maps(x)

    def train(self, mode=True):
        self.conv.requires_grad_(True)
        return super().train(mode)


class DrawsElsewhere(Good):
    """Draws from the global generator."""

    def reset_parameters(self, generator):
        super().reset_parameters(generator)
        nn.init.normal_(self.conv.weight)


class ConstantElsewhere(Good):
    """Has a tensor that does not move to another device."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.scale = torch.full((1,), 2.0)

    def feature_maps(self, x):
        return [super().feature_maps(x)[0] * self.scale.expand(4)[None, :, None, None]]


class NotSaved(Good):
    """Keeps a random number in an attribute, which is not saved."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.factor = 1.0 + seed

    def feature_maps(self, x):
        return [super().feature_maps(x)[0] * self.factor]


CPU = torch.device("cpu")
BY_NUMBER = {1: 2}


class Deaf(Good):
    """Ignores the waveform."""

    def feature_maps(self, x):
        return super().feature_maps(torch.ones_like(x))


class DrawsBeside(Good):
    """Draws from its seed outside reset_parameters."""

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        with torch.no_grad():
            nn.init.normal_(self.conv.weight, generator=torch.Generator().manual_seed(seed))
            nn.init.zeros_(self.conv.bias)

    def reset_parameters(self, generator):
        pass


class OddArgument(Good):
    """Takes an object as an argument."""

    def __init__(self, device: torch.device = CPU, *, seed: int = 0) -> None:
        super().__init__(seed=seed)


class NumberedArgument(Good):
    """Takes a dictionary with numbers as keys, which JSON turns into text."""

    def __init__(self, widths: dict[int, int] = BY_NUMBER, *, seed: int = 0) -> None:
        super().__init__(seed=seed)


class NotANumber(Good):
    """Takes NaN as an argument."""

    def __init__(self, floor: float = float("nan"), *, seed: int = 0) -> None:
        super().__init__(seed=seed)


class Raising(Good):
    """Raises an error for short clips."""

    def feature_maps(self, x):
        if x.shape[-1] < 60:
            raise ZeroDivisionError("too short for me")
        return super().feature_maps(x)

    min_samples = 257


BROKEN = {
    NoDocstring: "has_a_docstring: NoDocstring has no docstring; add one",
    NoSeed: r"takes_a_seed: NoSeed.__init__ takes no seed.* add `\*, seed: int = 0`",
    LosesItsSeed: r"takes_a_seed: LosesItsSeed\(seed=3\).seed is 0; pass it on",
    Untyped: "takes_a_seed: Untyped.__init__ has no type for n_filters",
    Anything: r"takes_a_seed: Anything.__init__ takes \*\*more: int; name each argument",
    WrongSize: r"gives_embeddings: forward returned \(1, 4\) for .* embedding_size implies \(1, 7\); correct embed",
    NamesTwice: "names_its_features: feature_names has 'map' 3 times",
    NotFinite: "is_finite: the embedding of silence is not finite; guard",
    OverTheBatch: r"hears_each_clip_alone: a clip .*has a different embedding in a batch than alone .*over one clip",
    Noisy: "repeats_itself: the same clips have different embeddings the second time .*; use no random numbers in",
    InPlace: "repeats_itself: forward changes its input|different embeddings the second time",
    KeepsCounts: "repeats_itself: forward changes count; .* a frontend is frozen",
    Trains: "is_frozen: the frontend is in training mode; do not override",
    Learns: "is_frozen: conv.weight requires a gradient",
    DrawsElsewhere: r"is_decided_by_its_seed: equal seeds give different embeddings; draw weights from the",
    ConstantElsewhere: "moves_between_devices: scale is a tensor that .* leaves where it is; use register_buffer",
    NotSaved: "is_saved_without_pickle: restored from its weights it gives different embeddings",
    OddArgument: r"is_saved_without_pickle: argument device=device\(.* is not a plain .*; take numbers, text, lists",
    NumberedArgument: r"is_saved_without_pickle: argument widths=\{1: 2\} is not a plain value",
    NotANumber: "is_saved_without_pickle: argument floor=nan is not a plain value",
    Deaf: "hears_what_it_is_given: two different sounds have the same embedding",
    DrawsBeside: r"is_decided_by_its_seed: the seed affects something that reset_parameters\(generator\) does not draw",
    Raising: "takes_short_clips: Raising raised ZeroDivisionError: too short for me",
}


@pytest.mark.parametrize("cls", BROKEN, ids=lambda cls: cls.__name__)
def test_a_violated_requirement_is_reported(cls):
    with pytest.raises(ContractError, match=BROKEN[cls]):
        check_frontend(cls)


def test_a_frontend_that_meets_its_requirements_passes():
    check_frontend(Good)
    check_frontend(Good(n_filters=2))


def test_the_command_lists_the_requirements(untrained):
    status, out, _ = untrained("check", "frontend", "temporal", "--frontend.n_filters", "4")
    assert status == 0
    lines = out.splitlines()
    assert len(lines) == 18
    assert all(line.startswith("✓ ") for line in lines[:-1])
    assert lines[-1] == "Temporal meets 17 of 17 requirements"
    FRONTENDS.register("not_finite")(NotFinite)
    status, out, _ = untrained("check", "frontend", "not_finite")
    assert status == 1
    assert "✗ Returns finite numbers for silence" in out
    assert "    the embedding of silence is not finite; guard logarithms" in out
    for arguments, message in (
        (["frontend"], "check frontend needs a name"),
        (["frontend", "vgg6"], "unknown frontend 'vgg6'; did you mean 'vgg'?"),
        (["frontend", "vgg", "--frontend.n_filter", "3"], "--frontend"),
        (["nonsense"], "nothing to check was given"),
        ([], "nothing to check was given"),
    ):
        status, out, err = untrained("check", *arguments)
        assert (status, out) == (2, "")
        assert message in err


@parametrize_with_checks(*OURS, Hear("untrained.hear", "temporal"))
def test_our_frontends(check):
    check()
