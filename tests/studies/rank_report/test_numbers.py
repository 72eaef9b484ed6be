import json

import pytest


def test_all_numbers_are_in_one_file_with_the_digest(written, whole):
    found = json.loads((written[0] / "analysis.json").read_text())
    assert (found["protocol"], found["tasks"]) == (whole.digest, ["task-0", "task-1"])
    assert found["headline"] == written[1][0]
    assert found["items"] == {"done": 486, "total": 486, "failed": 1}
    assert [row["name"] for row in found["architectures"]] == found["analysis"]["architectures"]
    assert found["budgets"]["naswot"]["seconds"] == pytest.approx(0.02)
    analysis = found["analysis"]
    assert analysis["pooled"]["rho"]["value"] == pytest.approx(whole.analysis.pooled.rho.value)
    assert analysis["tasks"][0]["scores"]["trained"] == pytest.approx(list(whole.analysis.tasks[0].scores.trained))
    assert [condition["holds"] for condition in analysis["verdict"]["conditions"]]
