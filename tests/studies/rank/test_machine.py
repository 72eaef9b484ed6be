import torch
from untrained.studies.rank import machine
from untrained.studies.rank.machine import describe_machine, n_processes

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


def test_processes_for_a_device(monkeypatch):
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda pid: set(range(6)), raising=False)
    monkeypatch.setattr(machine, "machine_memory", lambda: 2**40)
    assert n_processes("auto", [CPU]) == 6
    assert n_processes(3, [CPU]) == 3
    assert n_processes("auto", [GPU, GPU]) == 8
    monkeypatch.setattr(machine, "machine_memory", lambda: 5 * 2**30)
    assert n_processes("auto", [CPU]) == 2


def test_a_machine_is_described():
    assert describe_machine(CPU).items() >= {"torch": torch.__version__, "device": "cpu"}.items()
