"""Evenly spaced places of a list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.evenly_spaced import evenly_spaced


@pytest.mark.parametrize(
    ("count", "most", "rows"),
    [(5, 3, [0, 2, 4]), (3, 9, [0, 1, 2]), (7, 1, [0]), (0, 4, []), (4, 0, [])],
)
def test_rows_by_hand(count, most, rows):
    assert evenly_spaced(count, most) == rows


@given(st.integers(1, 300), st.integers(2, 300))
def test_rows_rise_and_hold_both_ends(count, most):
    rows = evenly_spaced(count, most)
    assert len(rows) == min(count, most)
    assert rows == sorted(set(rows))
    assert (rows[0], rows[-1]) == (0, count - 1)
