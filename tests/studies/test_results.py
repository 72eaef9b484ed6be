import csv
import json
import shutil

from untrained.cli import main
from untrained.studies.results import Failure, append, read, start, waiting


def test_report_is_made_again_from_what_is_stored(study, tmp_path, capsys):
    moved = tmp_path / "elsewhere"
    shutil.copytree(study, moved)
    report = (moved / "report.md").read_text()
    lines = (moved / "results.jsonl").read_text().splitlines(keepends=True)
    for name in ("report.md", "results.png", "cost.png", "comparisons.csv"):
        (moved / name).unlink()
    shutil.rmtree(moved / "_study")
    assert main(["report", str(moved)]) == 0
    out = capsys.readouterr().out
    assert "sample_level-n_filters=2" in out
    assert "synthetic-events, nearest_class: " in out
    assert (moved / "report.md").read_text() == report.replace("# small", "# elsewhere")
    assert (moved / "results.png").read_bytes().startswith(b"\x89PNG")
    assert main(["report", str(moved.parent)]) == 2
    assert (
        f"no results.jsonl in {moved.parent}: give the folder of a study; there are {moved}" in capsys.readouterr().err
    )
    predictions = next(moved.glob("*/*/*/seed0/predictions-*.csv"))
    kept_as = predictions.read_text()
    predictions.write_text("")
    assert main(["report", str(moved)]) == 2
    assert "cannot be read" in capsys.readouterr().err
    predictions.write_text(kept_as)
    (moved / "results.jsonl").write_text('{"format": 2, "error": "", "dataset": "x"}\n')
    assert main(["report", str(moved)]) == 2
    assert "results.jsonl, line 1 cannot be read (KeyError: 'frontend')" in capsys.readouterr().err
    second = json.loads(lines[1])
    for line, reason in (
        (json.dumps({**second, "accuracy": "x"}).encode(), "TypeError: accuracy='x'; expected float"),
        (json.dumps({**second, "accuracy": True}).encode(), "TypeError: accuracy=True; expected float"),
        (
            json.dumps({**second, "seconds_per_clip": "x"}).encode(),
            "TypeError: seconds_per_clip='x'; expected float or NoneType",
        ),
        (json.dumps({**second, "error": 3}).encode(), "TypeError: error=3; expected str"),
        (b"caf\xe9", "UnicodeDecodeError: "),
    ):
        (moved / "results.jsonl").write_bytes(lines[0].encode() + line)
        assert main(["report", str(moved)]) == 2
        assert f"results.jsonl, line 2 cannot be read ({reason}" in (err := capsys.readouterr().err)
        assert err.endswith("run the study again, which writes the file anew and keeps what is done\n")
    (moved / "results.jsonl").write_text("".join(lines[:2]))
    planned = (moved / "runs.json").read_bytes()
    for damaged, reason in ((b"[", "JSONDecodeError: "), (b"\xe9", "UnicodeDecodeError: "), (b"[1]", "ValueError: ")):
        (moved / "runs.json").write_bytes(damaged)
        assert main(["report", str(moved)]) == 2
        assert f"{moved}/runs.json cannot be read ({reason}" in capsys.readouterr().err
    (moved / "runs.json").write_bytes(planned)
    (moved / "results.jsonl").write_text("".join(lines[:2]))
    assert main(["report", str(moved)]) == 0
    assert "**8 runs of this study have not ended yet.**" in (moved / "report.md").read_text()
    (moved / "results.jsonl").write_text("")
    assert main(["report", str(moved)]) == 2
    assert "no run has ended yet" in capsys.readouterr().err


def test_outcomes_come_back_as_they_were_written(tmp_path, made):
    done = [made("vgg"), made("mfcc", seconds_per_clip=0.25)]
    failed = Failure("my copy", "timbral", "svm", 1, "timbral-1", 'KeyError: "a, b"')
    start(tmp_path, done[:1], [*(result.run for result in done), failed.run, "later"])
    for outcome in (failed, done[1]):
        append(tmp_path, outcome)
    assert read(tmp_path) == (done, [failed])
    assert waiting(tmp_path, [*done, failed]) == 1
    with (tmp_path / "results.csv").open(newline="") as file:
        assert [(row["run"], row["error"]) for row in csv.DictReader(file)] == [
            ("vgg-0", ""),
            ("timbral-1", failed.error),
            ("mfcc-0", ""),
        ]
