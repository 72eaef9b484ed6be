"""Colour and marker of each family of architectures in the figures of a rank study."""

from collections.abc import Sequence
from dataclasses import dataclass

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#b5528d", "#3a94c9", "#9a7400", "#5b6570")
"""Colours of Okabe & Ito, darkened for text and lines on white: the classes s0 to s6 of `page.css`."""
_SHAPES = {
    "o": "M-4.2 0a4.2 4.2 0 1 0 8.4 0a4.2 4.2 0 1 0-8.4 0z",
    "s": "M-4-4H4V4H-4z",
    "^": "M0-5.2 5 4H-5z",
    "D": "M0-5.6 5.6 0 0 5.6-5.6 0z",
    "v": "M0 5.2 5-4H-5z",
    "P": "M-2-5.5H2V-2H5.5V2H2V5.5H-2V2H-5.5V-2H-2z",
    "X": "M0-2.3 2.9-5.2 5.2-2.9 2.3 0 5.2 2.9 2.9 5.2 0 2.3-2.9 5.2-5.2 2.9-2.3 0-5.2-2.9-2.9-5.2z",
    ">": "M5.2 0-4 5V-5z",
}


@dataclass(frozen=True)
class Look:
    """Look of a family, which its marker shows as well as its colour.

    Args:
        colour: Index of the colour.
        marker: Marker in matplotlib.
        path: Marker as an SVG path around the origin.
    """

    colour: int
    marker: str
    path: str


def looks(families: Sequence[str]) -> dict[str, Look]:
    """Return the look of each family, in the order of their first appearance.

    Example:
        >>> [(name, look.colour, look.marker) for name, look in looks(["a", "b", "a"]).items()]
        [('a', 0, 'o'), ('b', 1, 's')]
    """
    shapes = list(_SHAPES.items())
    return {
        name: Look(index % len(COLOURS), *shapes[index % len(shapes)])
        for index, name in enumerate(dict.fromkeys(families))
    }
