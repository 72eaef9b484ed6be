"""Requirements of the contract of a frontend, one function for each, in the order in which they are checked."""

import copy
import inspect
from collections.abc import Callable
from typing import Any
from unittest import SkipTest

import torch
from safetensors.torch import load, save
from torch import Tensor

from ..errors import ContractError
from ..files import is_plain
from ..frontends import Frontend
from ..frontends.weights import undrawn
from .training import train_once

Plugin = type[Frontend] | Frontend
TOLERANCE = 1e-4  # relative to the largest value of an embedding; it allows for other orders of summation


def has_a_docstring(plugin: Plugin) -> None:
    """Has a docstring whose first line describes it."""
    cls = _class(plugin)
    if not (vars(cls).get("__doc__") or "").strip():
        raise ContractError(f"{cls.__name__} has no docstring; add one, whose first line `untrained list` shows")


def takes_a_seed(plugin: Plugin) -> None:
    """Takes a seed, and defaults for all other arguments that are not given."""
    cls = _class(plugin)
    parameters = inspect.signature(cls).parameters
    if "seed" not in parameters:
        raise ContractError(
            f"{cls.__name__}.__init__ takes no seed, so studies cannot vary its weights; add `*, seed: int = 0`, and "
            "pass it to super().__init__(seed=seed)"
        )
    for name, parameter in parameters.items():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            raise ContractError(f"{cls.__name__}.__init__ takes {parameter}; name each argument")
        if parameter.annotation is parameter.empty:
            raise ContractError(f"{cls.__name__}.__init__ has no type for {name}; annotate it for the command line")
    made = _make(plugin, seed=3)
    if made.seed != 3:
        raise ContractError(f"{cls.__name__}(seed=3).seed is {made.seed}; pass it on: super().__init__(seed=seed)")


def gives_embeddings(plugin: Plugin) -> None:
    """Returns float32 embeddings of size embedding_size, for clips of any length."""
    made = _make(plugin)
    for n_clips, n_samples in ((1, made.sample_rate), (3, made.sample_rate + 1), (2, made.min_samples)):
        found = _embed(made, _noise(n_clips, n_samples))
        wanted = (n_clips, made.embedding_size)
        if tuple(found.shape) != wanted:
            raise ContractError(
                f"forward returned {tuple(found.shape)} for waveforms ({n_clips}, {n_samples}), but embedding_size "
                f"implies {wanted}; correct embedding_size, or leave it out to derive it from the feature maps"
            )
        if found.dtype != torch.float32:
            raise ContractError(f"forward returned {found.dtype}; expected torch.float32")


def hears_what_it_is_given(plugin: Plugin) -> None:
    """Returns different embeddings for different sounds."""
    made = _make(plugin)
    noise = _noise(2, 2 * made.sample_rate)
    noise[1] *= torch.linspace(0, 1, noise.shape[1]) ** 2
    first, second = _embed(made, noise)
    if torch.equal(first, second):
        raise ContractError("two different sounds have the same embedding; make feature_maps depend on the waveform")


def names_its_features(plugin: Plugin) -> None:
    """Gives each feature of an embedding a different name."""
    made = _make(plugin)
    names = made.feature_names
    if len(names) != made.embedding_size:
        raise ContractError(
            f"there are {len(names)} feature_names for {made.embedding_size} features; give each feature a name"
        )
    twice = sorted({name for name in names if names.count(name) > 1} if len(set(names)) < len(names) else ())
    if twice:
        raise ContractError(f"feature_names has {twice[0]!r} {names.count(twice[0])} times; make all names different")


