"""Maps become boxes as a plain loop over all cells and classes makes them."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.inference.dense_head import DenseHead, suppressed
from rpc.structures import box_iou

HEAD = DenseHead((8, 16), 0.0, 0.1, 50, 0.6, 20, 0)


def maps(seed, head=HEAD, classes=3, spread=2.0):
    """Class scores, distances and objectness of both levels of a picture of 64 x 96 px."""
    rng = np.random.default_rng(seed)
    sizes = [(64 // stride, 96 // stride) for stride in head.strides]
    scores = [rng.normal(-2, spread, (classes, *size)).astype(np.float32) for size in sizes]
    sides = [rng.uniform(0, 40, (4, *size)).astype(np.float32) for size in sizes]
    objects = [rng.normal(1, spread, (1, *size)).astype(np.float32) for size in sizes]
    return scores, sides, objects


def by_loops(head, scores, sides, objects, shape):
    """The same boxes, cell by cell."""
    rows = []
    for stride, level, away, there in zip(head.strides, scores, sides, objects, strict=True):
        some = []
        for label, row, column in np.ndindex(level.shape):
            score = 1 / (1 + np.exp(-float(level[label, row, column])))
            if there is not None:
                score = (score / (1 + np.exp(-float(there[0, row, column])))) ** 0.5
            if score > head.score_threshold:
                left, up, right, down = map(float, away[:, row, column])
                x, y = (column + head.offset) * stride, (row + head.offset) * stride
                box = [x - left, y - up, x + right, y + down]
                box = [min(max(v, 0), most) for v, most in zip(box, shape[::-1] * 2, strict=True)]
                some.append((score, label, box))
        rows += sorted(some, key=lambda one: -one[0])[: head.candidates]
    least = head.least_side
    rows = [r for r in rows if r[2][2] - r[2][0] > least and r[2][3] - r[2][1] > least]
    kept = []
    for score, label, box in sorted(rows, key=lambda one: -one[0]):
        near = [b for _, known, b in kept if known == label and box_iou([b], [box]) > head.nms_iou]
        if not near and len(kept) < head.most:
            kept.append((score, label, box))
    return kept


@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.5]),
    st.floats(0.02, 0.6),
    st.integers(1, 60),
    st.floats(0.2, 0.9),
    st.integers(1, 30),
    st.booleans(),
)
def test_the_boxes_are_those_of_a_plain_loop(seed, offset, score, candidates, iou, most, joined):
    head = DenseHead((8, 16), offset, score, candidates, iou, most, 2)
    scores, sides, objects = maps(seed)
    boxes, found, labels = head.decode(scores, sides, objects if joined else [], (64, 96))
    expected = by_loops(head, scores, sides, objects if joined else [None] * 2, (64, 96))
    np.testing.assert_allclose(boxes, np.array([r[2] for r in expected]).reshape(-1, 4))
    np.testing.assert_allclose(found, [r[0] for r in expected])
    assert labels.tolist() == [r[1] for r in expected]


def test_nothing_above_the_threshold_is_no_box():
    scores, sides, _ = maps(0)
    head = dataclasses.replace(HEAD, score_threshold=1.0)
    boxes, found, labels = head.decode(scores, sides, [], (64, 96))
    assert boxes.shape == (0, 4)
    assert found.shape == labels.shape == (0,)


def test_boxes_of_several_labels_may_share_a_place_and_of_one_label_not():
    boxes = np.array([[0.0, 0, 10, 10], [0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]])
    assert suppressed(boxes, np.array([0, 1, 0, 0]), 0.6, 9).tolist() == [0, 1, 3]
    assert suppressed(boxes, np.array([0, 1, 0, 0]), 0.95, 9).tolist() == [0, 1, 2, 3]
    assert suppressed(boxes, np.array([0, 1, 0, 0]), 0.6, 2).tolist() == [0, 1]
    flat = np.zeros((3, 4))
    assert suppressed(flat, np.zeros(3, int), 0.0, 9).tolist() == [0, 1, 2]


@pytest.mark.parametrize("wrong", ["nan", "shape", "levels", "objects"])
def test_maps_that_do_not_fit_are_refused(wrong):
    scores, sides, objects = maps(0)
    if wrong == "nan":
        sides[1][0, 0, 0] = np.nan
    elif wrong == "shape":
        sides[0] = sides[0][:, :-1]
    elif wrong == "levels":
        scores, sides = scores[:1], sides[:1]
    else:
        objects = objects[:1]
    with pytest.raises(ValueError, match=r"^head: "):
        HEAD.decode(scores, sides, objects, (64, 96))


def test_a_head_comes_back_from_plain_values():
    assert DenseHead.from_dict(HEAD.to_dict()) == HEAD


@pytest.mark.parametrize(
    "changed",
    [
        {"strides": []},
        {"strides": [0]},
        {"strides": [8.0]},
        {"strides": [8] * 9},
        {"strides": "8"},
        {"candidates": 2.5},
        {"candidates": True},
        {"most": 10**9},
        {"score_threshold": float("nan")},
        {"nms_iou": "0.6"},
        {"least_side": None},
        {"more": 1},
    ],
)
def test_settings_of_another_kind_are_refused(changed):
    with pytest.raises(ValueError, match=r"^head"):
        DenseHead.from_dict({**HEAD.to_dict(), **changed})
    with pytest.raises(ValueError, match=r"^head"):
        DenseHead.from_dict(None)
