import html
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from untrained.probes.record import Candidate, write_candidates
from untrained.studies import page as module
from untrained.studies.analysis import Analysis, Cell
from untrained.studies.confusion import Confusion
from untrained.studies.families import Family
from untrained.studies.page import page
from untrained.studies.significance import Estimate
from untrained.studies.verdict import correct_family, verdict


class Elements(HTMLParser):
    """Parser that lists the elements of a page with their attributes, and raises if tags are unbalanced."""

    def __init__(self):
        super().__init__()
        self.found, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def elements(odd_page):
    parser = Elements()
    parser.feed(odd_page.read_text("utf-8"))
    assert parser.open == []
    return parser.found


def test_names_and_messages_are_escaped_everywhere(odd_page, elements):
    text = odd_page.read_text("utf-8")
    assert "<script>alert" not in text
    assert "<!--" not in text
    tags = [tag for tag, _ in elements]
    assert tags.count("script") == 2  # the embedded data and page.js
    assert "img" not in tags
    assert "b" not in tags
    assert not [name for _, attributes in elements for name in attributes if name.startswith("on")]
    assert "<title>odd &lt;b&gt; &amp; " in text
    shown = html.unescape(text)
    for place in ("ValueError: </script>", "mfcc</script>", "# </script>"):
        assert place in shown


def test_the_page_does_not_refer_to_other_files(elements):
    links = [value for _, attributes in elements for name, value in attributes.items() if name in ("href", "src")]
    assert links
    assert {link for link in links if link[0] != "#"} == {"data:,"}
    identifiers = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(identifiers) == len(set(identifiers))
    assert {link[1:] for link in links if link[0] == "#"} <= set(identifiers)
    (policy,) = [a["content"] for tag, a in elements if tag == "meta" and a.get("http-equiv")]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'sha256-")
    assert "unsafe" not in policy


def test_the_page_has_all_sections_charts_and_the_explanation(odd_page):
    text = odd_page.read_text("utf-8")
    titles = re.findall(r'<h2 id="[a-z]+-title">([^<]+)', text)
    assert titles == [
        *("Verdict", "Results", "Figures", "Differences", "Classes", "Cost", "Grid search"),
        *("Failures", "Reproducing", "Versions", "How to read"),
    ]
    assert text.count("<svg width") + text.count('<svg class="chart"') >= 2 + 2 + 1 + 6
    assert "<li><strong>One</strong> <code>x</code>.</li>" in text


def test_a_page_without_results_reports_waiting_runs(odd_study):
    found = page(odd_study, Analysis({}, [], [], {}), [], 3, config="", how_to_read="", protocols={})
    assert "No run has succeeded yet." in found
    assert "3 runs of this study have not finished yet." in found


def test_a_study_of_200_runs_stays_below_3_mb(made, tmp_path, monkeypatch):
    """The study has long names and 50 classes that are all confused with each other."""
    frontends, backends = [f"frontend-size=large-n_filters={index}" for index in range(40)], list("abcde")
    cells, families = {}, []
    for backend in backends:
        for name in frontends:
            run = made(name, backend=backend, run=f"{name}/{backend}", n_classes=50, protocol="nested")
            cells["my copy", name, backend] = Cell([run], 0.4, 0.6)
        pairs = {(a, b): Estimate(0.01, 0.02) for i, a in enumerate(frontends) for b in frontends[i + 1 :]}
        tests = correct_family(pairs)
        control = {frontends[-1]: [test for test in tests if test.b == frontends[-1]]}
        families.append(Family("my copy", backend, "", "clip-level test", tests, verdict(tests), control))
    candidates = [Candidate(f"C={index}, gamma=0.001953, kernel=rbf", 0.5, index == 0) for index in range(50)]
    for cell in cells.values():
        write_candidates(tmp_path / cell.first.run, candidates)
    confusion = Confusion([f"class number {index}" for index in range(50)], np.full((50, 50), 2.0))
    monkeypatch.setattr(module, "mean_confusion", lambda folder, cell: confusion)
    found = page(
        tmp_path, Analysis(cells, families, [], {}), [], 0, config="", how_to_read="", protocols={"nested": "N"}
    )
    assert len(found.encode()) < 3e6
    assert "are left out to keep this file small" in found
