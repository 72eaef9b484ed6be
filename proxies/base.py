"""The contract of a proxy: a number that is computed from a network before training."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from ..errors import UntrainedError

if TYPE_CHECKING:
    from .subject import Subject

NEEDS = {
    "data": "inputs",
    "labels": "inputs with labels",
    "head": "a classification head",
    "backward": "gradients",
}
"""What a proxy may need, each with a short description."""


class Proxy:
    """A number that is computed from a network before training and may predict its accuracy after training.

    A plug-in writes a docstring, `needs` and `compute`. Data, labels, a head and gradients that it does not list in
    `needs` are withheld, so that a proxy without `labels` cannot depend on the labels.

    Attributes:
        needs: What the proxy reads: `data`, `labels` (which implies `data`), `head` and `backward` (gradients).

    Example:
        >>> from untrained.proxies import Proxy
        >>> class MeanActivation(Proxy):
        ...     '''Mean of all feature maps.'''
        ...     needs = ("data",)
        ...     def compute(self, subject):
        ...         maps = subject.feature_maps(subject.batch.inputs)
        ...         return sum(layer.mean().item() for layer in maps) / len(maps)
    """

    needs: ClassVar[Sequence[str]] = ()

    def compute(self, subject: "Subject") -> float:
        """Return the value of the proxy.

        Args:
            subject: Copy of a frontend with gradients, a head, and labelled inputs. The copy belongs to this call, so
                it may be changed.

        Returns:
            Number; higher values predict a higher accuracy unless the docstring of the proxy says otherwise.

        Raises:
            DegenerateError: The value is not finite or has no meaning, for a reason that the user should know.
        """
        raise TypeError(f"{type(self).__name__} has no compute(subject); define it")


class DegenerateError(UntrainedError):
    """Error of a proxy that has no meaningful value for a network or a batch.

    Args:
        reason: Reason, as a clause without the names of proxy and frontend.
        value: Value of the proxy, such as minus infinity; NaN if it is undefined.
    """

    def __init__(self, reason: str, value: float = math.nan) -> None:
        super().__init__(reason)
        self.reason, self.value = reason, value
