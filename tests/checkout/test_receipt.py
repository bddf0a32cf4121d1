"""A receipt: counts, doubt, alternatives, a picture and JSON."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.checkout.questions import share_text, unknown_rows
from rpc.checkout.receipt import LIKELY, MARGIN, ReceiptItem, make_receipt
from rpc.checkout.seen import Seen, see
from rpc.counting import CountingRule, certainty
from rpc.counting.doubt.calibration import Calibration
from rpc.counting.doubt.doubt import AlikePair, Doubt
from rpc.data import Category, DataError, Taxonomy, write_image
from rpc.pictures.palette import QUESTION
from rpc.structures import Detections

SKUS = Taxonomy([Category(1, "a", title="Tea"), Category(4, "b"), Category(6, "c")])
PLACES = [[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10], [60, 0, 70, 10]]
RULE = CountingRule(0.2)
PHOTO = np.zeros((40, 80, 3), np.uint8)


BY_ITEMS = CountingRule(0.5, counts_by="item_score")


def receipt_of(rows, scores=None, photo=PHOTO, rule=RULE, doubt=None):
    rows = np.array(rows, float).reshape(-1, 4)
    scores = np.ones(len(rows)) if scores is None else scores
    found = Detections(PLACES[: len(rows)], scores, [0] * len(rows))
    return make_receipt(see(found, rows), rule, SKUS, photo, doubt)


def test_the_largest_count_comes_first_then_the_name():
    receipt = receipt_of([[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0]])
    assert list(receipt.counts.items()) == [("c", 2), ("a", 1), ("b", 1)]
    assert str(receipt).splitlines() == ["  2 x c", "  1 x Tea", "  1 x b", "4 items, 3 products"]


def test_an_item_keeps_its_own_row_of_probabilities_whatever_the_order():
    receipt = receipt_of([[0.3, 0.5, 0.1, 0.1], [0.1, 0, 0.9, 0]], scores=[0.9, 0.8])
    assert [item.sku for item in receipt.items] == ["c", "b"]  # 0.72, 0.45
    assert receipt.items[0].alternatives == (("c", 0.9), ("a", 0.1), ("b", 0.0))
    assert receipt.items[1].alternatives == (("b", 0.5), ("a", 0.3), ("c", 0.1))
    assert receipt.items[1].box == (0, 0, 10, 10)


@given(st.floats(0, 1), st.floats(0, 1))
def test_an_item_is_doubtful_below_a_limit_or_close_before_another(own, share):
    other = share * (1 - own)
    item = ReceiptItem((0, 0, 1, 1), "a", "a", 0.5, (("a", own), ("b", other)))
    assert item.doubtful == (own < LIKELY or own - other < MARGIN)


def test_a_sure_item_is_not_doubtful_and_an_even_one_is():
    receipt = receipt_of([[0.95, 0.03, 0.02, 0], [0.51, 0.49, 0, 0], [0.4, 0, 0, 0.6]])
    assert [item.doubtful for item in receipt.items] == [False, True, True]
    assert receipt.doubtful == receipt.items[1:]
    assert str(receipt).endswith("3 items, 1 product, 2 to look at")


def test_without_a_recogniser_the_boxes_on_one_place_are_the_alternatives():
    boxes = [PLACES[0], [0, 0, 10, 9], [0, 0, 10, 8], PLACES[1]]
    found = Detections(boxes, [0.9, 0.8, 0.7, 0.6], [2, 0, 0, 1])
    rule = CountingRule(0.5, agnostic_iou=0.5)
    receipt = make_receipt(Seen(found), rule, SKUS, PHOTO)
    assert [item.alternatives for item in receipt.items] == [
        (("c", 0.9), ("a", 0.8)),
        (("b", 0.6),),
    ]
    assert [item.doubtful for item in receipt.items] == [True, False]


def test_the_certainty_is_that_of_the_raw_detections():
    rows = [[0.9, 0.1, 0, 0], [0.21, 0.1, 0, 0.69], [0.1, 0, 0, 0.9]]
    found = see(Detections(PLACES[:3], np.ones(3), [0] * 3), np.array(rows)).detections
    receipt = receipt_of(rows)
    assert len(receipt.items) == 2
    assert receipt.certainty == certainty(found, RULE) < 0.1


def test_an_empty_tray_is_a_whole_receipt():
    receipt = receipt_of([])
    assert receipt.counts == {}
    assert receipt.doubtful == ()
    assert str(receipt) == "0 items, 0 products"
    assert receipt.draw().shape[2] == 3
    assert json.loads(receipt.to_json())["items"] == []


def test_json_holds_plain_values_and_the_files_name(tmp_path):
    path = write_image(tmp_path / "tray.png", PHOTO)
    values = json.loads(receipt_of([[0.9, 0.06, 0.04, 0]], photo=path).to_json())
    assert values == {
        "photo": "tray.png",
        "counts": {"a": 1},
        "certainty": values["certainty"],
        "passes": False,  # it has not learnt how sure it is
        "items": [
            {
                "sku": "a",
                "title": "Tea",
                "box": [0, 0, 10, 10],
                "score": 0.9,
                "alternatives": [["a", 0.9], ["b", 0.06], ["c", 0.04]],
                "doubtful": False,
                "probability": None,
            }
        ],
        "questions": [],
    }
    assert receipt_of([]).to_dict()["photo"] is None


def test_a_receipt_draws_its_photo_again(tmp_path):
    path = write_image(tmp_path / "tray.png", PHOTO)
    rows = [[0.9, 0.06, 0.04, 0]]
    drawn = receipt_of(rows, photo=path).draw()
    np.testing.assert_array_equal(drawn, receipt_of(rows).draw())
    assert receipt_of(rows)._repr_png_().startswith(b"\x89PNG")
    assert (drawn != receipt_of([]).draw()[: len(drawn)]).any()
    Path(path).unlink()
    with pytest.raises(DataError, match=r"tray\.png"):
        receipt_of(rows, photo=path).draw()


def test_as_many_rows_as_detections():
    with pytest.raises(ValueError, match="seen: 1 detections, 2 rows"):
        Seen(Detections(PLACES[:1], [0.5], [0]), np.ones((2, 3)))


def doubt_of(limit, *pairs):
    alike = tuple(AlikePair(pair, (0,), 0.4) for pair in pairs)
    return Doubt(Calibration(), limit, 0.99, "val", 18, alike)


def test_a_calibrated_receipt_is_split_into_sure_items_and_questions():
    rows = [[0.99, 0.01, 0, 0], [0.55, 0.45, 0, 0], [0.1, 0, 0.65, 0.25], [0.2, 0, 0.2, 0.6]]
    receipt = receipt_of(rows, rule=BY_ITEMS, doubt=doubt_of(0.9, ("a", "b")))
    assert [item.sku for item in receipt.sure] == ["a"]
    assert [item.sku for item in receipt.doubtful] == ["a", "c"]
    assert [item.probability for item in receipt.items] == pytest.approx(
        [0.99, 0.55, 0.65], rel=1e-3
    )
    assert [(one.sku, one.reason, one.counted) for one in receipt.questions] == [
        ("a", "view", True),
        ("a", "item", False),
        ("c", "item", True),
    ]
    assert [one.text for one in receipt.questions] == [
        "cannot be told from this view: Tea or b",
        "not sure whether this is an item at all, 40 %: Tea, not counted",
        "not sure whether this is an item at all, 75 %: c, counted",
    ]
    assert not receipt.passes
    assert receipt.certainty == pytest.approx(0.99 * 0.55 * 0.65 * 0.6, rel=1e-3)
    assert str(receipt).splitlines() == [
        "  2 x Tea",
        "  1 x c",
        *(f"  ? {one.text}" for one in receipt.questions),
        "3 items, 2 products, 3 to look at",
    ]


def test_the_same_receipt_passes_by_a_lower_limit():
    rows = [[0.99, 0.01, 0, 0], [0.9, 0.1, 0, 0]]
    assert receipt_of(rows, rule=BY_ITEMS, doubt=doubt_of(0.85)).passes
    receipt = receipt_of(rows, rule=BY_ITEMS, doubt=doubt_of(0.95))
    assert [one.text for one in receipt.questions] == ["not sure which: Tea 90 %, b 10 %"]
    assert receipt.to_dict()["questions"][0] == {
        "box": [20, 0, 30, 10],
        "reason": "name",
        "text": "not sure which: Tea 90 %, b 10 %",
        "counted": True,
        "sku": "a",
        "alternatives": [["a", 0.9], ["b", 0.1], ["c", 0.0]],
        "item": pytest.approx(1, abs=1e-4),
    }


def test_without_a_calibration_the_doubtful_items_are_the_questions():
    receipt = receipt_of([[0.95, 0.03, 0.02, 0], [0.51, 0.49, 0, 0]])
    assert [one.text for one in receipt.questions] == ["not sure which: Tea 51 %, b 49 %"]
    assert receipt.sure == receipt.items[:1]
    assert receipt.items[0].probability is None


def test_a_question_names_look_alikes_only_and_claims_no_certainty():
    row = [[0.4, 0.3, 0.3, 0.0]]
    receipt = receipt_of(row, rule=BY_ITEMS, doubt=doubt_of(0.9, ("a", "b")))
    assert receipt.questions[0].text == "cannot be told from this view: Tea or b"
    assert [share_text(p) for p in (0.0, 0.004, 0.5, 0.999, 1.0)] == [
        "< 1 %", "< 1 %", "50 %", "> 99 %", "> 99 %",
    ]  # fmt: skip


@pytest.mark.parametrize("doubt", [None, doubt_of(0.5)])
def test_what_the_detector_finds_and_is_none_of_the_skus_is_asked_about_and_not_counted(doubt):
    rows = [[0.99, 0.01, 0, 0], [0.05, 0.02, 0.03, 0.9]]
    receipt = receipt_of(rows, [0.9, 0.8], rule=BY_ITEMS, doubt=doubt)
    assert receipt.counts == {"a": 1}
    (asked,) = receipt.questions
    assert (asked.reason, asked.counted, asked.sku) == ("unknown", False, "a")
    assert asked.box == (20, 0, 30, 10)
    assert asked.text == "looks like none of the products, not counted; the nearest is Tea"
    assert not receipt.passes
    faint = receipt_of(rows, [0.9, 0.45], rule=BY_ITEMS, doubt=doubt)
    assert not faint.questions
    assert faint.passes == (doubt is not None)  # which knows how sure it is


@pytest.mark.parametrize(
    ("box", "rows"),
    [
        ([20, 0, 30, 10], [1]),  # on bare ground
        ([2, 2, 8, 8], []),  # a part of the item
        ([0, 0, 30, 12], []),  # around the item and more
        ([6, 0, 12, 10], []),  # 4 of its 6 px lie on the item
        ([8, 0, 18, 10], [1]),  # a fifth of either
    ],
)
def test_parts_of_items_and_boxes_around_them_are_no_unknown_product(box, rows):
    table = np.array([[1, 0, 0, 0], [0.1, 0, 0, 0.9]])
    found = Detections([[0, 0, 10, 10], box], [0.9, 0.9], [0, 0], [0.9, 0.09])
    assert unknown_rows(Seen(found, table), [0]).tolist() == rows


def test_a_thing_with_two_boxes_is_asked_about_once_by_the_surer_one():
    table = np.array([[0.1, 0, 0, 0.9], [0.1, 0, 0, 0.9]])
    found = Detections([[0, 0, 10, 10], [1, 0, 11, 10]], [0.8, 0.9], [0, 0], [0.08, 0.09])
    assert unknown_rows(Seen(found, table), []).tolist() == [1]


def test_a_box_that_is_nothing_for_sure_has_its_score_told_without_dividing_by_zero():
    found = Detections([[0, 0, 10, 10]], [0.9], [0], [0.0])
    assert unknown_rows(Seen(found, np.array([[0.0, 0, 0, 1.0]])), []).tolist() == []


def test_questions_are_drawn_in_their_own_colour():
    rows = [[0.99, 0.01, 0, 0], [0.55, 0.45, 0, 0], [0.2, 0, 0.2, 0.6]]
    asked = receipt_of(rows, rule=BY_ITEMS, doubt=doubt_of(0.9)).draw()
    plain = receipt_of(rows[:2], rule=BY_ITEMS, doubt=doubt_of(0.0)).draw()
    amber = [(picture == QUESTION).all(axis=2).sum() for picture in (asked, plain)]
    assert amber[0] > 500 > amber[1]
