import io
import shutil
import time
from contextlib import redirect_stderr

import pytest
from untrained.cli import main
from untrained.studies.rank import results

STUDY = """
name: small
datamodules: [{class_path: synthetic, init_args: {task: events, sizes: [16, 8, 8, 8], n_samples: 2048}}]
designs: {n: 8, max_flop: 1.0e+6}
seeds: {random: [0], linear: [200], trained: [100]}
proxies: [synflow]
sensitivities: []
last_head: false
common_rate: 0.01
training: {learning_rate: [0.01], max_steps: 2, batch_size: 8}
jobs: 1
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Folder with a study file and its finished runs, and what the command printed."""
    folder = tmp_path_factory.mktemp("rank")
    (folder / "small.yaml").write_text(STUDY)
    err = io.StringIO()
    with redirect_stderr(err):
        status = main(["rank", str(folder / "small.yaml"), "--trainer.default_root_dir", str(folder / "runs")])
    assert status == 0, err.getvalue()
    return folder, err.getvalue()


@pytest.fixture
def command(done, untrained, tmp_path):
    """Function that runs `rank` with the study in a folder without results."""
    shutil.copy(done[0] / "small.yaml", tmp_path)
    return lambda *words: untrained("rank", "small.yaml", *words)


def test_a_finished_study_is_not_computed_again(done, untrained):
    folder, first = done
    assert "protocol " in first
    path = folder / "runs/small" / results.FILE
    before = path.read_bytes()
    status, out, err = untrained("rank", folder / "small.yaml", "--trainer.default_root_dir", folder / "runs")
    assert status == 0
    assert path.read_bytes() == before
    assert "random seed" not in err
    assert out


def test_its_report_is_written_again(done, untrained):
    folder = done[0] / "runs/small"
    (folder / "report.html").unlink()
    status, out, _ = untrained("report", folder)
    assert status == 0
    assert (folder / "report.html").is_file()
    assert f"\n{folder}/report.html\n" in out
    status, _, err = untrained("report", folder, "--along", "pooling")
    assert (status, err.count("\n")) == (2, 1)
    assert "--along applies to studies of `untrained compare`" in err


def test_halves_of_two_machines_are_merged(done, command, untrained, tmp_path):
    for part in ("1/2", "2/2"):
        status, _, _ = command("--part", part, "--name", part[0])
        assert status == 0
    status, _, err = untrained("rank", "small.yaml", "--merge", "runs/1", "runs/2", "--name", "both")
    assert status == 0
    assert "runs/2: " in err
    status, _, err = untrained("rank", "small.yaml", "--merge", "[runs/1, runs/2]", "--name", "both")
    assert status == 0
    assert "runs/2: 0 results added" in err
    whole = results.read(done[0] / "runs/small", print).records
    both = results.read(tmp_path / "runs/both", print).records
    assert both.keys() == whole.keys()
    assert all(record.agrees_with(whole[item]) for item, record in both.items())


def test_time_that_is_up_ends_cleanly(command, tmp_path):
    start = time.perf_counter()
    status, _, err = command("--max_seconds", "0.001")
    assert status == 0
    assert "the time is up: 0 of " in err
    assert "run the same command to go on" in err
    assert time.perf_counter() - start < 60
    assert not (tmp_path / "runs/small" / results.FILE).exists()


def test_a_study_under_another_protocol_is_refused(done, untrained):
    folder = done[0]
    words = ["rank", folder / "small.yaml", "--trainer.default_root_dir", folder / "runs"]
    status, _, err = untrained(*words, "--training.max_steps", 3)
    assert status == 2
    assert "training.max_steps is 2 there and 3 here" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--part", "3/2"], "--part 3/2: expected I/N"),
        (["--seeds.linear", "[100]"], "seeds.linear: the seed 100 is also in seeds.trained"),
        (["--frontends", "[mfcc]"], "frontends[0]: frontend 'mfcc' has no random weights"),
        (["--merge", "nowhere"], "no protocol.json in nowhere"),
    ],
)
def test_mistakes_are_one_message(command, words, problem):
    status, _, err = command(*words)
    assert status == 2
    assert problem in err
    assert err.count("\n") == 1


def test_an_unknown_study_names_the_bundled_ones(untrained):
    status, _, err = untrained("rank", "nothing.yaml")
    assert status == 2
    assert "no study 'nothing.yaml': neither a file nor a bundled study (rank, rank-full)" in err


def test_bundled_studies_are_planned(untrained, monkeypatch):
    """Nothing is timed, which would take a minute."""
    monkeypatch.setattr("untrained.studies.rank.estimate._times", lambda plan, waiting, devices: iter(()))
    status, out, _ = untrained("rank", "--dry_run")
    assert status == 0
    assert "left out: rhythm: " in out
    assert "synthetic-timbre: 160 train, 80 validation, 640 test clips; 2 test sets" in out
    status, out, _ = untrained("rank", "rank-full", "--dry_run")
    assert status == 0
    assert "89 of 89 architectures: 10 vgg, 10 vertical, 10 horizontal, 10 shapes, 10 sample_level, " in out
    assert "reported apart: frame_level, frame_level_many, sample_level, " in out
    assert "synthetic-rhythm: 720 train, 240 validation, 1,200 test clips; 2 test sets" in out
    assert "gate: 16 other designs" in out
    assert untrained("config", "rank-full")[1].startswith("# The whole protocol")
