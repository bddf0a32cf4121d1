import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rpc.data import Category, Taxonomy
from rpc.metrics import checkout_metrics
from rpc.reporting.evaluation.breakdown import coverage_table, size_table, supercategory_table

# The ids of one super-category are no range, as RPC's are not.
TAXONOMY = Taxonomy(
    [Category(1, "cola", "drink"), Category(2, "soap", "care"), Category(3, "tea", "drink")]
)
counts = arrays(np.int64, (4, 3), elements=st.integers(0, 3))


def test_the_example_of_the_docs():
    # One cart: cola and soap there, tea and soap read: a cola missed, and a tea in its place.
    drink, care = supercategory_table(np.array([[0, 1, 1]]), np.array([[1, 1, 0]]), TAXONOMY)
    assert drink == {
        "supercategory": "drink", "skus": 2, "truth": 1, "predicted": 1, "missed": 1, "extra": 1,
        "moved": 1, "carts": 1, "right": 0.0, "mCCD": 1.0, "mCIoU": 0.0,
    }  # fmt: skip
    assert (care["supercategory"], care["right"], care["mCIoU"]) == ("care", 1.0, 1.0)


@given(counts, counts)
def test_super_categories_add_up_to_all_items(pred, gt):
    rows = supercategory_table(pred, gt, TAXONOMY)
    sums = {name: sum(row[name] for row in rows) for name in ("truth", "missed", "extra", "skus")}
    over = pred - gt
    assert sums == {
        "truth": gt.sum(),
        "missed": -over[over < 0].sum(),
        "extra": over[over > 0].sum(),
        "skus": 3,
    }
    assert all(row["moved"] <= min(row["missed"], row["extra"]) for row in rows)


def test_a_super_category_in_no_cart_has_no_share_of_right_carts():
    empty = np.zeros((2, 3), dtype=np.int64)
    assert [row["right"] for row in supercategory_table(empty, empty, TAXONOMY)] == [None, None]


def test_without_super_categories_there_is_no_table_and_single_skus_without_share_a_row():
    plain = Taxonomy([Category(1, "cola"), Category(2, "soap")])
    assert supercategory_table(np.eye(2, dtype=int), np.eye(2, dtype=int), plain) == []
    some = Taxonomy([Category(1, "cola"), Category(2, "soap", "care"), Category(3, "tea")])
    rows = supercategory_table(np.eye(3, dtype=int), np.eye(3, dtype=int), some)
    assert [(row["supercategory"], row["skus"]) for row in rows] == [("", 2), ("care", 1)]


def test_sizes_go_in_fives_with_empty_trays_alone():
    gt = np.array([[0], [1], [5], [6], [20]])
    pred = np.array([[1], [1], [3], [6], [20]])
    rows = size_table(pred, gt)
    assert [(row["items"], row["images"]) for row in rows] == [
        ([0, 0], 1), ([1, 5], 2), ([6, 10], 1), ([16, 20], 1),
    ]  # fmt: skip
    assert rows[0]["signed"] == 1.0
    assert rows[0]["number"] == 0.0
    assert (rows[1]["cAcc"], rows[1]["ACD"], rows[1]["signed"]) == (0.5, 1.0, -1.0)


def test_very_full_trays_are_in_wider_bins():
    gt = np.arange(101)[:, None]
    rows = size_table(gt, gt)
    assert rows[1]["items"] == [1, 10]
    assert len(rows) <= 11


@given(counts, counts)
def test_sizes_hold_every_image_once_and_average_to_the_whole(pred, gt):
    rows, whole = size_table(pred, gt), checkout_metrics(pred, gt)
    assert sum(row["images"] for row in rows) == len(gt)
    for name in ("cAcc", "ACD"):
        mean = sum(row[name] * row["images"] for row in rows) / len(gt)
        assert mean == pytest.approx(getattr(whole, name))
    for row in rows:
        assert abs(row["signed"]) <= row["ACD"] + 1e-12
        assert row["cAcc"] <= row["number"] <= 1
    number = sum(row["number"] * row["images"] for row in rows)
    assert number == pytest.approx((pred.sum(axis=1) == gt.sum(axis=1)).sum())


def test_the_coverage_table_names_the_largest_share_at_95_and_99_percent():
    right = np.array([1] * 19 + [0] + [0] * 5)
    table = coverage_table(np.arange(25, 0, -1) / 25, right[:, None], np.ones((25, 1), dtype=int))
    assert table["at"]["0.95"] == {"coverage": 0.8, "certainty": pytest.approx(6 / 25)}
    assert table["at"]["0.99"] == {"coverage": 0.76, "certainty": pytest.approx(7 / 25)}
    assert table["curve"][-1] == [1.0, 0.76]
    assert 0.76 < table["area"] < 1


def test_an_accuracy_out_of_reach_is_a_coverage_of_nothing():
    table = coverage_table(np.array([0.9]), np.array([[1]]), np.array([[0]]))
    assert table["at"]["0.95"] == {"coverage": 0.0, "certainty": None}


def test_a_long_curve_is_thinned_out_and_keeps_its_ends():
    table = coverage_table(np.linspace(1, 0, 5000), np.ones((5000, 1)), np.ones((5000, 1)))
    assert len(table["curve"]) == 200
    assert table["curve"][0][0] == 1 / 5000
    assert table["curve"][-1] == [1.0, 1.0]
