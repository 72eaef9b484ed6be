import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from untrained.datamodules.codes import Codes

VALUES = ["low", "high", "", None]


@settings(deadline=None, max_examples=50)
@given(items=st.lists(st.sampled_from(VALUES), max_size=30), data=st.data())
def test_a_column_answers_as_the_list_of_its_values(items, data):
    column = Codes.of(items)
    assert (list(column), len(column)) == (items, len(items))
    assert [column[position] for position in range(len(items))] == items
    assert column.counts() == {value: items.count(value) for value in items}
    assert column.where(lambda value: value in ("low", None)).tolist() == [item in ("low", None) for item in items]
    positions = data.draw(st.lists(st.integers(0, len(items) - 1), max_size=9)) if items else []
    taken = column.take(np.array(positions, np.int64))
    assert list(taken) == [items[position] for position in positions]
    assert taken.counts() == Codes.of(taken).counts()  # values that do not occur are not counted
    assert list(column.mapped(lambda value: value or "none")) == [item or "none" for item in items]
    named = column.mapped(str)
    ranks, ordered = named.ranks()
    assert ordered == sorted({str(item) for item in items})
    assert [ordered[rank] for rank in ranks.tolist()] == [str(item) for item in items]


def test_values_that_become_equal_are_one_value():
    column = Codes.of(["a", "b", "c"]).take(np.array([0, 1, 0])).mapped(lambda value: value.replace("b", "a"))
    assert (column.values, column.codes.tolist()) == (("a",), [0, 0, 0])


def test_a_column_of_one_value():
    assert list(Codes.same(None, 3)) == [None] * 3
