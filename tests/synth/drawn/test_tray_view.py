"""Invented looks at a package: repeatable, tight, different."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.drawn import draw_package, tray_view

PACKAGE = draw_package(0, 1, "front", 0)
OTHERS = [draw_package(0, n, "front", 0) for n in (5, 9)]


@given(st.integers(0, 1000))
@settings(max_examples=15)
def test_a_view_is_the_same_every_time_and_looks_like_a_crop(seed):
    first = tray_view(PACKAGE, OTHERS, np.random.default_rng(seed))
    assert np.array_equal(first, tray_view(PACKAGE, OTHERS, np.random.default_rng(seed)))
    assert first.dtype == np.uint8
    assert first.shape[2] == 3
    assert 40 < max(first.shape[:2]) < 320


def test_a_view_without_neighbours_is_mostly_the_package():
    red = np.zeros((200, 120, 4), np.uint8)
    red[..., 0] = red[..., 3] = 255
    shares = []
    for seed in range(12):
        view = tray_view(red, [], np.random.default_rng(seed)).astype(int)
        shares.append((view[..., 0] > view[..., 1] + 60).mean())
    assert min(shares) > 0.35  # a diagonal strip leaves the box's corners to the ground
    assert np.median(shares) > 0.5


def test_views_differ():
    first, second = (tray_view(PACKAGE, OTHERS, np.random.default_rng(n)) for n in (1, 2))
    assert first.shape != second.shape or not np.array_equal(first, second)
