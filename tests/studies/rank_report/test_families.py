import re

from untrained.studies.rank_report.families import COLOURS, looks


def test_families_differ_in_their_marker_as_well_as_their_colour():
    found = looks([f"family-{index % 8}" for index in range(16)])
    assert len(found) == 8
    assert len({look.marker for look in found.values()}) == len({look.path for look in found.values()}) == 8


def test_colours_are_those_of_the_page():
    from untrained.studies import page

    style = (page._HERE / "page.css").read_text()
    light = [re.search(rf"--s{index}: light-dark\((#\w+),", style)[1] for index in range(len(COLOURS))]
    assert list(COLOURS) == light
