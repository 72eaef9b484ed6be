import pytest
from untrained.studies.rank import results
from untrained.studies.rank.items import Item
from untrained.studies.rank.results import Record, Results, number

ITEM = Item("events", "vgg-0", "trained", 0.001, 100)
RECORD = Record(ITEM, predicted=[0, 1, -1], validation=0.5, train=0.75, seconds=2.5, machine={"torch": "2"})


def test_a_record_is_read_back():
    proxy = Record(ITEM._replace(arm="proxies", learning_rate=None), values={"snip": 1.5, "zico": None})
    for record in (RECORD, proxy, Record(ITEM, error="ValueError: no")):
        assert Record.read(record.line()) == record


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        '{"task": "a"}',
        "[]",
        RECORD.line()[:-20],
        RECORD.line().replace("0.5", '"x"'),
        RECORD.line().replace("100", "Infinity"),
    ],
)
def test_a_line_that_is_no_record_is_refused(line):
    with pytest.raises(ValueError, match=r"."):
        Record.read(line)


def test_a_line_that_is_cut_off_loses_nothing_else(tmp_path):
    others = [Record(ITEM._replace(seed=seed), validation=0.5) for seed in (101, 102)]
    results.append(tmp_path, [RECORD])
    path = tmp_path / results.FILE
    path.write_text(path.read_text() + others[0].line()[:30])  # a process was killed while it wrote
    said = []
    found = results.read(tmp_path, said.append)
    assert list(found.records) == [ITEM]
    assert len(said) == 1
    assert said[0].startswith(f"{path}: line 2 cannot be read, ")
    assert "1 results are kept" in said[0]
    results.append(tmp_path, others)  # starts a line of its own
    assert list(results.read(tmp_path, said.append).records) == [ITEM, *(other.item for other in others)]


def test_success_counts_more_than_failure_whatever_their_order():
    failure = Record(ITEM, error="RuntimeError: no memory")
    for order in ((failure, RECORD), (RECORD, failure)):
        known = Results()
        for record in order:
            known.add(record)
        assert known.done(ITEM) == RECORD
        assert known.failures == []
    known = Results()
    known.add(failure)
    assert known.failures == [failure]
    assert known.done(ITEM) is None


def test_equal_results_agree_whatever_the_machine_and_the_time():
    known = Results()
    known.add(RECORD)
    known.add(Record(ITEM, predicted=[0, 1, -1], validation=0.5, train=0.75, seconds=9.0, machine={"torch": "3"}))
    assert known.differing == []
    other = Record(ITEM, predicted=[0, 0, -1], validation=0.5, train=0.75)
    known.add(other)
    assert known.differing == [(RECORD, other)]
    known.add(other)  # again
    assert len(known.differing) == 1
    assert known.done(ITEM) == RECORD


def test_the_best_learning_rate_is_chosen_when_all_have_ended():
    rates = [ITEM._replace(learning_rate=rate) for rate in (0.0003, 0.001, 0.003, 0.01)]
    known = Results()
    for item, accuracy in zip(rates[:3], (0.5, 0.6, 0.6), strict=True):
        known.add(Record(item, validation=accuracy))
    assert known.chosen(rates) is None
    known.add(Record(rates[3], error="OSError: the disk is full"))  # which trying again may change
    assert known.chosen(rates) is None
    assert not known.has_ended(rates[3])
    known.add(Record(rates[3], error="TrainingError: diverged"))
    assert known.has_ended(rates[3])
    assert known.chosen(rates) == 0.001  # the smaller of two equal ones
    assert known.chosen([rates[3]]) is None


def test_values_that_are_not_finite_have_no_number():
    assert [number(value) for value in (1, float("nan"), float("-inf"))] == [1.0, None, None]
