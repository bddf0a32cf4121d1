import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.structures import ShoppingList


@given(st.lists(st.integers(0, 9)))
def test_counts_add_up_to_the_number_of_items(labels):
    shopping = ShoppingList.from_labels(labels)
    array = shopping.to_array(10)
    assert shopping.total == len(labels) == array.sum()
    assert all(array[label] == labels.count(label) for label in range(10))


def test_an_empty_tray_is_an_empty_list():
    assert ShoppingList.from_labels([]) == ShoppingList()
    assert ShoppingList().to_array(3).tolist() == [0, 0, 0]


@pytest.mark.parametrize("counts", [{-1: 1}, {2: 0}])
def test_impossible_counts_are_refused(counts):
    with pytest.raises(ValueError, match="label must be >= 0, count >= 1"):
        ShoppingList(counts)


def test_a_label_beyond_the_skus_is_refused():
    with pytest.raises(ValueError, match="label 5 is not below 5"):
        ShoppingList({5: 1}).to_array(5)
