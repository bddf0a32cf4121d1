from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from synth.compose.heap import Heap, clip_window


def square(side: int) -> np.ndarray:
    return np.ones((side, side), dtype=np.uint8)


def test_an_item_may_hide_half_of_another_but_not_more() -> None:
    heap = Heap(40, 40, [100, 100])
    heap.add(square(10), (10, 10))
    floors = np.array([0.5, 0.5])
    assert heap.accepts(square(10), (15, 10), floors)
    assert not heap.accepts(square(10), (14, 10), floors)


def test_an_item_that_reaches_out_counts_as_hidden_there() -> None:
    heap = Heap(40, 40, [100])
    assert heap.accepts(square(10), (-5, 0), np.array([0.5]))
    assert not heap.accepts(square(10), (-6, 0), np.array([0.5]))
    assert not heap.accepts(square(10), (50, 50), np.array([0.5]))


def test_a_hole_hides_nobody() -> None:
    ring = square(20)
    ring[2:-2, 2:-2] = 0
    heap = Heap(40, 40, [100, int(ring.sum())])
    heap.add(square(10), (10, 10))
    assert heap.accepts(ring, (5, 5), np.array([1.0, 1.0]))


@given(st.lists(st.tuples(st.integers(-8, 38), st.integers(-8, 38)), min_size=1, max_size=6))
def test_what_is_in_sight_is_what_the_map_says(corners: list[tuple[int, int]]) -> None:
    heap = Heap(40, 40, [64] * len(corners))
    for corner in corners:
        heap.add(square(8), corner)
    counts = [int((heap.owners == number).sum()) for number in range(len(corners))]
    assert heap.in_sight.tolist() == counts


@given(st.tuples(st.integers(-30, 60), st.integers(-30, 60)))
def test_a_window_and_its_part_have_one_size(corner: tuple[int, int]) -> None:
    image, patch = np.zeros((40, 30)), np.zeros((12, 9))
    window, part = clip_window(patch.shape, corner, image.shape)
    assert image[window].shape == patch[part].shape
