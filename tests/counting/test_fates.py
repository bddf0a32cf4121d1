from dataclasses import asdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rpc.counting import CountingRule, ItemFates, item_fates
from rpc.structures import Detections

RULE = CountingRule(0.5, agnostic_iou=0.5, agnostic_containment=0.9, counts_by="item_score")


def square(x, y=0, side=10):
    return [x, y, x + side, y + side]


def truth(*boxes):
    return Detections(boxes, np.ones(len(boxes)), np.arange(len(boxes)))


def fates(found, true, rule=RULE):
    return item_fates(found, rule.apply(found), true, rule)


def test_each_way_to_lose_or_to_add_an_item_is_told_apart():
    true = truth(square(0), square(20), square(40), square(60), square(80))
    boxes = [
        square(0),  # right
        square(20),  # named as SKU 0
        square(40),  # below the threshold
        [60, 0, 76, 16],  # on no item enough, 0.39 of the fourth one: a double of nothing counted
        square(200),  # background
        [0, 0, 6, 6],  # a part of the first item, of another SKU
    ]
    rule = CountingRule(0.5, counts_by="item_score")
    found = Detections(boxes, [0.5] * 6, [0, 0, 2, 3, 1, 1], [0.9, 0.9, 0.4, 0.3, 0.9, 0.8])
    told = fates(found, true, rule)
    assert told == ItemFates(
        right=1, misnamed=1, below_threshold=1, no_box=2, doubles=1, background=1
    )
    assert told.items == 5
    assert fates(found, true) == ItemFates(  # the part is dropped as a duplicate
        right=1, misnamed=1, below_threshold=1, no_box=2, background=1
    )


def test_an_item_whose_box_goes_as_a_duplicate_is_told():
    true = truth([0, 0, 40, 40], [5, 5, 15, 15])  # a small product in front of a large one
    found = Detections(true.boxes, [0.9, 0.9], [0, 1], [0.9, 0.8])
    assert fates(found, true) == ItemFates(right=1, suppressed=1)
    assert fates(found, true, CountingRule(0.5)) == ItemFates(right=2)


@given(st.integers(0, 8), st.integers(0, 8), st.integers(0, 999))
def test_every_item_and_every_counted_box_has_one_fate(boxes, items, seed):
    rng = np.random.default_rng(seed)
    corner, side = rng.uniform(0, 30, (boxes + items, 2)), rng.uniform(5, 20, (boxes + items, 2))
    places = np.concatenate([corner, corner + side], axis=1)
    found = Detections(places[:boxes], rng.random(boxes), rng.integers(0, 3, boxes))
    true = Detections(places[boxes:], np.ones(items), rng.integers(0, 3, items))
    told = fates(found, true)
    assert told.items == items
    counted = told.right + told.misnamed + told.doubles + told.background
    assert counted == len(RULE.apply(found))
    assert asdict(told + ItemFates(right=2)) == asdict(told) | {"right": told.right + 2}


def test_nothing_found_and_nothing_there():
    assert fates(Detections.empty(), truth()) == ItemFates()
    assert fates(Detections.empty(), truth(square(0))) == ItemFates(no_box=1)
