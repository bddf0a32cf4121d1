from __future__ import annotations

import numpy as np
import pytest

from synth.compose.photometric import vary_camera
from synth.compose.sensor import LightField, add_grain, multiply_field

GREY = np.full((70, 90, 3), 130, dtype=np.uint8)


def test_a_camera_is_a_function_of_its_chance() -> None:
    first = [vary_camera(GREY, np.random.default_rng([1, i])) for i in range(6)]
    again = [vary_camera(GREY, np.random.default_rng([1, i])) for i in reversed(range(6))][::-1]
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.shape == GREY.shape
        assert one.dtype == np.uint8
    assert not np.array_equal(first[0], first[1])


def test_strength_zero_leaves_the_image_alone() -> None:
    assert vary_camera(GREY, np.random.default_rng(0), 0.0) is GREY


def test_cameras_cover_dark_and_noisy_ones() -> None:
    photos = [vary_camera(GREY, np.random.default_rng([2, i])).astype(float) for i in range(60)]
    light = np.array([photo[25:45, 35:55].mean() for photo in photos])
    noise = np.array([np.diff(photo[25:45, 35:55], axis=0).std() for photo in photos])
    assert light.min() < 100
    assert light.max() > 150
    assert np.quantile(noise, 0.1) < 1
    assert noise.max() > 4


@pytest.mark.parametrize("shape", [(40, 60), (700, 600)])  # smaller and larger than a tile
def test_grain_has_the_strength_that_was_asked_for(shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), 128, dtype=np.uint8)
    grain = add_grain(image, 6.0, 0, (500, 13)).astype(float)
    assert grain.std() == pytest.approx(6.0, rel=0.1)
    assert grain.mean() == pytest.approx(128, abs=0.5)
    np.testing.assert_array_equal(add_grain(image, 0.0, 0, (0, 0)), image)


def test_a_light_field_darkens_corners_only() -> None:
    field = LightField(vignette=(0.4, 0.4), slope=0.0)
    lit = field.apply(GREY, loss=0.4)
    assert lit[35, 45, 0] == pytest.approx(130, abs=2)
    assert lit[0, 0, 0] == pytest.approx(130 * 0.6, abs=2)


def test_a_field_of_one_changes_nothing() -> None:
    np.testing.assert_array_equal(multiply_field(GREY, np.ones((4, 4))), GREY)
