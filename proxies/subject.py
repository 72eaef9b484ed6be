"""The network that a proxy examines: a copy of a frontend with gradients, a head, and labelled inputs."""

import copy
from collections.abc import Sequence, Sized
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..errors import PluginError
from ..frontends import Frontend
from ..frontends.padding import repeat_up_to
from ..frontends.pooling import pool
from ..frontends.weights import drawn_layers
from ..training.heads import make_head
from .base import NEEDS, DegenerateError, Proxy
from .passes import device_of, differentiated, maps_in

CHUNK = 8  # clips per forward pass, which limits the memory; in evaluation mode no layer mixes clips

Labelled = tuple[Tensor, Tensor]
"""Waveforms `(batch, n_samples)`, or the inputs of a network, and labels `(batch,)`, integers from 0."""


class Minibatch:
    """Inputs of a network with their labels.

    Args:
        inputs: What `feature_maps` reads, `(batch, n_mels, n_frames)` or `(batch, n_samples)`.
        labels: Labels `(batch,)`; None if the proxy does not list `labels` in its `needs`.
        who: Name of the proxy, for messages.
    """

    def __init__(self, inputs: Tensor, labels: Tensor | None, who: str) -> None:
        self.inputs, self._labels, self._who = inputs, labels, who

    def __len__(self) -> int:
        return len(self.inputs)

    def to(self, device: torch.device, dtype: torch.dtype) -> None:
        """Move the batch to a device, and convert the inputs.

        Args:
            device: Device of inputs and labels.
            dtype: Type of the inputs.
        """
        self.inputs = self.inputs.to(device, dtype)
        self._labels = None if self._labels is None else self._labels.to(device)

    @property
    def labels(self) -> Tensor:
        """Labels `(batch,)`, integers from 0."""
        if self._labels is None:
            raise PluginError(_undeclared(self._who, "labels", "labels"))
        return self._labels


