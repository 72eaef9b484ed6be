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


def test_a_figure_has_its_result_as_alternative_text(whole):
    found = {
        part.file: part for each in sections(whole, set(CAPTIONS)) for part in each.parts if isinstance(part, Picture)
    }
    rho = whole.analysis.pooled.rho
    said = f"{rho.value:.2f} [{rho.low:.2f}, {rho.high:.2f}]"
    assert found["accuracies.png"].result == f"Pooled ρ = {said}."
    assert found["rivals.png"].result.startswith(f"u: {said}; ")
    assert "points after 1 of 12" in found["regret.png"].result
    assert "Pairs in the same order: " in found["agreement.png"].result
    text = as_markdown("mine", sections(whole, set(CAPTIONS)))
    assert text.count("Pooled ρ = ") == 1


def test_errors_say_whether_seeds_are_in_them(whole, shared):
    two = as_markdown("mine", sections(whole, set(CAPTIONS)))
    assert two.count("Errors are over 2 seeds and clips of u, and over 2 seeds and clips of y. With S seeds, ") == 2
    one = as_markdown("mine", sections(shared, set(CAPTIONS)))
    assert one.count("Errors are over clips (one seed) of u, and over clips (one seed) of y.") == 2
    assert "With S seeds" not in one


@pytest.mark.parametrize("cut", CUTS)
def test_a_study_of_any_completeness_has_a_report(parts, cut):
    study = parts(CUTS[cut])
    drawn = {name for name, _ in figures(study.analysis)} if study.analysis else set()
    found = sections(study, drawn)
    text = as_markdown("mine", found)
    assert ("Nothing is scored yet" in text) == (cut == "nothing")
    assert ("too small to say" in text.lower()) == (cut != "nothing")
    assert not any(word in text.split() for word in ("nan", "None", "inf"))
    assert "nan" not in "".join(part for section in found for part in as_html(section)).lower()
