from types import SimpleNamespace

import pytest
from lightning_fabric.plugins.environments import LightningEnvironment, TorchElasticEnvironment
from untrained.training.processes import wait_for_all


@pytest.mark.parametrize(
    ("environment", "n_processes", "calls"),
    [
        (TorchElasticEnvironment, 2, ["setup_environment", "barrier"]),
        (TorchElasticEnvironment, 1, []),
        (LightningEnvironment, 2, []),  # the other processes do not exist yet
    ],
)
def test_processes_that_were_started_outside_wait_for_the_first(environment, n_processes, calls, monkeypatch):
    for name in ("LOCAL_RANK", "RANK", "GROUP_RANK", "WORLD_SIZE", "MASTER_PORT"):
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    done = []
    strategy = SimpleNamespace(
        cluster_environment=environment(),
        setup_environment=lambda: done.append("setup_environment"),
        barrier=lambda: done.append("barrier"),
    )
    wait_for_all(SimpleNamespace(strategy=strategy, world_size=n_processes))
    assert done == calls
