import pytest
from untrained.studies.rank_report.document import Picture, as_html, as_markdown
from untrained.studies.rank_report.figures import figures
from untrained.studies.rank_report.sections import CAPTIONS, sections

CUTS = {
    "nothing": lambda record: False,
    "untrained only": lambda record: record.item.arm == "random",
    "trained only": lambda record: record.item.arm == "trained",
    "proxies only": lambda record: record.item.arm in ("proxies", "nngp"),
    "a failure only": lambda record: bool(record.error),
    "one architecture": lambda record: record.item.architecture == "timbral",
    "one task": lambda record: record.item.task == "task-1",
}


def test_the_verdict_comes_first_and_all_figures_are_shown(whole):
    found = sections(whole, set(CAPTIONS))
    assert [each.identifier for each in found][:2] == ["answer", "accuracies"]
    assert [part.file for each in found for part in each.parts if isinstance(part, Picture)] == [
        "accuracies.png",
        "rivals.png",
        "regret.png",
        "agreement.png",
    ]


@pytest.mark.parametrize("cut", CUTS)
def test_a_study_of_any_completeness_has_a_report(parts, cut):
    study = parts(CUTS[cut])
    drawn = {name for name, _ in figures(study.analysis)} if study.analysis else set()
    found = sections(study, drawn)
    text = as_markdown("mine", found)
    assert ("Nothing is scored yet" in text) == (cut == "nothing")
    assert ("Too small to say" in text) == (cut != "nothing")
    assert not any(word in text.split() for word in ("nan", "None", "inf"))
    assert "nan" not in "".join(part for section in found for part in as_html(section)).lower()
