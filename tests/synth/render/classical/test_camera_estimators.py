"""Injected values are found again: board, light, blur, noise, compression."""

import cv2
import numpy as np
import pytest

from synth.render.classical.board import board_matte, find_board, light_basis
from synth.render.classical.camera_statistics import CameraStatistics, measure_camera
from synth.render.classical.grain import Grain, add_noise, blockiness, measure_grain
from synth.render.classical.sharpness import edge_blur, match_blur
from synth.render.colours import from_log, from_opponent, to_log, to_opponent, to_opponent_vector
from tests.synth.render.drawn_trays import BOARD, tray


def jpeg(rgb, quality):
    data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].copy()


def shapes(seed=0, side=400):
    """Hard-edged shapes: every edge is an ideal step."""
    rng = np.random.default_rng(seed)
    rgb = np.full((side, side, 3), 190, np.uint8)
    for _ in range(25):
        corners = rng.integers(0, side, (1, 2)) + rng.integers(-50, 50, (4, 2))
        colour = [int(c) for c in rng.integers(20, 250, 3)]
        cv2.fillConvexPoly(rgb, cv2.convexHull(corners.astype(np.int32)), colour)
    return rgb


def lit(rgb, light):
    gain = np.exp(np.tensordot(np.array(light), light_basis(*rgb.shape[:2]), 1))
    return (rgb * gain[..., None]).round().clip(0, 255).astype(np.uint8)


def test_colours_come_back_from_logarithms_and_opponent_terms():
    rgb = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    log = to_log(rgb)
    assert np.allclose(from_log(log), rgb, atol=0.01)
    assert np.allclose(from_opponent(to_opponent(rgb)), log, atol=1e-4)
    assert np.allclose(to_opponent_vector(log), to_opponent(rgb), atol=1e-5)


@pytest.mark.parametrize("board", [BOARD, (80, 82, 85), (60, 180, 130), (225, 130, 40)])
def test_the_boards_colour_is_found_between_products(board):
    found = find_board(tray(2, 7, board)[0])
    assert np.allclose(from_log(found.colour[None, None])[0, 0], board, atol=3)
    assert found.share > 0.4


@pytest.mark.parametrize("light", [(0, 0, 0), (0, 0, -0.35), (0.12, -0.08, -0.2)])
def test_the_light_and_vignette_are_found(light):
    found = find_board(lit(tray(4, 6)[0], light))
    assert np.allclose(found.light, light, atol=0.035)


def test_the_matte_is_board_and_not_products():
    rgb, masks, _ = tray(5, 6, (60, 180, 130))
    matte = board_matte(rgb, find_board(rgb))
    items = np.any(masks, axis=0)
    inner = cv2.erode(items.astype(np.uint8), np.ones((7, 7))) > 0
    outer = cv2.dilate(items.astype(np.uint8), np.ones((9, 9))) == 0
    assert matte[outer].mean() > 0.98
    assert matte[inner].mean() < 0.05


@pytest.mark.parametrize("sigma", [0.6, 0.9, 1.3, 2.0])
def test_the_blur_of_steps_is_found(sigma):
    blurred = cv2.GaussianBlur(shapes(), (0, 0), sigma)
    assert edge_blur(blurred) == pytest.approx(sigma, abs=0.1)


def test_noise_hardly_moves_the_blur():
    blurred = cv2.GaussianBlur(shapes(), (0, 0), 1.2).astype(float)
    noise = np.random.default_rng(1).normal(0, 4, blurred.shape)
    assert edge_blur((blurred + noise).clip(0, 255).astype(np.uint8)) == pytest.approx(1.2, abs=0.2)


def test_blurring_comes_to_the_width_asked_for_and_sharpening_stays_mild():
    soft = cv2.GaussianBlur(shapes(), (0, 0), 0.8)
    assert edge_blur(match_blur(soft, 0.8, 1.5)) == pytest.approx(1.5, rel=0.1)
    overshoot = match_blur(soft, 3.0, 0.3).astype(int) - soft
    assert np.abs(overshoot).max() < 0.35 * 255
    assert match_blur(soft, 1.0, 1.0) is soft


def test_an_image_without_edges_tells_no_blur():
    assert edge_blur(np.full((64, 64, 3), 120, np.uint8)) is None


@pytest.mark.parametrize(("sigma", "size"), [(2.0, 0.0), (5.0, 0.0), (4.0, 0.7)])
def test_the_noise_and_its_coarseness_are_found(sigma, size):
    rgb = lit(np.full((320, 320, 3), 150, np.uint8), (0.1, 0.1, -0.2)).astype(np.float32)
    grain = Grain(sigma**2, 0.0, size, 0.5)
    noisy = add_noise(rgb, grain, np.full((320, 320), sigma**2), np.random.default_rng(2))
    found = measure_grain(noisy.round().clip(0, 255).astype(np.uint8))
    assert np.sqrt(found.variance(150.0)) == pytest.approx(sigma, rel=0.15)
    assert found.size == pytest.approx(size, abs=0.2)
    assert found.common == pytest.approx(0.5, abs=0.1)


def test_noise_that_grows_with_light_is_found():
    steps = np.repeat(np.linspace(20, 230, 8), 40)
    rgb = np.broadcast_to(steps[None, :, None], (320, 320, 3)).astype(np.float32)
    truth = Grain(2.0, 30.0, 0.0, 0.0)
    noisy = add_noise(rgb, truth, truth.variance(rgb[..., 0]), np.random.default_rng(3))
    found = measure_grain(noisy.round().clip(0, 255).astype(np.uint8))
    for level in (40.0, 130.0, 220.0):
        assert found.variance(level) == pytest.approx(truth.variance(level), rel=0.25, abs=1)


def test_print_does_not_pass_for_noise():
    found = measure_grain(tray(6, 6)[0])
    assert np.sqrt(found.variance(180.0)) == pytest.approx(1.05, abs=0.25)  # and rounding


def test_an_image_too_small_for_patches_tells_no_noise():
    assert measure_grain(np.full((20, 20, 3), 120, np.uint8)) is None


def test_blocks_show_more_the_harder_the_compression():
    rgb = cv2.GaussianBlur(tray(7, 7)[0], (0, 0), 1.0)
    shown = [blockiness(jpeg(rgb, quality)) for quality in (20, 50, 90)]
    assert abs(blockiness(rgb)) < 0.1
    assert shown[0] > shown[1] > shown[2]


def test_a_row_of_numbers_gives_the_statistics_back():
    found = measure_camera(tray(8, 5)[0])[0]
    row = found.to_row()
    assert np.array_equal(CameraStatistics.from_row(row).to_row(), row.astype(np.float32))
    nothing = CameraStatistics(None, None, None, None)
    assert CameraStatistics.from_row(nothing.to_row()) == nothing
