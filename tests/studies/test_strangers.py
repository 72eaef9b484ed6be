"""A study folder from an untrusted source: with any content, `report` and `list runs` end with a single message."""

import json
import shutil

import pytest

DEEP = "[" * 100_000
ALIASES = "a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [{f'*a{n - 1},' * 10}]" for n in range(1, 9))


def changed(**more):
    return lambda content: json.dumps({**json.loads(content), **more})


@pytest.mark.parametrize(
    ("file", "change", "reason"),
    [
        ("metrics.json", lambda _: DEEP, "nested deeper than 50 levels"),
        ("metrics.json", lambda _: '{"a": ' * 200 + "1" + "}" * 200, "nested deeper than 50 levels"),
        ("metrics.json", lambda _: " " * (2**24 + 1), "expected at most 16,777,216"),
        ("metrics.json", changed(n_classes=0), "n_classes=0"),
        ("metrics.json", changed(flop=10**400), "flop is out of range; expected 0 to 9,223,372"),
        ("metrics.json", changed(protocol="x"), "protocol='x'"),
        (
            "metrics.json",
            lambda text: text.replace('accuracy": ', 'accuracy": 9'),
            "accuracy is out of range; expected",
        ),
        ("metrics.json", lambda text: text.replace('accuracy": 0', 'accuracy": NaN, "x": 0'), "is out of range"),
        ("runs.json", lambda _: DEEP, "nested deeper than 50 levels"),
        ("runs.json", lambda text: text.replace('"run": "', '"run": "../../'), "is not inside the folder of the study"),
        ("runs.json", lambda text: text.replace('"run": "', '"run": "/'), "is not inside the folder of the study"),
        ("predictions*.csv", lambda text: text + "x" * 200_000, "field larger than field limit"),
    ],
)
def test_a_result_file_with_absurd_content_gives_one_message(file, change, reason, study, tmp_path, untrained):
    folder = shutil.copytree(study, tmp_path / "study")
    path = sorted(folder.rglob(file))[0]
    path.write_text(change(path.read_text()))
    status, _, err = untrained("report", folder)
    assert status == 2
    assert reason in err
    assert err.count("\n") == 1
    assert len(err) < 700
    assert untrained("list", "runs", folder)[0] == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (DEEP, "nest"),  # libyaml itself limits the depth
        ("#" * (2**20 + 1), "expected at most 1,048,576"),
        (ALIASES, "its aliases expand to more than"),
    ],
    ids=["deep", "long", "aliases"],
)
def test_a_configuration_with_absurd_content_gives_one_message(text, reason, tmp_path, untrained):
    (tmp_path / "study.yaml").write_text(text)
    for command in (["compare", "study.yaml"], ["fit", "--config", "study.yaml"]):
        status, _, err = untrained(*command)
        assert status == 2
        assert reason in err
        assert err.count("\n") == 1
