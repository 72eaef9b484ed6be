import pytest
from untrained.embeddings.changes import changes, is_of_code, settings_of


@pytest.mark.parametrize(
    ("before", "now", "found"),
    [
        ({"code": {"frontend vgg": 1}}, {"code": {"frontend vgg": 3}}, "frontend vgg has changed (version 1 -> 3)"),
        ({"code": {"source": "a"}}, {"code": {"source": "b"}}, "source code of a plug-in has changed"),
        ({"reading": {}}, {"reading": {"source": "b"}}, "source code of a plug-in has changed"),
        ({"source": {"root": "a"}}, {"source": {"root": "b"}}, "root has changed ('a' -> 'b')"),
        ({"files": "a"}, {"files": "b"}, "sizes or modification times of audio files have changed"),
        ({"precision": "32-true"}, {"precision": "bf16-mixed"}, "precision has changed ('32-true' -> 'bf16-mixed')"),
    ],
)
def test_each_change_is_described_by_a_sentence(before, now, found):
    assert list(changes({**before, "same": [1]}, {**now, "same": [1]}).values()) == [found]


def test_settings_exclude_code_and_files():
    fields = {"embeddings": {"code": {"frontend vgg": 1}, "weights": "a", "n_samples": 3}, "files": "b", "seed": 0}
    assert settings_of(fields) == {"embeddings.n_samples": 3, "seed": 0}
    assert is_of_code("embeddings.code.source")
    assert not is_of_code("source.datamodule")
