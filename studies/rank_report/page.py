"""HTML page of a rank study, in the style of the page of `untrained compare`."""

from collections.abc import Sequence

from ..markup import element
from ..page import document
from .document import Section, as_html
from .study import RankStudy
from .words import several


def page(study: RankStudy, sections: Sequence[Section]) -> str:
    """Return the page of a rank study.

    Args:
        study: The study.
        sections: Its report.
    """
    done, total = study.progress()
    said = (
        f"{several(len(study.tasks), 'task')}, {study.size()}, "
        f"{done:,} of {several(total, 'result')}; protocol {study.digest}"
    )
    shown = [(each.identifier, each.title, as_html(each)) for each in sections if each.parts]
    size = element("p", said, class_="kind")
    return document(study.name, size, shown, command="untrained rank", kind="rank study")
