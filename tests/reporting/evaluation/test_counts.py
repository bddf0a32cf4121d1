import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rpc.data import Category, DataError, Dataset, ImageInfo, Taxonomy
from rpc.reporting.evaluation.counts import (
    counts_of_entries,
    is_counts_list,
    read_counts,
    write_counts,
)

# Ids out of order and with gaps, as RPC's are.
SHOP = Dataset(
    images=tuple(ImageInfo(number, f"{number}.jpg", 9, 9) for number in (40, 10, 20)),
    annotations=(),
    taxonomy=Taxonomy([Category(7, "soap"), Category(3, "tea")]),
)
CART = {"image_id": 10, "counts": [{"category_id": 7, "count": 2}]}


@given(
    arrays(np.int64, (3, 2), elements=st.integers(0, 4)),
    st.none() | arrays(np.float64, 3, elements=st.floats(0, 1)),
    st.none() | arrays(np.int64, 3, elements=st.integers(0, 3)),
)
def test_lists_come_back_as_they_were_written(tmp_path_factory, counts, certainty, questions):
    path = tmp_path_factory.getbasetemp() / "counts.json"
    assert write_counts(path, SHOP, counts, certainty, questions) == path
    read = read_counts(path, SHOP)
    assert (read.questions is None) == (questions is None)
    assert questions is None or np.array_equal(read.questions, questions)
    assert np.array_equal(read.counts, counts)
    assert read.absent == 0
    if certainty is None:
        assert read.certainty is None
    else:
        assert np.array_equal(read.certainty, certainty)


def test_the_file_lists_every_image_and_the_skus_that_are_on_it(tmp_path):
    write_counts(tmp_path / "counts.json", SHOP, [[0, 0], [0, 2], [1, 0]], [0.5, 1, 0])
    assert json.loads((tmp_path / "counts.json").read_text()) == [
        {"image_id": 40, "file_name": "40.jpg", "counts": [], "certainty": 0.5},
        {"image_id": 10, "file_name": "10.jpg", "certainty": 1.0,
         "counts": [{"category_id": 7, "name": "soap", "count": 2}]},
        {"image_id": 20, "file_name": "20.jpg", "certainty": 0.0,
         "counts": [{"category_id": 3, "name": "tea", "count": 1}]},
    ]  # fmt: skip


def test_an_image_that_is_not_listed_counts_as_an_empty_list_and_is_told():
    read = counts_of_entries([CART | {"certainty": 1}], SHOP)
    assert read.counts.tolist() == [[0, 0], [0, 2], [0, 0]]
    assert read.certainty.tolist() == [0, 1, 0]
    assert read.absent == 2


def test_the_order_of_carts_and_items_does_not_matter():
    items = [{"category_id": 3, "count": 1}, {"category_id": 7, "count": 2}]
    carts = [{"image_id": 40, "counts": items}, {"image_id": 10, "counts": items[::-1]}]
    read, reversed_order = counts_of_entries(carts, SHOP), counts_of_entries(carts[::-1], SHOP)
    assert read.counts.tolist() == reversed_order.counts.tolist() == [[1, 2], [1, 2], [0, 0]]


def test_a_list_of_carts_is_told_from_coco_results():
    result = {"image_id": 10, "category_id": 7, "bbox": [1, 2, 3, 4], "score": 0.5}
    assert is_counts_list([CART])
    for other in ([result], [], {}, [[]], None, [5], "counts"):
        assert not is_counts_list(other)


