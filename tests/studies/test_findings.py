from untrained.studies.analysis import analyse
from untrained.studies.findings import summary
from untrained.studies.report import comparison_table, markdown
from untrained.terminal import console


def test_summary_and_report_state_the_verdict(tmp_path, made, kept, capsys):
    results = [kept(tmp_path, made(name), n) for name, n in (("vgg", 58), ("mfcc", 55), ("logmel_stats", 10))]
    analysis = analyse(results, tmp_path, ["logmel_stats"])
    detectable = 100 * analysis.families[0].verdict.detectable
    assert summary(analysis) == [
        "my copy, svm: best: vgg 50.0; not separable from it: mfcc 50.0; worse: logmel_stats 50.0 "
        f"(smallest detectable difference: {detectable:.1f} points)",
        "difference from logmel_stats, in points (* significant):",
        "  my copy, svm: vgg +80.0 *, mfcc +75.0 *",
        "With one seed, results apply only to the weights that were drawn, not to other random weights.",
    ]
    console().print(comparison_table(analysis))
    assert "logmel_stats" in capsys.readouterr().out
    report = markdown(analysis, [], "mine")
    assert "Best: vgg 50.0; not separable from it: mfcc 50.0; worse: logmel_stats 50.0" in report
    assert "| minus logmel_stats (points) |" in report
    assert "| **+80.0** |" in report
    assert "Holm's correction for 3 pairs (clip-level test)" in report
