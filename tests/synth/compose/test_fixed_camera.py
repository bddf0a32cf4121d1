"""The ground under products, put together from the photos of a camera that hangs still."""

import numpy as np
import pytest

from synth.compose.exemplar_backgrounds import empty_trays, remove_boxes, with_gap
from synth.compose.fixed_camera import fill_from_others

HEIGHT, WIDTH = 150, 180


def ground(stain=0.0):
    """A board under a vignette, with a stain that stays where it is."""
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    light = 210 * np.exp(-0.5 * (x**2 + y**2)) - stain * np.exp(-30 * ((x - 0.3) ** 2 + y**2))
    return light[..., None] * np.array([1.0, 0.98, 0.92])


def photos(count, seed=0, board=None):
    """Photos of trays with boxes: dark products with a shadow that reaches a little beyond."""
    rng = np.random.default_rng(seed)
    made, boxes = [], []
    for n in range(count):
        clean = ground() if board is None else board(n)
        photo = clean * np.exp(rng.normal(0, 0.08, 3)) + rng.normal(0, 1, clean.shape)
        its = []
        for _ in range(5):
            left, top = rng.integers(5, WIDTH - 45), rng.integers(5, HEIGHT - 45)
            photo[top - 3 : top + 38, left - 3 : left + 38] *= 0.8
            photo[top : top + 34, left : left + 34] = rng.integers(0, 255, 3)
            its.append((left, top, left + 34, top + 34))
        made.append(photo.clip(0, 255).astype(np.uint8))
        boxes.append(np.array(its, float))
    return made, boxes


def off(tray, clean, gap):
    """Largest smooth error in the gaps, in grey levels, for the best gain of each colour."""
    gain = np.median(tray[~gap] / clean[~gap], axis=0)
    return float(np.quantile(np.abs(tray - clean * gain)[gap], 0.95))


def test_what_a_product_hides_is_taken_from_photos_that_show_it():
    taken, boxes = photos(14)
    pairs = [with_gap(photo, its) for photo, its in zip(taken, boxes, strict=True)]
    trays = empty_trays(pairs)
    alone = [remove_boxes(photo, its) for photo, its in zip(taken, boxes, strict=True)]
    clean = ground()
    errors = [off(tray, clean, gap > 0) for tray, (_, gap) in zip(trays, pairs, strict=True)]
    before = [off(tray, clean, gap > 0) for tray, (_, gap) in zip(alone, pairs, strict=True)]
    assert max(errors) < 8
    assert np.median(errors) < 0.5 * np.median(before)


def test_a_stain_of_the_board_itself_stays():
    taken, boxes = photos(14, board=lambda n: ground(stain=60.0))
    gaps = [with_gap(photo, its)[1] > 0 for photo, its in zip(taken, boxes, strict=True)]
    covering = next(n for n, gap in enumerate(gaps) if gap[HEIGHT // 2, int(0.65 * WIDTH)])
    filled = fill_from_others(taken, gaps)[covering]
    y, x = HEIGHT // 2, int(0.65 * WIDTH)
    assert float(filled[y, x].mean()) < float(filled[y, x - 60].mean()) - 30


def test_photos_of_other_boards_are_left_to_inpainting():
    rng = np.random.default_rng(1)
    levels = rng.uniform(40, 220, (12, 5, 6, 3))
    boards = [np.kron(level, np.ones((30, 30, 1))) for level in levels]
    taken, boxes = photos(12, board=boards.__getitem__)
    gaps = [with_gap(photo, its)[1] > 0 for photo, its in zip(taken, boxes, strict=True)]
    assert fill_from_others(taken, gaps) == [None] * 12


def test_one_photo_of_another_place_is_told_from_the_rest():
    odd = np.kron(np.random.default_rng(2).uniform(30, 230, (5, 6, 3)), np.ones((30, 30, 1)))
    taken, boxes = photos(10, board=lambda n: odd if n == 4 else ground())
    gaps = [with_gap(photo, its)[1] > 0 for photo, its in zip(taken, boxes, strict=True)]
    filled = fill_from_others(taken, gaps)
    assert [n for n, one in enumerate(filled) if one is None] == [4]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_photos_are_left_to_inpainting(count):
    taken, boxes = photos(count)
    gaps = [with_gap(photo, its)[1] > 0 for photo, its in zip(taken, boxes, strict=True)]
    assert fill_from_others(taken, gaps) == [None] * count
    pairs = [with_gap(photo, its) for photo, its in zip(taken, boxes, strict=True)]
    alone = [remove_boxes(photo, its) for photo, its in zip(taken, boxes, strict=True)]
    for tray, one in zip(empty_trays(pairs), alone, strict=True):
        assert np.array_equal(tray, one)


def test_a_photo_full_of_products_gives_no_tray_and_a_place_that_none_shows_is_inpainted():
    taken, boxes = photos(6)
    everywhere = np.array([[0.0, 0, WIDTH, HEIGHT]])
    pairs = [with_gap(taken[0], everywhere)]
    pairs += [
        with_gap(photo, np.vstack([its[:2], [[60, 60, 90, 90]]]))
        for photo, its in zip(taken[1:], boxes[1:], strict=True)
    ]
    trays = empty_trays(pairs)
    assert trays[0] is None
    assert all(tray is not None and tray.shape == (HEIGHT, WIDTH, 3) for tray in trays[1:])