def is_finite(plugin: Plugin) -> None:
    """Returns finite numbers for silence, constants, clicks, and noise from faint to loud."""
    made = _make(plugin)
    n = made.sample_rate
    click = torch.zeros(1, n)
    click[0, n // 2] = 1
    sounds = {"silence": torch.zeros(1, n), "a constant": torch.ones(1, n), "a click": click}
    sounds |= {"noise": _noise(1, n), "faint noise": 1e-6 * _noise(1, n), "loud noise": 100 * _noise(1, n)}
    for name, sound in sounds.items():
        if not torch.isfinite(_embed(made, sound)).all():
            raise ContractError(
                f"the embedding of {name} is not finite; guard logarithms and divisions, for example by clamp(1e-10)"
            )


def hears_each_clip_alone(plugin: Plugin) -> None:
    """Returns the same embedding of a clip in any batch, even a quiet clip next to a loud one."""
    made = _make(plugin)
    clips = torch.cat([1e-5 * _noise(1, made.sample_rate), _noise(2, made.sample_rate)])
    together, alone = _embed(made, clips), torch.cat([_embed(made, clip[None]) for clip in clips])
    for name, index in (("a clip that is 100 dB quieter than its neighbours", 0), ("a clip", 1)):
        if difference := _difference(together[index], alone[index]):
            raise ContractError(
                f"{name} has a different embedding in a batch than alone (by {difference}); take maxima, floors, means "
                "and norms over one clip, not over the batch"
            )


def repeats_itself(plugin: Plugin) -> None:
    """Returns the same embedding every time, in any mode, and changes neither waveforms nor its own state."""
    made = _make(plugin)
    clips = _noise(2, made.sample_rate)
    given, state = clips.clone(), copy.deepcopy(made.state_dict())
    first = _embed(made, clips)
    second = _embed(made.train(), clips)
    if difference := _difference(first, second):
        raise ContractError(
            f"the same clips have different embeddings the second time (by {difference}); use no random numbers in "
            "feature_maps, and update no statistics"
        )
    if not torch.equal(given, clips):
        raise ContractError("forward changes its input; work on a copy, and avoid in-place operations")
    changed = [name for name, value in made.state_dict().items() if not torch.equal(value, state[name])]
    if changed:
        raise ContractError(f"forward changes {changed[0]}; keep it constant, because a frontend is frozen")


def is_frozen(plugin: Plugin) -> None:
    """Is frozen and in evaluation mode, even after train()."""
    made = _make(plugin).train()
    learning = [name for name, parameter in made.named_parameters() if parameter.requires_grad]
    if learning:
        raise ContractError(f"{learning[0]} requires a gradient; create it in __init__, which freezes all parameters")
    training = [name or "the frontend" for name, module in made.named_modules() if module.training]
    if training:
        raise ContractError(f"{training[0]} is in training mode; do not override train()")


def is_decided_by_its_seed(plugin: Plugin) -> None:
    """Depends on its seed alone: equal seeds give equal embeddings, and different seeds different ones."""
    torch.manual_seed(1)
    first, other = _make(plugin, seed=7), _make(plugin, seed=8)
    torch.manual_seed(2)
    again = _make(plugin, seed=7)
    clips = _noise(1, first.sample_rate)
    if _difference(_embed(first, clips), _embed(again, clips)):
        raise ContractError(
            "equal seeds give different embeddings; draw weights from the generator in reset_parameters(generator)"
        )
    differ = bool(_difference(_embed(first, clips), _embed(other, clips)))
    if first.is_random and not differ:
        raise ContractError("different seeds give the same embedding; pass it on: super().__init__(seed=seed)")
    if differ and not first.is_random:
        raise ContractError(
            "the seed affects something that reset_parameters(generator) does not draw, so studies would treat the "
            "frontend as not random; draw it there, from that generator"
        )
    with undrawn():
        later = _make(plugin, seed=7)
    later.draw()
    if _difference(_embed(first, clips), _embed(later, clips)):
        raise ContractError("deferred drawing changes the embeddings; draw weights in reset_parameters(generator) only")


def takes_short_clips(plugin: Plugin) -> None:
    """Accepts a clip of a single sample, which is repeated up to min_samples."""
    made = _make(plugin)
    if not 1 <= made.min_samples <= 60 * made.sample_rate:
        raise ContractError(f"min_samples is {made.min_samples}; expected at least 1 and at most a minute of audio")
    short = _noise(1, 1)
    if _difference(_embed(made, short), _embed(made, short.repeat(1, made.min_samples))):
        raise ContractError(
            "a clip of one sample and its repetition up to min_samples have different embeddings; call repeat_up_to"
        )


def moves_between_types(plugin: Plugin) -> None:
    """Computes nearly the same embeddings in float64 and bfloat16, with its representation in float32."""
    made = _make(plugin)
    clips = _noise(2, made.sample_rate)
    usual, scale = _embed(made, clips), 0.2
    precise = _embed(copy.deepcopy(made).double(), clips.double()).float()
    with torch.autocast("cpu", torch.bfloat16):
        coarse = _embed(made, clips).float()
    for name, found, tolerance in (("float64", precise, 0.01), ("bfloat16", coarse, scale)):
        if difference := _difference(usual, found, tolerance):
            raise ContractError(
                f"in {name} embeddings differ by {difference}; call self.represent(waveform), which stays in float32, "
                "and let layers keep the type of their input"
            )


def moves_between_devices(plugin: Plugin) -> None:
    """Moves to another device completely."""
    made = _make(plugin)
    for place, module in made.named_modules():
        for name, value in vars(module).items():
            if isinstance(value, Tensor):
                where = f"{place}.{name}" if place else name
                raise ContractError(
                    f"{where} is a tensor that .to(device) leaves where it is; use register_buffer({name!r}, ...)"
                )
    if torch.accelerator.is_available():
        device = torch.accelerator.current_accelerator()
        clips = _noise(2, made.sample_rate)
        found = _embed(copy.deepcopy(made).to(device), clips.to(device))
        if difference := _difference(_embed(made, clips), found.cpu(), 1e-2):
            raise ContractError(f"on device {str(device)!r} embeddings differ by {difference}")


def is_saved_without_pickle(plugin: Plugin) -> None:
    """Can be restored from plain arguments and tensors, and can be copied."""
    made = _make(plugin)
    odd = [name for name, value in made.arguments.items() if not is_plain(value)]
    if odd:
        raise ContractError(
            f"argument {odd[0]}={made.arguments[odd[0]]!r} is not a plain value, which checkpoints require; take "
            "numbers, text, lists, and dictionaries with text keys"
        )
    clips = _noise(1, made.sample_rate)
    other = _make(plugin, seed=made.seed + 1)
    other.load_state_dict(load(save({name: tensor.contiguous() for name, tensor in made.state_dict().items()})))
    for how, again in (("restored from its weights", other), ("copied", copy.deepcopy(made))):
        if difference := _difference(_embed(made, clips), _embed(again, clips)):
            raise ContractError(
                f"{how} it gives different embeddings (by {difference}); keep everything random in parameters or "
                "persistent buffers"
            )


def follows_its_options(plugin: Plugin) -> None:
    """Supports other poolings and a choice of layers, if it has feature maps."""
    made = _make(plugin)
    if not made.has_maps:
        raise SkipTest("it has no feature maps")
    clips = _noise(2, made.sample_rate)
    mean, both = _embed(made, clips), _embed(made.with_options(pooling="mean_std"), clips)
    if both.shape[1] != 2 * mean.shape[1]:
        raise ContractError(f"with mean_std, {mean.shape[1]} features become {both.shape[1]}; expected twice as many")
    if len(made.columns("last")) > made.embedding_size or made.columns("all") != list(range(made.embedding_size)):
        raise ContractError("columns('all') and columns('last') do not fit embedding_size; do not override them")


def can_be_trained(plugin: Plugin) -> None:
    """Can be trained: one step has a finite loss and changes every tensor of random weights."""
    made = _make(plugin)
    if not made.is_random or not made.network_parameters():
        raise SkipTest("it has no random weights, so there is nothing to train")
    clips = _noise(2, max(made.sample_rate // 4, made.min_samples))
    clips[1] *= 0.01
    made.calibrate([clips])
    train_once(made, clips)


def is_described(plugin: Plugin) -> None:
    """Describes its layers, parameters and operations."""
    made = _make(plugin)
    described = made.describe(made.sample_rate)
    if described.embedding_size != made.embedding_size:
        raise ContractError(
            f"describe() states {described.embedding_size} features, but embedding_size is {made.embedding_size}"
        )


def _class(plugin: Plugin) -> type[Frontend]:
    return plugin if isinstance(plugin, type) else type(plugin)


def _make(plugin: Plugin, **changes: Any) -> Frontend:
    """Return a new frontend of the same class, with the same arguments except for changes."""
    given = {} if isinstance(plugin, type) else dict(plugin.arguments)
    make: Callable[..., Frontend] = _class(plugin)
    try:
        return make(**{**given, **changes})
    except TypeError as error:
        raise ContractError(
            f"{_class(plugin).__name__} cannot be created: {error}; pass an instance instead of the class"
        ) from error


def _embed(frontend: Frontend, waveform: Tensor) -> Tensor:
    with torch.no_grad():
        return frontend(waveform)  # type: ignore[no-any-return]


def _noise(n_clips: int, n_samples: int) -> Tensor:
    return torch.randn(n_clips, n_samples, generator=torch.Generator().manual_seed(0)).mul_(0.1)


def _difference(a: Tensor, b: Tensor, tolerance: float = TOLERANCE) -> str:
    """Return the largest difference relative to the largest value as text, empty if it is within the tolerance."""
    largest = float((a - b).abs().max() / a.abs().max().clamp(min=1e-12))
    return "" if largest <= tolerance else f"{largest:.2g} of the largest value"
