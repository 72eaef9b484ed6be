import pytest
from hypothesis import given
from hypothesis import strategies as st
from untrained.frontends.columns import columns_of, count_columns, name_columns
from untrained.frontends.pooling import STATISTICS
from untrained.frontends.vgg import VGG


def test_columns_of_layers():
    frontend = VGG(n_filters=3).with_options(pooling="mean_std")
    names = frontend.feature_names
    assert {names[column].split(".")[0] for column in frontend.columns("last")} == {"layer4"}
    assert [names[column].split(".")[0] for column in frontend.columns([2, 0])] == ["layer2"] * 6 + ["layer0"] * 6
    assert frontend.columns("all") == frontend.columns([0, 1, 2, 3, 4]) == list(range(30))
    for layers in ([], [5], [-1], [1, 1], "first", 2, None, [True], [1.0]):
        with pytest.raises(ValueError, match=r"layers=.*expected 'all', 'last' or a list .* from 0 to 4"):
            frontend.columns(layers)


@given(n_maps=st.lists(st.integers(1, 4), min_size=1, max_size=4), pooling=st.sampled_from(sorted(STATISTICS)))
def test_every_column_is_of_one_layer(n_maps, pooling):
    names = name_columns(n_maps, pooling)
    assert len(names) == len(set(names)) == count_columns(n_maps, pooling)
    of_layers = [columns_of([layer], n_maps, pooling, "X") for layer in range(len(n_maps))]
    assert [column for columns in of_layers for column in columns] == list(range(len(names)))
    for layer, columns in enumerate(of_layers):
        assert {names[column].split(".")[0] for column in columns} == {f"layer{layer}"}
