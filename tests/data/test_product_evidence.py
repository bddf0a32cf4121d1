"""Signs that a guess is not the product: detail beyond it, and the ground in shadow within it."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.product_evidence import Guess, edges_beyond, shadow_share


def board(seed=0, grey=225):
    noise = np.random.default_rng(seed).normal(0, 1.5, (240, 320, 1))
    return np.clip(np.full((240, 320, 3), float(grey)) + noise, 0, 255)


def picture(canvas):
    return cv2.GaussianBlur(canvas, (0, 0), 0.6).round().astype(np.uint8)


def bottle(rim):
    """A green label on clear glass, whose rim is `rim` levels darker than the board."""
    canvas = board()
    cv2.rectangle(canvas, (110, 20), (210, 220), (225.0 - rim,) * 3, 2)
    cv2.rectangle(canvas, (110, 100), (210, 150), (30, 110, 60), -1)
    return picture(canvas), Guess.of_box((110, 100, 211, 151))


def shadowed(strength):
    """An orange carton whose shadow falls to its right; the guess holds both."""
    canvas = board()
    canvas[60:190, 100:220] *= 1 - strength
    cv2.rectangle(canvas, (100, 60), (180, 180), (220, 150, 30), -1)
    return picture(canvas), Guess.of_box((100, 60, 220, 190))


def test_the_rest_of_a_bottle_around_its_label_is_seen():
    label = edges_beyond(*bottle(rim=40))
    assert label > edges_beyond(*bottle(rim=0)) + 0.02
    rgb, _ = bottle(rim=40)
    assert edges_beyond(rgb, Guess.of_box((108, 18, 213, 223))) < 0.01


@pytest.mark.parametrize("strength", [0.2, 0.4, 0.7])
def test_a_shadow_in_the_guess_is_seen_and_the_product_is_none(strength):
    rgb, guess = shadowed(strength)
    truth = 1 - 81 * 121 / (120 * 130)
    assert shadow_share(rgb, guess) == pytest.approx(truth, abs=0.12)
    assert shadow_share(rgb, Guess.of_box((100, 60, 181, 181))) < 0.02


def test_a_mask_counts_where_it_lies_at_any_zoom():
    rgb, guess = shadowed(0.4)
    mask = np.zeros((65, 60), bool)
    mask[:, :] = True
    half = Guess(mask, 100, 60, 0.5)
    assert half.box() == (100, 60, 220, 190)
    assert shadow_share(rgb, half) == pytest.approx(shadow_share(rgb, guess), abs=0.02)


def test_an_empty_guess_and_one_that_is_the_photo_say_nothing():
    rgb = picture(board())
    for guess in (Guess(np.zeros((9, 9), bool)), Guess.of_box((0, 0, 320, 240))):
        assert edges_beyond(rgb, guess) == 0
        assert shadow_share(rgb, guess) == 0


@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.tuples(*[st.floats(-20, 70) for _ in range(2)], *[st.floats(0, 80) for _ in range(2)]),
    st.integers(0, 9),
)
def test_any_photo_and_any_box_give_a_share(height, width, box, seed):
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    x, y, w, h = box
    guess = Guess.of_box((x, y, x + w, y + h))
    assert 0 <= edges_beyond(rgb, guess) <= 1
    assert 0 <= shadow_share(rgb, guess) <= 1
