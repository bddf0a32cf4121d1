from __future__ import annotations

import math

import numpy as np
import pytest

from synth.compose.blend import paste
from synth.compose.shadow import Light, cast_shadow
from synth.compose.warp import Patch, Pose, warp_cutout

STRAIGHT = Pose(angle=0.0, scale=1.0, stretch=1.0, tilt=(0.0, 0.0))


def board(
    width: int = 21, height: int = 13, colour: tuple[int, int, int] = (200, 100, 50)
) -> Patch:
    rgba = np.empty((height, width, 4), dtype=np.uint8)
    rgba[:] = (*colour, 255)
    return warp_cutout(rgba, 1.0, STRAIGHT)


def test_an_unturned_cutout_is_itself() -> None:
    patch = board()
    assert patch.mask.shape == (13, 21)
    assert patch.area == 273
    assert (patch.rgb == (200, 100, 50)).all()


@pytest.mark.parametrize("scale", [0.2, 0.5, 0.9, 1.7])
def test_the_area_grows_with_the_square_of_the_scale(scale: float) -> None:
    rgba = np.full((100, 140, 4), 255, dtype=np.uint8)
    for angle in (0.0, 0.4, math.pi / 2, 4.0):
        patch = warp_cutout(rgba, scale, Pose(angle, 1.0, 1.0, (0.0, 0.0)))
        assert patch.area == pytest.approx(14_000 * scale**2, rel=0.1)


def test_tilt_makes_one_end_larger() -> None:
    rgba = np.full((100, 100, 4), 255, dtype=np.uint8)
    mask = warp_cutout(rgba, 1.0, Pose(0.0, 1.0, 1.0, (0.15, 0.0))).mask
    heights = mask.sum(axis=0)
    assert abs(int(heights[3]) - int(heights[-4])) > 8


def test_pasting_follows_alpha_linearly() -> None:
    canvas = np.full((30, 30, 3), 100, dtype=np.uint8)
    alpha = np.full((10, 10), 128, dtype=np.uint8)
    colour = np.full((10, 10, 3), 100, dtype=np.uint8)  # 200 multiplied by alpha
    paste(canvas, Patch(colour, alpha, (alpha >= 128).astype(np.uint8), 100), (25, -5))
    assert canvas[2, 27].tolist() == pytest.approx([150] * 3, abs=1)
    assert (canvas[5:] == 100).all()
    assert (canvas[:, :25] == 100).all()


def test_an_item_outside_changes_nothing() -> None:
    canvas = np.full((30, 30, 3), 100, dtype=np.uint8)
    paste(canvas, board(), (40, 40))
    cast_shadow(canvas, board(), (300, 300), Light((1.0, 0.0), 0.1, 0.1, 0.5, 0.5))
    assert (canvas == 100).all()


def test_a_shadow_darkens_near_the_item_and_fades() -> None:
    canvas = np.full((100, 100, 3), 200, dtype=np.uint8)
    cast_shadow(canvas, board(30, 30), (35, 35), Light((1.0, 0.0), 0.15, 0.08, 0.6, 0.3))
    assert canvas.max() <= 200
    assert canvas[50, 67, 0] < canvas[50, 32, 0] <= 200  # it falls to the right
    assert canvas[50, 67, 0] < 150
    assert canvas[3, 3, 0] >= 199
