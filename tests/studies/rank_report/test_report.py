import json

from untrained.studies.rank.results import Results
from untrained.studies.rank_report.report import write_report


def test_all_files_are_written(written):
    folder, lines = written
    names = {"accuracies.png", "rivals.png", "regret.png", "agreement.png", "report.md", "report.html", "analysis.json"}
    assert names <= {path.name for path in folder.iterdir()}
    assert f"{folder}/report.html\n{folder}/report.md\n{folder}/analysis.json" in lines
    assert all((folder / name).stat().st_size > 1000 for name in names)


def test_markdown_begins_with_the_verdict_and_shows_every_figure(written, whole):
    folder, lines = written
    text = (folder / "report.md").read_text("utf-8")
    assert text.startswith(f"# mine: {whole.digest}\n\n## Verdict\n\n**{lines[0]}**\n")
    assert text.count(".png)") == 4


def test_the_terminal_shows_verdict_conditions_and_digest(written, whole):
    lines = written[1]
    assert "ρ = 0." in lines[0]
    assert whole.digest in lines[1]
    assert [line.partition(":")[0].strip() for line in lines[2:6]] == [
        *("headline", "within family", "partial, given size", "more than the better of parameters and FLOP")
    ]
    assert any(line.startswith("  best other predictor: ") for line in lines)


def test_figures_of_an_earlier_report_do_not_stay(made, tmp_path):
    (tmp_path / "protocol.json").write_text(json.dumps(made[0]))
    (tmp_path / "rivals.png").write_bytes(b"old")
    lines = list(write_report(tmp_path, Results()))
    assert lines[0].startswith("Nothing is scored yet")
    assert not (tmp_path / "rivals.png").exists()
    assert (tmp_path / "report.html").is_file()
    assert json.loads((tmp_path / "analysis.json").read_text())["analysis"] is None