def test_an_empty_list_is_legal():
    read = counts_of_entries([], SHOP)
    assert (read.counts.sum(), read.certainty, read.absent) == (0, None, 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": 11}, "image_id 11 is none of the 3 images of the data set; are these"),
        ({"image_id": True}, "image_id True is none of"),
        ({"image_id": [20]}, r"image_id \[20\] is none of"),
        ({"image_id": 10}, "image 10 is already in entry 0"),
        ({"counts": 5}, "counts: expected a list of items, got 5"),
        ({"counts": "tea"}, "counts: expected a list of items, got 'tea'"),
        ({"counts": [5]}, 'counts: expected {"category_id", "count"}, got 5'),
        ({"counts": [{"category_id": 7}]}, 'counts: expected {"category_id", "count"}, got'),
        ({"counts": [{"category_id": 4, "count": 1}]}, "category_id 4 is none of the 2 SKUs"),
        ({"counts": CART["counts"] * 2}, "category_id 7 is there twice"),
        ({"counts": [{"category_id": 7, "count": -1}]}, "count of category_id 7: expected a whole"),
        (
            {"counts": [{"category_id": 7, "count": 1.5}]},
            "count of category_id 7: .*0 to 1000000, got 1.5",
        ),
        (
            {"counts": [{"category_id": 7, "count": 10**30}]},
            "count of category_id 7: .*0 to 1000000, got 1000",
        ),
        (
            {"counts": [{"category_id": 7, "count": True}]},
            "count of category_id 7: .*0 to 1000000, got True",
        ),
        (
            {"counts": [{"category_id": 7, "count": 1, "name": "tea"}]},
            "name of category_id 7: expected 'soap', got 'tea'; correct it or leave it out",
        ),
        ({"file_name": "21.jpg"}, "file_name: expected '20.jpg', as image 20 is called"),
        ({"certainty": 0.5}, "certainty: expected in every cart or in none"),
        ({"questions": 0}, "questions: expected in every cart or in none"),
    ],
)
def test_a_cart_that_makes_no_sense_is_named(change, message):
    with pytest.raises(DataError, match=f"c.json: entry 1: {message}"):
        counts_of_entries([CART, CART | {"image_id": 20} | change], SHOP, "c.json")


@pytest.mark.parametrize("value", [1.5, -0.1, float("nan"), "0.5", None, True])
def test_a_certainty_that_is_none_is_named(value):
    with pytest.raises(DataError, match="entry 0: certainty: expected a number 0 to 1, got"):
        counts_of_entries([CART | {"certainty": value}], SHOP)


@pytest.mark.parametrize("value", [-1, 0.5, "1", None, True])
def test_questions_that_are_no_number_are_named(value):
    with pytest.raises(DataError, match="entry 0: questions: expected a whole number >= 0, got"):
        counts_of_entries([CART | {"questions": value}], SHOP)


def test_an_image_that_is_not_listed_does_not_pass():
    assert counts_of_entries([CART | {"questions": 0}], SHOP).questions.tolist() == [1, 0, 1]


def test_what_is_no_cart_is_refused(tmp_path):
    (tmp_path / "counts.json").write_text('{"tray_1.jpg": {"tea": 2}}')
    with pytest.raises(DataError, match=r"counts.json: expected a list of carts \[\{"):
        read_counts(tmp_path / "counts.json", SHOP)
    with pytest.raises(DataError, match="entry 0: expected an object, got 5"):
        counts_of_entries([5], SHOP)
    with pytest.raises(DataError, match="entry 0: the field 'counts' is missing"):
        counts_of_entries([{"image_id": 10}], SHOP)


def test_arrays_that_do_not_fit_are_not_written(tmp_path):
    path = tmp_path / "counts.json"
    with pytest.raises(ValueError, match=r"expected shape \(3 images, 2 SKUs\), got \(3, 3\)"):
        write_counts(path, SHOP, np.zeros((3, 3)))
    with pytest.raises(ValueError, match="counts: expected counts >= 0"):
        write_counts(path, SHOP, np.full((3, 2), -1))
    with pytest.raises(ValueError, match=r"certainty: expected shape \(3,\), got \(2,\)"):
        write_counts(path, SHOP, np.zeros((3, 2)), [1, 1])
    with pytest.raises(ValueError, match="certainty: expected numbers 0 to 1"):
        write_counts(path, SHOP, np.zeros((3, 2)), [1, 1, np.nan])
    assert not path.exists()
