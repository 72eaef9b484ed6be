"""Requirements of the contract of a proxy, one function for each, in the order in which they are checked."""

import copy
import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import ContractError
from ..frontends import Frontend
from ..frontends.baselines import MFCC
from ..frontends.musical import Temporal
from ..frontends.sample_level import SampleLevel
from ..proxies import Proxy
from ..proxies.scoring import Score, isolated, score
from ..proxies.subject import Labelled, Subject, needs_of, represented

Plugin = type[Proxy] | Proxy
_N_SAMPLES, _N_CLIPS, _N_CLASSES = 4000, 6, 3


def has_a_docstring(plugin: Plugin) -> None:
    """Has a docstring whose first line describes it."""
    cls = plugin if isinstance(plugin, type) else type(plugin)
    if not (vars(cls).get("__doc__") or "").strip():
        raise ContractError(f"{cls.__name__} has no docstring; add one, whose first line `untrained list` shows")


def states_its_needs(plugin: Plugin) -> None:
    """States in `needs` what it reads, and reads all of it except gradients."""
    made = _make(plugin)
    needs_of(made)  # raises if a name is unknown
    read: set[str] = set()

    class Watched(Subject):
        """Subject that notes what is read."""

        def __getattribute__(self, name: str) -> object:
            read.add(name)
            return super().__getattribute__(name)

    frontend = SampleLevel(n_filters=2)
    batches = represented(frontend, _batches())
    with isolated(frontend), torch.set_grad_enabled("backward" in made.needs):
        copy.deepcopy(made).compute(Watched(frontend, made, batches, _N_SAMPLES, _N_CLASSES))
    if "data" in needs_of(made) and not {"batch", "batches"} & read:
        raise ContractError("needs has 'data' or 'labels', but no batch is read; remove them from needs")
    if "head" in made.needs and not {"head", "logits", "gradients"} & read:
        raise ContractError("needs has 'head', but the head is not read; remove it from needs")


def gives_numbers(plugin: Plugin) -> None:
    """Returns a finite number for a network over the waveform and one over spectrograms."""
    for frontend in _networks():
        found = _score(plugin, frontend)
        if found.reason or not math.isfinite(found.value):
            raise ContractError(found.reason or f"compute returned {found.value} for {type(frontend).__name__}")


def repeats_itself(plugin: Plugin) -> None:
    """Returns the same number again, also after another network."""
    made = _make(plugin)
    first, other = _networks()
    value, _, again = (_score(made, frontend).value for frontend in (first, other, first))
    if value != again and not (math.isnan(value) and math.isnan(again)):
        raise ContractError(
            f"the same network has the values {value} and {again}; keep nothing between calls of compute, and use "
            "random numbers of torch or NumPy, which are seeded for each call"
        )


def depends_on_what_it_needs_alone(plugin: Plugin) -> None:
    """Returns the same number for other clips or labels if it does not need them."""
    made = _make(plugin)
    frontend, (waveforms, labels) = SampleLevel(n_filters=2), _batches()[0]
    others = {"data": (waveforms.flip(1), labels), "labels": (waveforms, labels.roll(1))}
    for name in set(others) - needs_of(made):
        first, again, second = (
            score(frontend, [batch], [made], n_classes=_N_CLASSES)[0].value
            for batch in ((waveforms, labels), (waveforms, labels), others[name])
        )
        if first == again and first != second:  # `repeats_itself` reports values that differ in any case
            raise ContractError(f"needs has no {name!r}, but the value changes with it; add {name!r} to needs")


def leaves_all_as_it_was(plugin: Plugin) -> None:
    """Leaves the frontend, the clips and the random generators as they were."""
    for frontend in _networks():
        batches = _batches()
        given, state = [waveforms.clone() for waveforms, _ in batches], copy.deepcopy(frontend.state_dict())
        states = torch.get_rng_state(), _numpy_state()
        score(frontend, batches, [_make(plugin)])
        changed = [name for name, value in frontend.state_dict().items() if not torch.equal(value, state[name])]
        if changed or any(parameter.requires_grad for parameter in frontend.parameters()):
            raise ContractError(f"compute changes {(changed or ['requires_grad'])[0]} of the frontend; change a copy")
        if not all(torch.equal(before, after) for before, (after, _) in zip(given, batches, strict=True)):
            raise ContractError("compute changes its batches; work on a copy")
        if not torch.equal(states[0], torch.get_rng_state()):
            raise ContractError("compute changes the state of torch's generator; use a torch.Generator of its own")
        if states[1] != _numpy_state():
            raise ContractError("compute changes the state of NumPy's generator; use np.random.default_rng")


def gives_reasons(plugin: Plugin) -> None:
    """Gives a number or a reason for a frontend without weights, a single clip and a single class."""
    waveforms, labels = _batches()[0]
    network = SampleLevel(n_filters=2)
    cases: list[tuple[str, Frontend, list[Labelled]]] = [
        ("a frontend without weights", MFCC(), _batches()),
        ("a single clip", network, [(waveforms[:1], labels[:1])]),
        ("a single class", network, [(waveforms, torch.zeros_like(labels))]),
    ]
    for what, frontend, batches in cases:
        found = score(frontend, batches, [_make(plugin)])[0]
        kind = found.reason.partition(": ")[2].partition(":")[0]
        if kind.endswith("Error") and kind.isidentifier():
            raise ContractError(
                f"for {what}, compute raises {found.reason.partition(': ')[2]}; raise "
                "DegenerateError(reason) of untrained.proxies instead"
            )


def _make(plugin: Plugin) -> Proxy:
    return plugin() if isinstance(plugin, type) else plugin


def _numpy_state() -> str:
    """Return the state of NumPy's global generator as text."""
    state: Any = np.random.get_state()  # noqa: NPY002
    return repr([state[0], state[1].tolist(), *state[2:]])


def _networks() -> list[Frontend]:
    return [SampleLevel(n_filters=2), Temporal(n_filters=4)]


def _batches() -> list[Labelled]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(_N_CLIPS) % _N_CLASSES
    return [(_noise(generator) * (1 + labels[:, None]), labels) for _ in range(2)]


def _noise(generator: torch.Generator) -> Tensor:
    return torch.randn(_N_CLIPS, _N_SAMPLES, generator=generator).mul_(0.1)


def _score(plugin: Plugin, frontend: Frontend) -> Score:
    return score(frontend, _batches(), [_make(plugin)])[0]
