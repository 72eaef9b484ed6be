"""Text of users, such as names of classes and files, made safe for what shows it: a terminal, Markdown or HTML.

Everything that a user, a file or a plug-in names may hold markup, and control characters, which a terminal obeys. CSV
and JSON stay faithful: programs read them.
"""

import html
import re

_MARKUP = re.compile(r"[\\`*|]|\](?=[(\[:])|(?<![^\W_])_|_(?![^\W_])")  # an underscore within a word is none


class Markdown(str):
    """Text that is Markdown already, such as a number in bold."""

    __slots__ = ()


def for_terminal(text: object, *, lines: bool = False) -> str:
    r"""Return text whose control characters are escaped, so that a terminal does not obey them.

    Args:
        text: Text, or what has one.
        lines: Whether it may have several lines, as messages have.

    Example:
        >>> for_terminal("two\nlines"), for_terminal("\x1b[31mred")
        ('two\\nlines', '\\x1b[31mred')
    """
    return "".join(
        character if character.isprintable() or (lines and character == "\n") else ascii(character)[1:-1]
        for character in str(text)
    )


def for_markdown(text: object) -> str:
    r"""Return text that Markdown shows as it is, on one line, also in a cell of a table.

    Args:
        text: Text, or what has one; `Markdown` is returned unchanged.

    Example:
        >>> for_markdown("a|b <script> *x* log_mel")
        'a\\|b &lt;script&gt; \\*x\\* log_mel'
    """
    if isinstance(text, Markdown):
        return text
    shown = html.escape(" ".join(for_terminal(text).split()), quote=False)
    return _MARKUP.sub(r"\\\g<0>", shown)


def for_html(text: object, *, lines: bool = False) -> str:
    """Return text that HTML shows as it is, also within an attribute in quotes.

    Args:
        text: Text, or what has one.
        lines: Whether it may have several lines.

    Example:
        >>> for_html('<b title="x">')
        '&lt;b title=&quot;x&quot;&gt;'
    """
    return html.escape(for_terminal(text, lines=lines))
