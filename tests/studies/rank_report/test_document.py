from untrained.studies.markup import Markup
from untrained.studies.rank_report.document import Heading, Picture, Points, Section, Table, Text, as_html, as_markdown

PARTS = [
    Text("It <predicts>.", "headline"),
    Text("Careful.", "warning"),
    Heading("More"),
    Points(["one", "t*w*o"]),
    Table("Numbers.", ["name", "ρ"], [["a|b", "0.7"]]),
    Picture("a.png", "What it shows", [("left", Markup("<svg></svg>"))], Markup("<p>legend</p>")),
]


def test_markdown_has_all_parts_escaped():
    text = as_markdown("my_study", [Section("a", "Verdict", PARTS), Section("b", "Empty", [])])
    assert text.startswith("# my_study\n\n## Verdict\n\n**It &lt;predicts&gt;.**\n")
    assert "\n> Careful.\n" in text
    assert "\n- one\n- t\\*w\\*o\n" in text
    assert "Numbers.\n\n| name | ρ |\n| --- | --- |\n| a\\|b | 0.7 |\n" in text
    assert "![What it shows](a.png)" in text
    assert "Empty" not in text


def test_html_has_all_parts_escaped():
    html = "".join(as_html(Section("a", "Verdict", PARTS)))
    assert '<p class="headline">It &lt;predicts&gt;.</p><p class="warning">Careful.</p><h3>More</h3>' in html
    assert "<li>one</li>" in html
    assert '<td class="num">0.7</td>' in html
    assert "<p>legend</p>" in html
    assert "<figcaption>left</figcaption><svg></svg>" in html
    assert "a.png" not in html  # the page is one file
