"""HTML and SVG as text, with everything escaped that is not already markup."""

import html
import json
import re
from typing import Any

from ..escaping import for_html, for_terminal
from ..files import with_texts

_VOID = {"br", "input", "link", "meta"}


class Markup(str):
    """Text that is already markup and is not escaped again."""

    __slots__ = ()


def escape(content: object) -> Markup:
    r"""Return content as escaped markup, with visible escapes for control characters and lone surrogates.

    Lists and tuples are joined, None becomes empty, and markup is returned unchanged.

    Example:
        >>> escape(["<b> & ", Markup("<br>"), None, 3, "\x1b"])
        '&lt;b&gt; &amp; <br>3\\x1b'
    """
    if isinstance(content, Markup):
        return content
    if isinstance(content, list | tuple):
        return Markup("".join(map(escape, content)))
    if content is None:
        return Markup("")
    return Markup(for_html(content, lines=True))


def element(name: str, /, *content: object, **attributes: object) -> Markup:
    """Return an element of HTML or SVG.

    Args:
        name: Name of the element.
        content: Content of the element, which is escaped by `escape`.
        attributes: Attributes of the element. Underscores in names become hyphens, and trailing underscores are
            dropped. An attribute that is None or False is left out, and an attribute that is True has no value.

    Example:
        >>> element("a", "R&D", href="#x", class_="link", aria_label='"', hidden=False)
        '<a href="#x" class="link" aria-label="&quot;">R&amp;D</a>'
    """
    pairs = [
        f" {_attribute(key)}{_value(value)}"
        for key, value in attributes.items()
        if value is not None and value is not False
    ]
    opening = f"<{name}{''.join(pairs)}>"
    return Markup(opening if name in _VOID else f"{opening}{escape(content)}</{name}>")


def embedded(identifier: str, value: Any) -> Markup:
    r"""Return a script element with a plain value as JSON, escaped so that no text in the value can close the element.

    Example:
        >>> embedded("data", ["</script>"])
        '<script type="application/json" id="data">["\\u003c/script\\u003e"]</script>'
    """
    visible = with_texts(value, lambda text: for_terminal(text, lines=True))
    text = json.dumps(visible, separators=(",", ":"))  # ASCII only, so U+2028 is escaped too
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return element("script", Markup(text), type="application/json", id=identifier)


def table(
    header: list[Any],
    rows: list[list[Any]],
    caption: object,
    *,
    class_: str | None = None,
    numeric: int | None = None,
) -> Markup:
    """Return a table in a frame, which scrolls horizontally if the table is too wide.

    Args:
        header: Names of the columns.
        rows: Cells of each row; the first cell is the header of the row. Cells are wrapped in `td` if necessary.
        caption: Caption of the table, which is also the accessible name of the frame.
        class_: CSS class of the table.
        numeric: Index of the first of the numeric columns, which are aligned right; None if there are none.
    """
    last = len(header) if numeric is None else numeric
    sides = ["num" if index >= last else None for index in range(len(header))]
    head = [element("th", text, scope="col", class_=side) for text, side in zip(header, sides, strict=True)]
    body = [
        element(
            "tr",
            element("th", row[0], scope="row"),
            [_td(value, side) for value, side in zip(row[1:], sides[1:], strict=True)],
        )
        for row in rows
    ]
    inside = (element("caption", caption), element("thead", element("tr", head)), element("tbody", body))
    return framed(element("table", *inside, class_=class_), caption)


def framed(content: Markup, name: object) -> Markup:
    """Return content in a frame that scrolls horizontally and can be focused by keyboard."""
    return element("div", content, class_="frame", role="region", tabindex=0, aria_label=_plain(name))


def _plain(content: object) -> str:
    """Return the text of content without tags and unescaped, because `element` escapes attributes."""
    return html.unescape(re.sub("<[^>]*>", "", escape(content)))


def _td(value: object, side: str | None) -> Markup:
    is_cell = isinstance(value, Markup) and value.startswith("<td")
    return value if is_cell else element("td", value, class_=side)  # type: ignore[return-value]


def _attribute(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _value(value: object) -> str:
    return "" if value is True else f'="{escape(str(value))}"'
