"""Made-up results of rank studies, with few draws, for all tests of the analysis."""

import pytest
from rank_results import made_up
from untrained.studies.rank_analysis.analyse import analyse
from untrained.studies.rank_analysis.compared import prepare


@pytest.fixture(scope="session")
def study():
    return made_up(n_seeds=3, n_apart=3)


@pytest.fixture(scope="session")
def tasks(study):
    return prepare(study, 300, 0)


@pytest.fixture(scope="session")
def shared_tasks():
    """A task whose clips all arms share, prepared."""
    return prepare(made_up(shared=True, n_tasks=1, n_clips=80, family_effect=0), 300, 0)


@pytest.fixture(scope="session")
def analysis(study):
    return analyse(study, n_draws=300)
