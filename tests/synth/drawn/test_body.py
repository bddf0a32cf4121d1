"""Bodies of drawn packages: what is print stays print, and the rest is what it is meant to be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.drawn import draw_package
from synth.drawn.body import folds, with_body
from synth.drawn.package import FORMS

PALETTE = np.array([[200, 30, 40], [20, 90, 200], [250, 250, 245], [20, 25, 30], [250, 200, 0]])
PALETTE = PALETTE.astype(np.uint8)


def print_of(height=200, width=80):
    """A print that no body has: a green and violet chessboard."""
    squares = np.add.outer(np.arange(height) // 8, np.arange(width) // 8) % 2
    return np.where(squares[..., None] == 0, [0, 255, 0], [160, 0, 255]).astype(np.uint8)


def printed(surface):
    """Rows (H,) that show the print: both of its colours."""
    colours = surface.astype(int)
    green = (colours[..., 1] > 150) & (colours[..., 0] < 90)
    violet = (colours[..., 2] > 150) & (colours[..., 1] < 90)
    return (green.mean(axis=1) > 0.3) & (violet.mean(axis=1) > 0.3)


def body(form, seed):
    return with_body(form, print_of(), PALETTE, np.random.default_rng(seed))


def test_a_bottle_has_its_print_on_a_label_below_the_cap():
    labels = [printed(body("bottle", seed)) for seed in range(30)]
    partly = [rows for rows in labels if not rows.all()]
    assert 15 <= len(partly) < 30  # some are printed from top to bottom
    for rows in partly:
        shown = np.flatnonzero(rows)
        assert shown.min() >= 0.38 * len(rows)
        assert shown.max() <= 0.93 * len(rows)
        assert len(shown) >= 0.1 * len(rows)


@pytest.mark.parametrize(
    ("form", "above", "below"),
    [
        ("can", True, True),
        ("pouch", True, True),
        ("bar", True, True),
        ("cup", True, False),
        ("tube", False, True),
    ],
)
def test_rims_seams_and_caps_are_where_the_form_has_them(form, above, below):
    for seed in range(20):
        rows = printed(body(form, seed))
        assert rows[60:140].all()
        assert (not rows[0], not rows[-1]) == (above, below)


def test_a_cartons_side_is_as_high_as_its_front_and_a_card_has_none():
    sides = 0
    for seed in range(30):
        found = body("carton", seed)
        edge = [found[:, column].std(axis=0).max() for column in (0, -1)]
        sides += min(edge) == 0
    assert 8 <= sides <= 22
    assert np.array_equal(body("card", 1), print_of())


@given(st.integers(0, 99), st.integers(20, 200), st.integers(20, 200))
@settings(max_examples=30)
def test_folds_lighten_and_darken_and_change_no_mean_much(seed, height, width):
    factor = folds(height, width, np.random.default_rng(seed))
    assert factor.shape == (height, width, 1)
    assert 0.6 < factor.min() < 1 < factor.max() < 1.4
    assert abs(factor.mean() - 1) < 0.15


def test_the_corners_of_a_bag_stand_out_and_the_body_is_the_same_on_every_photo():
    bags = [n for n in range(60) if _form(n) == "pouch"]
    assert len(bags) >= 3
    flat = bodied = 0
    for bag in bags:
        flat += _filled(draw_package(0, bag, "front", 0))
        bodied += _filled(draw_package(0, bag, "front", 0, bodied=True))
    assert bodied < flat - 0.02 * len(bags)
    bottles = [n for n in range(60) if _form(n) == "bottle"]
    for bottle in bottles[:4]:
        one, two = (
            draw_package(0, bottle, "front", photo, bodied=True)[..., :3].astype(int)
            for photo in (0, 1)
        )
        assert np.median(np.abs(one - two)) < 60  # the light differs, the content does not


def _form(product):
    return FORMS[int(np.random.default_rng([0, product]).integers(len(FORMS)))]


def _filled(picture):
    """Share of the picture that the package covers."""
    return (picture[..., 3] > 127).mean()
