from dataclasses import replace

import pytest
from rank_study import CPU, made_up_study, write
from untrained.studies.rank.items import Item
from untrained.studies.rank.results import Record, Results
from untrained.studies.rank_report.report import write_report
from untrained.studies.rank_report.study import examine

ODD = "<script>alert(1)</script>|*x*"
"""An error message that would run as code in a page that does not escape it."""


@pytest.fixture(scope="session")
def made():
    """Protocol and results of a small study with a failed item, and an item with two results that differ."""
    frozen, known = made_up_study(n_families=4, per_family=6, n_apart=3, seed=1)
    known.add(Record(Item("task-0", "timbral", "trained-last", 0.001, 100), error=f"ValueError: {ODD}", machine=CPU))
    first = next(iter(known.records.values()))
    known.add(replace(first, validation=0.25, machine={**CPU, "torch": "2.5.0", "device": "NVIDIA H100"}))
    return frozen, known


@pytest.fixture(scope="session")
def whole(made, tmp_path_factory):
    """The small study, analysed."""
    return examine(tmp_path_factory.mktemp("whole"), *made)


@pytest.fixture(scope="session")
def written(made, tmp_path_factory):
    """Folder with the report of the small study, and the lines for the terminal; figures are drawn once."""
    folder = write(tmp_path_factory.mktemp("written") / "mine", *made)
    return folder, list(write_report(folder, made[1]))


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A study of one task, with one seed, in which both arms share their clips."""
    frozen, known = made_up_study(n_families=4, per_family=3, n_tasks=1, n_seeds=1, n_clips=80, shared=True)
    return examine(tmp_path_factory.mktemp("shared"), frozen, known)


@pytest.fixture(scope="session")
def nothing(made, tmp_path_factory):
    """A study without results."""
    return examine(tmp_path_factory.mktemp("nothing"), made[0], Results())


@pytest.fixture(scope="session")
def parts(made, tmp_path_factory):
    """Function that returns the study with those results only for which a condition holds."""

    def parts(condition):
        known = Results()
        for record in made[1].records.values():
            if condition(record):
                known.add(record)
        return examine(tmp_path_factory.mktemp("parts"), made[0], known)

    return parts
