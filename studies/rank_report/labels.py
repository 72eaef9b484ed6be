"""Placement of names next to the points of a figure, so that no name covers another one."""

from collections.abc import Iterator, Sequence

Point = tuple[float, float]
_DISTANCES = ((6, 0), (5, 9), (5, 18), (5, 28), (5, 39), (5, 51), (5, 64))  # horizontal gap and height, in points


def place(points: Sequence[Point], sizes: Sequence[Point], extent: Point) -> list[Point]:
    """Return the offset of each name from its point: of its left end, and of its middle in height.

    Names are placed in the order of the points, each at the nearest place without another name or point; if there is
    none, at the nearest one without another name.

    Args:
        points: Position of each point.
        sizes: Width and height of each name.
        extent: Width and height of the figure.

    Example:
        >>> place([(10, 50), (11, 50)], [(30, 9), (30, 9)], (100, 100))
        [(6, 0), (5, 9)]
    """
    taken: list[tuple[float, float, float, float]] = []
    found: list[Point] = []
    for point, size in zip(points, sizes, strict=True):
        offsets = list(_offsets(size[0]))
        inside = [offset for offset in offsets if _is_inside(_box(point, offset, size), extent)] or offsets
        free = [o for o in inside if not any(_overlap(_box(point, o, size), other) for other in taken)] or inside
        clear = [o for o in free if not any(_covers(_box(point, o, size), other) for other in points if other != point)]
        best = (clear or free)[0]
        taken.append(_box(point, best, size))
        found.append(best)
    return found


def _offsets(width: float) -> Iterator[Point]:
    for gap, height in _DISTANCES:
        for dy in (height, -height) if height else (0,):
            yield gap, dy
            yield -gap - width, dy


def _box(point: Point, offset: Point, size: Point) -> tuple[float, float, float, float]:
    left, middle = point[0] + offset[0], point[1] + offset[1]
    return left, left + size[0], middle - size[1] / 2, middle + size[1] / 2


def _is_inside(box: tuple[float, float, float, float], extent: Point) -> bool:
    return box[0] >= 0 and box[1] <= extent[0] and box[2] >= 0 and box[3] <= extent[1]


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3]


def _covers(box: tuple[float, float, float, float], point: Point) -> bool:
    return _overlap(box, (point[0] - 4, point[0] + 4, point[1] - 4, point[1] + 4))
