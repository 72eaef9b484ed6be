"""Options of every frontend, beside its own arguments."""

from typing import NamedTuple, get_args

from .initialisers import Init
from .pooling import Pooling


class Options(NamedTuple):
    """Options of every frontend, beside its own arguments.

    Args:
        init: Distribution that the weights are drawn from.
        pooling: How a feature map becomes features.
    """

    init: Init = "he_truncated"
    pooling: Pooling = "mean"

    def changed(self, init: Init | None, pooling: Pooling | None) -> "Options":
        """Return options of which some are changed; None leaves one as it is.

        Raises:
            ValueError: There is no such distribution or pooling.

        Example:
            >>> Options().changed(None, "max")
            Options(init='he_truncated', pooling='max')
        """
        wanted = Options(init or self.init, pooling or self.pooling)
        for name, value, choices in zip(self._fields, wanted, (get_args(Init), get_args(Pooling)), strict=True):
            if value not in choices:
                raise ValueError(f"{name}={value!r}; expected one of {', '.join(choices)}")
        return wanted

    def differing(self, other: "Options") -> dict[str, str]:
        """Return the options that differ from others, by name."""
        pairs = zip(self._fields, self, other, strict=True)
        return {name: mine for name, mine, theirs in pairs if mine != theirs}
