import pytest
from rich.console import Console
from untrained.escaping import Markdown, for_html, for_markdown, for_terminal

EVIL = "a\x1b[31m\nb|c`d`<script>alert(1)</script>[red]&amp;\u202e\x9b*e*\udcff _f_"


def test_no_control_character_reaches_a_terminal():
    shown = for_terminal(EVIL)
    assert shown.isprintable()
    assert shown.startswith(r"a\x1b[31m\nb|c`d`<script>")
    assert shown.endswith(r"\u202e\x9b*e*\udcff _f_")
    assert for_terminal(EVIL, lines=True).splitlines()[1:] == [shown.partition(r"\n")[2]]
    assert for_terminal("Müller 音 🎵") == "Müller 音 🎵"


def test_markdown_shows_text_as_it_is():
    shown = for_markdown(EVIL)
    assert "\n" not in shown
    assert r"b\|c\`d\`&lt;script&gt;" in shown
    assert "[red]&amp;amp;" in shown
    assert for_markdown("[x](javascript:y)") == r"[x\](javascript:y)"
    assert r"\*e\*" in shown
    assert shown.endswith(r"\_f\_")
    assert for_markdown("vgg-n_filters=4 (a-b) 1.5 %") == "vgg-n_filters=4 (a-b) 1.5 %"
    assert for_markdown(Markdown("**+1.0**")) == "**+1.0**"


@pytest.mark.parametrize("quote", ['"', "'"])
def test_html_shows_text_as_it_is(quote):
    shown = for_html(f"{EVIL}{quote}")
    assert not {"<", ">", quote, "\n", "\x1b"}.intersection(shown)


def test_our_console_escapes_control_characters(capsys):
    import sys

    from untrained.terminal import console

    console(sys.stdout).print(EVIL)
    assert capsys.readouterr().out == for_terminal(EVIL, lines=True) + "\n"
    assert isinstance(console(sys.stdout), Console)
