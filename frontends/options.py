"""Options that all frontends share, in addition to their own arguments."""

import copy
from typing import Any, NamedTuple, get_args

import torch

from .columns import count_columns, name_columns
from .initialisers import Init
from .pooling import Pooling


class Options(NamedTuple):
    """Options that all frontends share, in addition to their own arguments.

    Args:
        init: Distribution of the weights.
        pooling: Pooling of the feature maps.
    """

    init: Init = "he_truncated"
    pooling: Pooling = "mean"

    def changed(self, init: Init | None, pooling: Pooling | None) -> "Options":
        """Return changed options; None leaves an option unchanged.

        Raises:
            ValueError: The distribution or pooling is unknown.

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
        """Return the options that differ from those of another object, by name."""
        pairs = zip(self._fields, self, other, strict=True)
        return {name: mine for name, mine, theirs in pairs if mine != theirs}


def applied(frontend: Any, wanted: Options) -> Any:
    """Return a copy of a frontend that has other options.

    Args:
        frontend: Frontend with feature maps.
        wanted: Options of the copy.

    Raises:
        ValueError: The frontend has no feature maps, or the distribution of its weights would change but it draws none.
    """
    before = frontend.options
    for name, value in wanted.differing(before).items():
        frontend._refuse_without_maps(name, value)
    changed = copy.deepcopy(frontend)
    changed._options = wanted
    if wanted.pooling != before.pooling:  # this sets known sizes anew, also those that the class states
        size, names = (of(frontend._sizes.n_maps, wanted.pooling) for of in (count_columns, name_columns))
        vars(changed).update(embedding_size=size, feature_names=names)
    if wanted.init != before.init:
        device = next(iter(frontend.parameters()), torch.empty(0)).device
        changed.to("cpu")._draw()
        changed.to(device)
        if not changed.awaits_weights and all(map(torch.equal, changed.parameters(), frontend.parameters())):
            name = type(frontend).__name__
            raise ValueError(f"{name} draws no weights that init={wanted.init!r} could change; leave out init")
    return changed
