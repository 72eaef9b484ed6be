import pytest
import torch
from forked import preloaded
from pool_jobs import Job, exit_at_once
from untrained.datamodules.synthetic import Synthetic
from untrained.errors import TrainingError
from untrained.probes.observers import Observers
from untrained.training import pool
from untrained.training.pool import Ended, Place, one_by_one, run_jobs

CPU = [torch.device("cpu")]


@pytest.fixture
def forked(monkeypatch):
    """Processes that start with the modules of this one, instead of importing them for seconds."""
    monkeypatch.setattr(pool, "get_context", lambda method: preloaded())


def test_no_process_is_started_without_jobs(monkeypatch):
    monkeypatch.setattr(pool, "ProcessPoolExecutor", None)
    assert list(run_jobs(one_by_one([]), CPU, 0, Observers, print)) == []


def test_the_next_job_depends_on_the_outcomes_so_far():
    done = []

    def take():
        return Job(len(done)) if len(done) < 3 else None

    for _, ended in run_jobs(take, CPU, 1, Observers, lambda line: None):
        done.append(ended.value[0])
    assert done == [0, 1, 2]


def test_jobs_of_several_processes(forked):
    first, said = Job(5), []
    jobs = [Job(0), Job(-1), Job(2), Job(3)]
    found = dict(run_jobs(one_by_one(jobs), CPU, 2, Observers, said.append, first=[first], n_threads=1))
    assert first.prepared
    assert {job.number: ended.value for job, ended in found.items()} == {0: (0, 1), -1: None, 2: (2, 1), 3: (3, 1)}
    assert found[jobs[1]].error.startswith("ValueError: negative\n")
    assert sorted(said) == ["job -1", "job 0", "job 2", "job 3"]


def test_what_runs_ends_when_nothing_more_is_taken(forked):
    jobs = [Job(0), Job(1, seconds=0.3)]
    found = [job.number for job, _ in run_jobs(one_by_one(jobs), CPU, 2, Observers, lambda line: None)]
    assert found == [0, 1]


def test_a_process_that_is_killed_ends_the_study_with_advice(monkeypatch):
    class Killed(pool.ProcessPoolExecutor):
        """Pool whose processes end at once, as if the system had killed them."""

        def __init__(self, n, context, initializer, arguments):
            super().__init__(n, preloaded(), initializer=exit_at_once)

    monkeypatch.setattr(pool, "ProcessPoolExecutor", Killed)
    with pytest.raises(TrainingError, match=r"ended from outside.*--training.jobs 1: finished runs"):
        list(run_jobs(one_by_one([Job(0), Job(1)]), CPU, 2, Observers, lambda line: None))


def test_a_job_that_cannot_be_sent_says_so(forked):
    job = Job(0)
    job.local = lambda: None
    ((_, ended), (_, other)) = sorted(
        run_jobs(one_by_one([job, Job(1)]), CPU, 2, Observers, lambda line: None), key=lambda pair: pair[0].number
    )
    assert "a plug-in cannot be sent to another process" in ended.error
    assert other == Ended((1, torch.get_num_threads()), "")


def test_sounds_are_read_once():
    place = Place(CPU[0], Observers, print, {})
    data = Synthetic("events", clips_per_class=3, n_samples=2048)
    sounds = place.sounds_of(data, "events", 12_000, None)
    assert place.sounds_of(data, "events", 12_000, None) is sounds
    assert place.sounds_of(data, "events", 8_000, None) is not sounds
