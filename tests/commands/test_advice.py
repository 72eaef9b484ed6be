"""Advice in messages works: what a message suggests is accepted."""

import re
import shlex
import shutil

import pytest

FIT = "--data.n_samples 8000 --model.frontend mfcc --model.backend nearest_class"
STUDY = "--frontends [mfcc] --backends [nearest_class] --controls [] --dry_run"


@pytest.fixture
def folders(sounds, tmp_path):
    (tmp_path / "snd").symlink_to(sounds)
    (tmp_path / "parts").mkdir()
    for part in ("train", "test"):
        shutil.copytree(sounds, tmp_path / "parts" / part)
    (tmp_path / "#1").symlink_to(sounds)
    paths = sorted(path.relative_to(sounds) for path in sounds.glob("*/[!.r]*"))
    text = "\n".join(["path,label", *(f"snd/{path},{path.parent}" for path in paths)])
    (tmp_path / "clips.csv").write_text(text)
    return tmp_path


def data(root, more=""):
    return f"--datamodules '[{{class_path: folder, init_args: {{root: {root}, n_samples: 8000{more}}}}}]'"


@pytest.mark.parametrize(
    ("command", "advice", "then"),
    [
        ("--config fit.yaml list backends", r"untrained (list --config fit.yaml backends)", None),
        ("compare --frontends mfcc", r"(--frontends '\[mfcc\]')", f"compare {STUDY} ADVICE"),
        ("compare --frontends mfcc,vgg", r"(--frontends '\[mfcc, vgg\]')", f"compare {STUDY} ADVICE"),
        ("compare --seeds 0,1", r"(--seeds '\[0, 1\]')", f"compare {STUDY} ADVICE"),
        ("compare --model.layers last", r"(--model.layers '\[last\]')", f"compare {STUDY} ADVICE"),
        (f"compare {data('parts')} {STUDY}", r"(--protocol holdout)", f"compare {data('parts')} {STUDY} ADVICE"),
        (
            f"compare {data('snd', ', folds: 3')} {STUDY} --protocol holdout",
            r"(--protocol nested)",
            f"compare {data('snd', ', folds: 3')} {STUDY} ADVICE",
        ),
        (
            f"compare {data('snd', ', folds: 2')} {STUDY}",
            r"(--protocol study)",
            f"compare {data('snd', ', folds: 2')} {STUDY} ADVICE",
        ),
        (
            f"compare {data('parts', ', folds: 3')} {STUDY} --protocol holdout",
            "leave out 'folds: 3' in init_args of the data set",
            f"compare {data('parts')} {STUDY} --protocol holdout",
        ),
        (
            f"fit --data folder --data.root parts --model.protocol nested {FIT}",
            r"(--model.protocol holdout)",
            f"fit --data folder --data.root parts {FIT} ADVICE",
        ),
        (
            f"fit --data folder --data.root snd --trainer.devices 0 {FIT}",
            "give 1 or more, or auto",
            f"fit --data folder --data.root snd --trainer.devices 1 {FIT}",
        ),
        (
            "check data --data manifest --data.path clips.csv --data.root snd",
            r"give (--data.root=\S+)",
            "check data --data manifest --data.path clips.csv ADVICE",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:.*have the same audio")
def test_advice_is_accepted(untrained, folders, command, advice, then):
    status, out, err = untrained(*shlex.split(command))
    assert status != 0
    found = re.search(advice, err + out)
    assert found, err + out
    if then is not None:
        status, out, err = untrained(*shlex.split(then.replace("ADVICE", found[found.re.groups])))
        assert status == 0, err + out


def test_a_path_that_yaml_misreads_is_text(untrained, folders):
    for root in (["--data.root", "#1"], ["--data.root=#1"]):
        status, out, _ = untrained("check", "data", "--data", "folder", *root)
        assert status == 0
        assert "36 clips can be used" in out
    status, _, err = untrained("check", "data", "--data", "folder", "--data.root", "# gone")
    assert status == 2
    assert "--data.root '# gone' is a comment or an empty value in YAML" in err


def test_the_configuration_of_a_fit_can_be_used_to_test(untrained, folders):
    status, out, _ = untrained("fit", "--data", "folder", "--data.root", "snd", *FIT.split())
    run = folders / out.strip().splitlines()[-1].removeprefix("-> ")
    again = ["test", "--config", run / "config.yaml", "--ckpt_path", run]
    assert untrained(*again)[0] == 0
    text = (run / "config.yaml").read_text()
    assert "nearest_class" in text
    (folders / "other.yaml").write_text(text.replace("nearest_class", "elm"))
    status, _, err = untrained("test", "--config", folders / "other.yaml", "--ckpt_path", run)
    assert status == 2
    assert f"--model.backend of {folders / 'other.yaml'} does not match checkpoint" in err
    assert untrained(*again, "--model.backend", "elm")[2].count("error: --model.backend does not match checkpoint") == 1


def test_embeddings_need_no_labels(untrained, folders):
    (folders / "one").symlink_to(next((folders / "snd").iterdir()))
    one = ["--data", "folder", "--data.root", "one", "--data.n_samples", "8000", "--model.frontend", "mfcc"]
    status, out, _ = untrained("predict", *one)
    assert status == 0
    assert "12 of 12 clips computed" in out
    status, _, err = untrained("fit", *one, "--model.backend", "elm")
    assert status == 2
    assert "none of which has a label; fit and test need at least two classes (each sub-folder" in err
