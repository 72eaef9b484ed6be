import numpy as np
from untrained.studies.rank_report.labels import place


def boxes(points, sizes, found):
    return [
        (x + dx, x + dx + width, y + dy - height / 2, y + dy + height / 2)
        for (x, y), (width, height), (dx, dy) in zip(points, sizes, found, strict=True)
    ]


def test_names_of_crowded_points_do_not_overlap():
    rng = np.random.default_rng(0)
    for _ in range(20):
        points = [(float(x), float(y)) for x, y in 120 + 60 * rng.random((9, 2))]
        sizes = [(55.0, 9.0)] * 9
        found = boxes(points, sizes, place(points, sizes, (330, 290)))
        assert all(
            not (a[0] < b[1] and b[0] < a[1] and a[2] < b[3] and b[2] < a[3])
            for index, a in enumerate(found)
            for b in found[:index]
        )


def test_names_stay_inside():
    points = [(325.0, 285.0), (5.0, 5.0)]
    for left, right, bottom, top in boxes(points, [(60.0, 9.0)] * 2, place(points, [(60.0, 9.0)] * 2, (330, 290))):
        assert (left >= 0, right <= 330, bottom >= 0, top <= 290) == (True,) * 4


def test_a_name_without_room_is_still_placed():
    assert len(place([(5.0, 5.0)], [(600.0, 9.0)], (10, 10))) == 1