class Subject:
    """Copy of a frontend with gradients and a head in evaluation mode, with the inputs that a proxy may read.

    Args:
        frontend: Frontend to copy; it is left unchanged.
        proxy: Proxy that will examine the copy; its `needs` decide what it can read.
        batches: Batches of inputs of the network with labels, as `represented` returns them.
        n_samples: Length of the clips in samples.
        n_classes: Number of classes, that is of outputs of the head.

    Attributes:
        frontend: The copy, on the device and in the precision of the original.
        n_samples: Length of the clips in samples.
        n_classes: Number of classes.
    """

    def __init__(
        self, frontend: Frontend, proxy: Proxy, batches: Sequence[Labelled], n_samples: int, n_classes: int
    ) -> None:
        self._who, self._needs = type(proxy).__name__, needs_of(proxy)
        self.n_samples, self.n_classes = max(n_samples, frontend.min_samples), n_classes
        copied = copy.deepcopy(frontend)
        copied.draw()
        self.frontend: Frontend = copied.eval()
        has_gradients = "backward" in self._needs
        for _, parameter in copied.network_parameters():
            parameter.requires_grad_(has_gradients and parameter.is_floating_point())
        self._head: nn.Module | None = None
        if "head" in self._needs and frontend.has_maps:
            head = make_head("linear", frontend.embedding_size, n_classes, frontend.seed % 2**32)
            self._head = head.to(self._device, self._dtype).eval().requires_grad_(has_gradients)
        reads_labels = "labels" in self._needs
        self._batches = [
            Minibatch(inputs.clone(), labels.clone() if reads_labels else None, self._who)
            for inputs, labels in (batches if "data" in self._needs else [])
        ]

    @property
    def batches(self) -> list[Minibatch]:
        """All batches; only a proxy that compares batches needs more than `batch`."""
        if "data" not in self._needs:
            raise PluginError(_undeclared(self._who, "batches", "data"))
        self._refuse_unusable()
        if not self._batches:
            raise DegenerateError("it needs a batch of clips; none is given")
        return self._batches

    @property
    def batch(self) -> Minibatch:
        """The first batch."""
        return self.batches[0]

    @property
    def head(self) -> nn.Module:
        """Head `linear` of `untrained train`: `(batch, n_features)` to logits `(batch, n_classes)`.

        Its BatchNorm layer is in evaluation mode and thus nearly the identity.
        """
        if "head" not in self._needs:
            raise PluginError(_undeclared(self._who, "head", "head"))
        self._refuse_unusable()
        return cast(nn.Module, self._head)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the input of the network for one clip, without the axis of clips."""
        with torch.no_grad():
            silence = torch.zeros(1, self.n_samples, device=self._device)
            return tuple(self.frontend.represent(silence).shape[1:])

    def feature_maps(self, inputs: Tensor) -> list[Tensor]:
        """Return the feature maps of each layer, `(batch, n_maps, *positions)`.

        Args:
            inputs: Inputs of the network, such as `batch.inputs`.

        Raises:
            DegenerateError: The frontend has no weights or no feature maps, or returns something else.
        """
        self._refuse_unusable()
        return maps_in(self.frontend.feature_maps(inputs.clone()), len(inputs))  # it may change its input

    def logits(self, inputs: Tensor) -> Tensor:
        """Return the outputs of the head on the pooled feature maps, `(batch, n_classes)`.

        Args:
            inputs: Inputs of the network, such as `batch.inputs`.
        """
        head = self.head
        maps, dtype = self.feature_maps(inputs), self._dtype
        pooled = [pool(layer, self.frontend.options.pooling, dtype) for layer in maps]
        found: Tensor = head(torch.cat(pooled, dim=1))
        if torch.is_grad_enabled() and "backward" not in self._needs:
            raise PluginError(_undeclared(self._who, "gradients", "backward"))
        if torch.is_grad_enabled() and not any(layer.requires_grad for layer in maps):
            raise DegenerateError(
                "feature_maps returns maps without a gradient; use neither torch.no_grad() nor detach() in it"
            )
        return found

    def weights(self) -> dict[str, Tensor]:
        """Return the weights of all Conv1d, Conv2d and Linear layers by name, without biases, the head last.

        Raises:
            DegenerateError: The frontend has none, or one is parametrised.
        """
        self._refuse_unusable()
        layers = set(map(id, drawn_layers(self.frontend)))
        found = [(name, layer) for name, layer in self.frontend.named_modules() if id(layer) in layers]
        if not found:
            raise DegenerateError("the frontend has no Conv1d, Conv2d or Linear layer, whose weights the proxy reads")
        if self._head is not None:
            found += [(f"head.{index}", part) for index, part in self._head.named_modules() if hasattr(part, "weight")]
        weights: dict[str, Tensor] = {}
        for name, layer in found:
            if layer.weight is None:
                continue
            if not isinstance(layer.weight, nn.Parameter):
                raise DegenerateError(f"{name}.weight is parametrised, as by weight_norm, so it is no parameter itself")
            if not any(layer.weight is weight for weight in weights.values()):
                weights[f"{name}.weight"] = layer.weight
        return weights

    def gradients(self, batch: Minibatch) -> dict[str, Tensor]:
        """Return the gradient of the mean cross-entropy of a batch with respect to each weight, by name.

        Args:
            batch: Batch with labels.

        Raises:
            DegenerateError: The batch has too few clips or classes, or a weight does not affect the logits.
        """
        labels = batch.labels
        refuse_single(batch)
        if len(torch.unique(labels)) < 2:
            raise DegenerateError("all clips of the batch have the same class; give clips of two classes or more")
        weights = self.weights()
        sums: dict[str, Tensor] = {}
        for inputs, wanted in zip(torch.split(batch.inputs, CHUNK), torch.split(labels, CHUNK), strict=True):
            loss = cross_entropy(self.logits(inputs), wanted, reduction="sum") / len(batch)
            for name, gradient in differentiated(loss, weights).items():
                sums[name] = sums[name] + gradient if name in sums else gradient
        return sums

    def double(self) -> "Subject":
        """Convert the copy, the head and the inputs to float64, and return this object."""
        device = torch.device("cpu") if self._device.type == "mps" else self._device  # mps has no float64
        self.frontend.to(device, torch.float64)
        if self._head is not None:
            self._head.to(device, torch.float64)
        for batch in self._batches:
            batch.to(device, torch.float64)
        return self

    @property
    def _dtype(self) -> torch.dtype:
        found = (p.dtype for _, p in self.frontend.network_parameters() if p.is_floating_point())
        return next(found, torch.float32)

    @property
    def _device(self) -> torch.device:
        return device_of(self.frontend)

    def _refuse_unusable(self) -> None:
        if not self.frontend.network_parameters():
            raise DegenerateError("the frontend has no weights")
        if not self.frontend.has_maps:
            raise DegenerateError("the frontend overrides forward(), so it has no feature maps to read")


def represented(frontend: Frontend, batches: Sequence[Labelled]) -> list[Labelled]:
    """Return what the network of a frontend reads for batches of waveforms, with the labels, on its device.

    Args:
        frontend: Frontend; it is left unchanged.
        batches: Batches of waveforms with labels.
    """
    copied, device = copy.deepcopy(frontend).eval(), device_of(frontend)
    found = []
    for waveforms, labels in batches:
        whole = repeat_up_to(waveforms.to(device), frontend.min_samples)
        with torch.no_grad():
            inputs = torch.cat([copied.represent(part.clone()) for part in torch.split(whole, CHUNK)])
        found.append((inputs, labels.to(device).long()))
    return found


def refuse_single(batch: Sized) -> None:
    """Raise if a batch has a single clip.

    Raises:
        DegenerateError: It has.
    """
    if len(batch) < 2:
        raise DegenerateError(f"it needs a batch of two clips or more; {len(batch)} is given")


def needs_of(proxy: Proxy) -> frozenset[str]:
    """Return what a proxy needs, with `data` if it needs `labels`.

    Raises:
        PluginError: `needs` is not a tuple of known names.
    """
    found = proxy.needs
    if isinstance(found, str) or not isinstance(found, tuple | list | set | frozenset) or not {*found} <= NEEDS.keys():
        raise PluginError(
            f"needs={found!r} of {type(proxy).__name__}; expected a tuple of {', '.join(map(repr, NEEDS))}"
        )
    return frozenset(found) | ({"data"} if "labels" in found else frozenset())


def _undeclared(who: str, what: str, need: str) -> str:
    return f"{who} reads {what} without a declaration; add {need!r} to its needs"
