import pytest
import torch
from untrained.errors import UsageError
from untrained.studies.rank import results
from untrained.studies.rank.gate import facts_of, gate_plan, pass_gate, problems_of
from untrained.studies.rank.results import Record, Results

CPU = [torch.device("cpu")]
GATE = ["--gate.n", 16, "--training.learning_rate", "[0.001, 0.003, 0.01]"]


def filled(plan, accuracies, rate=0.003):
    """Return results in which each design has an accuracy at one learning rate, and 0 at the others."""
    known = Results()
    for name, accuracy in zip(plan.design.architectures, accuracies, strict=True):
        for item in plan.design.searched("synthetic-events", name):
            known.add(Record(item, validation=accuracy if item.learning_rate == rate else 0.0))
    return known


def test_the_gate_trains_other_designs_with_all_rates(planned, tmp_path):
    plan = planned(*GATE, root=tmp_path)
    of_gate = gate_plan(plan)
    assert of_gate.folder.parent == tmp_path / "tiny" / "gate"
    longer = planned(*GATE, "--training.max_steps", 40, root=tmp_path)
    assert gate_plan(longer).folder != of_gate.folder  # its results are others
    wider = planned(*GATE[:2], "--training.learning_rate", "[0.0003, 0.001, 0.003, 0.01]", root=tmp_path)
    assert gate_plan(wider).folder == of_gate.folder  # which keeps the results of the other rates
    assert not {*of_gate.design.architectures} & {*plan.design.architectures}
    items = list(of_gate.design.ready(lambda task, name: 0.003))
    assert {(item.arm, item.seed) for item in items} == {("trained", 100)}
    assert len(items) == 3 * len(of_gate.architectures)


def test_facts_and_problems_of_a_task(planned, tmp_path):
    plan = gate_plan(planned(*GATE, root=tmp_path))
    n = len(plan.architectures)
    sizes = [each.drawn.plan.n_parameters for each in plan.architectures]
    ranks = sorted(range(n), key=sizes.__getitem__)
    spread = [0.2 + 0.6 * (7 * place % n) / n for place in range(n)]
    good = facts_of("synthetic-events", plan, filled(plan, spread))
    assert problems_of({**good, "correlation_with_parameters": 0.1}) == []
    assert good["share_at_ends"] == 0
    flat = facts_of("synthetic-events", plan, filled(plan, [0.5 + 0.001 * place for place in range(n)]))
    assert problems_of(flat)[0].startswith(f"accuracies spread over {0.1 * (n - 1):.1f} points, expected 15 or more")
    by_size = [0.0] * n
    for rank, place in enumerate(ranks):
        by_size[place] = 0.2 + 0.5 * rank / n
    assert (
        "follows the number of parameters" in problems_of(facts_of("synthetic-events", plan, filled(plan, by_size)))[0]
    )
    at_end = facts_of("synthetic-events", plan, filled(plan, spread, rate=0.01))
    assert any("an end of the grid for 100 %" in problem for problem in problems_of(at_end))


def test_a_gate_that_is_not_passed_freezes_nothing(planned, tmp_path):
    plan = planned(*GATE, root=tmp_path)
    of_gate = gate_plan(plan)
    known = filled(of_gate, [0.5] * len(of_gate.architectures))
    of_gate.folder.mkdir(parents=True)
    results.append(of_gate.folder, known.records.values())
    with pytest.raises(UsageError, match=r"the gate is not passed, so nothing is frozen: synthetic-events: accuracies"):
        pass_gate(plan, CPU, print, None)
    assert pass_gate(planned(*GATE, "--name", "new", root=tmp_path), CPU, print, ends=0.0) is None
