"""Escaping of text, such as names of classes and files, for terminals, Markdown and HTML.

Names from users, files and plug-ins may hold markup, and control characters that a terminal would obey. CSV and JSON
files hold them unchanged, because programs read these files.
"""

import html
import re
from collections.abc import Iterable, Sequence

_MARKUP = re.compile(r"[\\`*|]|\](?=[(\[:])|(?<![^\W_])_|_(?![^\W_])")  # an underscore within a word is not markup


class Markdown(str):
    """Text that is already Markdown, such as a number in bold."""

    __slots__ = ()


def for_terminal(text: object, *, lines: bool = False) -> str:
    r"""Return text with its control characters escaped, so that a terminal does not obey them.

    Args:
        text: Text, or an object that `str` converts to text.
        lines: Whether to keep line breaks, for text of several lines such as a message.

    Example:
        >>> for_terminal("two\nlines"), for_terminal("\x1b[31mred")
        ('two\\nlines', '\\x1b[31mred')
    """
    return "".join(
        character if character.isprintable() or (lines and character == "\n") else ascii(character)[1:-1]
        for character in str(text)
    )


def for_markdown(text: object) -> str:
    r"""Return text that Markdown shows unchanged, on one line, also in a cell of a table.

    Args:
        text: Text, or an object that `str` converts to text; `Markdown` is returned unchanged.

    Example:
        >>> for_markdown("a|b <script> *x* log_mel")
        'a\\|b &lt;script&gt; \\*x\\* log_mel'
    """
    if isinstance(text, Markdown):
        return text
    shown = html.escape(" ".join(for_terminal(text).split()), quote=False)
    return _MARKUP.sub(r"\\\g<0>", shown)


def markdown_table(header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    r"""Return a table in Markdown; its cells are escaped.

    Example:
        >>> markdown_table(["name", "ρ"], [["a_b", 0.7]])
        '| name | ρ |\n| --- | --- |\n| a_b | 0.7 |\n'
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(for_markdown, line)) + " |" for line in lines) + "\n"


def for_html(text: object, *, lines: bool = False) -> str:
    """Return text that HTML shows unchanged, also within a quoted attribute.

    Args:
        text: Text, or an object that `str` converts to text.
        lines: Whether to keep line breaks.

    Example:
        >>> for_html('<b title="x">')
        '&lt;b title=&quot;x&quot;&gt;'
    """
    return html.escape(for_terminal(text, lines=lines))
