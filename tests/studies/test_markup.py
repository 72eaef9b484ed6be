import html
import json
import re

from hypothesis import given
from hypothesis import strategies as st
from untrained.escaping import for_terminal
from untrained.studies.markup import Markup, element, embedded, escape, framed, table


@given(st.text())
def test_text_never_becomes_markup(text):
    inside = re.fullmatch(r'<a title="([^"<>]*)">([^"<>]*)</a>', element("a", text, title=text))
    assert inside
    assert not text.isprintable() or [html.unescape(found) for found in inside.groups()] == [text, text]


@given(st.text())
def test_embedded_text_never_closes_its_script_element(text):
    found = re.fullmatch(r'<script type="application/json" id="x">([^<>&]*)</script>', embedded("x", [text]))
    assert found
    assert found[1].isascii()
    assert json.loads(found[1]) == [for_terminal(text, lines=True)]


def test_control_characters_and_lone_surrogates_are_visible():
    assert escape("a\x00\x1b\ud800\n\u2028") == "a\\x00\\x1b\\ud800\n\\u2028"
    assert escape("\ud800").encode()


def test_attributes_that_are_false_or_none_are_left_out():
    assert element("p", hidden=True, tabindex=0, id=None, lang=False) == '<p hidden tabindex="0"></p>'
    assert element("p", title=Markup('"')) == '<p title="&quot;"></p>'


def test_a_table_has_a_frame_and_aligned_numbers():
    caption = element("b", "A & B")
    found = table(["name", "n"], [["<x>", 3], ["y", element("td", 4, class_="h1")]], caption, numeric=1)
    assert '<th scope="row">&lt;x&gt;</th><td class="num">3</td>' in found
    assert '<th scope="row">y</th><td class="h1">4</td>' in found
    assert found == framed(Markup(found[found.index("<table") : -len("</div>")]), caption)
    assert 'role="region" tabindex="0" aria-label="A &amp; B"' in found
