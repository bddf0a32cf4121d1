import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.metrics.confusion import (
    FamilyConfusion,
    confusion_matrix,
    family_confusions,
    mean_class_accuracy,
    most_confused,
)

TRUTH = [0, 0, 0, 1, 1, 2, 3]
NAMED = [0, 1, 1, 1, 0, 0, 3]


def test_rows_are_what_it_was_and_columns_what_it_was_named():
    matrix = confusion_matrix(TRUTH, NAMED, 4)
    assert matrix.tolist() == [[1, 2, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
    assert most_confused(matrix, 2) == [(0, 1, 2), (1, 0, 1)]
    assert len(most_confused(matrix, 99)) == 3
    assert mean_class_accuracy(matrix) == pytest.approx((1 / 3 + 1 / 2 + 0 + 1) / 4)


def test_families_keep_confusions_inside_and_outside_apart():
    rows = family_confusions(confusion_matrix(TRUTH, NAMED, 4), ["milk", "milk", "oats", "oats"])
    assert rows == [FamilyConfusion("milk", 2, 5, 2, 3, 0), FamilyConfusion("oats", 2, 2, 1, 0, 1)]


def test_no_photo_is_no_confusion():
    matrix = confusion_matrix([], [], 3)
    assert not matrix.any()
    assert most_confused(matrix, 5) == []
    assert math.isnan(mean_class_accuracy(matrix))


@pytest.mark.parametrize(
    ("truth", "named", "told"), [([0], [0, 1], "two of"), ([0], [3], "0 to 2"), ([-1], [0], "0 to")]
)
def test_labels_that_are_none_are_told(truth, named, told):
    with pytest.raises(ValueError, match=told):
        confusion_matrix(truth, named, 3)


def test_families_are_one_a_class():
    with pytest.raises(ValueError, match="expected 2, one a class"):
        family_confusions(np.zeros((2, 2), int), ["a"])


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=30))
def test_every_photo_is_counted_once(pairs):
    truth, named = ([pair[n] for pair in pairs] for n in (0, 1))
    matrix = confusion_matrix(truth, named, 5)
    rows = family_confusions(matrix, "aabbc")
    assert sum(row.photos for row in rows) == matrix.sum() == len(pairs)
    assert all(row.right + row.within + row.outside == row.photos for row in rows)
    assert sum(times for *_, times in most_confused(matrix, 25)) == sum(t != n for t, n in pairs)
