"""Figures of drawn pictures whose noise, blur, light and colour are known."""

import cv2
import numpy as np
import pytest

from synth.quality.ground import ground_mask
from synth.quality.statistics import STATISTICS, edge_width, noise_level, photo_statistics


def step(sigma, size=200):
    """A straight edge of 150 grey levels, a little aslant, blurred by a Gaussian."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    grey = np.where(x + 0.13 * y > size / 2, 200, 50).astype(np.float32)
    return cv2.GaussianBlur(grey, (0, 0), sigma)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0, 2.5])
def test_the_width_of_an_edge_is_the_sigma_of_its_blur(sigma):
    # The central difference adds a box of two pixels: variance 1 / 3.
    expected = np.sqrt(sigma**2 + 1 / 3)
    assert edge_width(step(sigma)) == pytest.approx(expected, rel=0.06)


def test_the_width_does_not_depend_on_the_edges_contrast():
    weak, strong = step(1.5) * 0.4, step(1.5)
    assert edge_width(weak) == pytest.approx(edge_width(strong), rel=0.02)


@pytest.mark.parametrize("sigma", [1.0, 3.0, 10.0])
def test_noise_is_found_beside_print(sigma):
    rng = np.random.default_rng(0)
    grey = np.full((240, 240), 128, np.float32)
    grey[:, :96] = 60 + 120 * rng.integers(0, 2, (30, 12)).repeat(8, axis=0).repeat(8, axis=1)
    noisy = grey + rng.normal(0, sigma, grey.shape).astype(np.float32)
    assert noise_level(noisy) == pytest.approx(sigma, rel=0.06)


def test_a_slope_of_light_is_no_noise():
    slope = np.add.outer(np.arange(90), 0.5 * np.arange(120)).astype(np.float32) + 20
    assert noise_level(slope) == pytest.approx(0, abs=1e-4)


def test_what_cannot_be_told_is_not_a_number():
    assert np.isnan(noise_level(np.full((40, 40), 255, np.float32)))
    assert np.isnan(edge_width(np.full((40, 40), 90, np.float32)))


def tray(colour=(200, 200, 200), share=0.25):
    """A ground of one colour with a red item on this share of it."""
    rgb = np.full((200, 200, 3), colour, np.uint8)
    rgb[:, : round(200 * share)] = (180, 30, 30)
    return rgb


@pytest.mark.parametrize("share", [0.1, 0.25, 0.4])
def test_the_ground_is_what_the_items_leave(share):
    assert photo_statistics(tray(share=share))["ground"] == pytest.approx(1 - share, abs=0.03)


def test_the_ground_stays_the_ground_where_light_falls_off():
    light = np.linspace(1.0, 0.75, 200)[:, None, None]
    assert ground_mask((tray() * light).astype(np.uint8)).mean() == pytest.approx(0.75, abs=0.03)


def test_light_and_colour_are_told_in_their_units():
    figures = photo_statistics(tray((220, 180, 110), share=0))
    assert list(figures) == list(STATISTICS)
    luma = 0.299 * 220 + 0.587 * 180 + 0.114 * 110
    assert figures["brightness"] == pytest.approx(luma / 255, abs=1e-3)
    assert figures["contrast"] == pytest.approx(0, abs=1e-3)
    assert figures["saturation"] == pytest.approx(110 / 255)
    assert figures["warmth"] == pytest.approx(np.log2(221 / 111))
    assert figures["tint"] == pytest.approx(np.log2(181**2 / (221 * 111)))
    assert figures["ground"] == 1
    assert figures["noise"] == pytest.approx(0, abs=1e-4)
    assert figures["detail"] == pytest.approx(0, abs=1e-4)
    assert np.isnan(figures["edge_width"])


def test_a_dark_or_tiny_photo_has_figures():
    for shape in ((1, 1, 3), (2, 300, 3), (128, 128, 3)):
        figures = photo_statistics(np.zeros(shape, np.uint8))
        assert figures["brightness"] == 0
        assert figures["ground"] == 1
