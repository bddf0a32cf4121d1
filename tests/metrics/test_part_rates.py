import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.metrics.parts import part_rates
from rpc.structures import box_iou

NONE = [np.nan] * 4


def test_parts_in_sight_count_and_a_part_that_is_not_found_is_wrong():
    true = [
        [[0, 0, 10, 10], [20, 0, 30, 10]],
        [[0, 0, 10, 10], NONE],
        [[0, 0, 10, 10], NONE],
    ]
    found = [
        [[0, 0, 10, 5], [20, 0, 30, 4]],  # IoU 0.5 is enough, 0.4 is not
        [NONE, [20, 0, 30, 10]],
        [[0, 0, 10, 10], NONE],
    ]
    rates = part_rates(found, true)
    assert rates.true.tolist() == [3, 1]
    assert rates.rates.tolist() == [pytest.approx(2 / 3), 0]
    assert rates.rate == 2 / 4  # of four true boxes
    assert rates.overlaps[:, 0].tolist() == [0.5, 0, 1]
    assert np.isnan(rates.overlaps[1:, 1]).all()


def test_without_a_true_box_there_is_no_rate():
    rates = part_rates([[[0, 0, 1, 1]]], [[NONE]])
    assert rates.rate is None
    assert np.isnan(rates.rates).all()
    assert part_rates(np.zeros((0, 2, 4)), np.zeros((0, 2, 4))).true.tolist() == [0, 0]


@given(st.integers(0, 10_000))
def test_overlaps_are_the_library_s_iou(seed):
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.integers(0, 6, (2, 5, 3, 2, 2)), axis=3).reshape(2, 5, 3, 4)
    rates = part_rates(*corners)
    pairs = corners.reshape(2, 15, 4)
    wanted = [box_iou([a], [b])[0, 0] for a, b in zip(*pairs, strict=True)]
    assert rates.overlaps.ravel() == pytest.approx(np.nan_to_num(wanted))


@pytest.mark.parametrize(
    ("found", "true"),
    [
        (np.zeros((1, 2, 4)), np.zeros((1, 3, 4))),
        (np.zeros((2, 4)), np.zeros((2, 4))),
        ([[[5, 0, 4, 1]]], [[[0, 0, 1, 1]]]),
        ([[[0, 0, 1, 1]]], [[[0, 0, np.inf, 1]]]),
    ],
)
def test_what_are_no_boxes_is_refused(found, true):
    with pytest.raises(ValueError, match="part rates: "):
        part_rates(found, true)
