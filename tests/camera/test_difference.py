import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpc.camera.difference import changed_cells, noise_between, reaching_in, small_picture


def tray(seed=0, items=3, size=(240, 320)):
    """A grey tray with coloured rectangles."""
    rng = np.random.default_rng(seed)
    picture = np.full((*size, 3), 170, np.uint8)
    for _ in range(items):
        x, y = rng.integers(40, 200), rng.integers(40, 150)
        colour = [int(c) for c in rng.integers(0, 255, 3)]
        cv2.rectangle(picture, (int(x), int(y)), (int(x) + 60, int(y) + 50), colour, -1)
        cv2.putText(picture, "TEA", (int(x) + 5, int(y) + 30), 0, 0.8, (255, 255, 255), 2)
    return picture


def lit(picture, gain=1.0, bias=0.0):
    return np.clip(picture * gain + bias, 0, 255).round().astype(np.uint8)


def changes(a, b, noise=0.0):
    return int(changed_cells(small_picture(a), small_picture(b), noise).sum())


@settings(max_examples=20)
@given(seed=st.integers(0, 20), gain=st.floats(0.7, 1.3), bias=st.floats(-15, 15))
def test_light_that_changes_by_a_third_is_no_change(seed, gain, bias):
    assert changes(tray(seed), lit(tray(seed), gain, bias)) == 0


@pytest.mark.parametrize("tint", [(1.15, 1.0, 0.85), (0.85, 1.0, 1.2)])
def test_another_colour_of_light_is_no_change(tint):
    assert changes(tray(), lit(tray(), np.array(tint))) == 0


def test_the_soft_shadow_of_a_person_is_no_change():
    x = np.arange(320)
    shade = 1 - 0.4 / (1 + np.exp(-(x - 160) / 12))  # 48 px from 10 to 90 % of it
    assert changes(tray(), lit(tray(), shade[None, :, None])) == 0


@pytest.mark.parametrize("sigma", [2.0, 6.0, 12.0])
def test_noise_is_no_change_once_it_is_known(sigma):
    rng = np.random.default_rng(1)
    a, b, c = (lit(tray(), bias=rng.normal(0, sigma, (240, 320, 3))) for _ in range(3))
    noise = noise_between(small_picture(a), small_picture(b))
    assert changes(b, c, noise) == 0
    assert changes(b, lit(tray(items=4), bias=rng.normal(0, sigma, (240, 320, 3))), noise) > 10


def test_noise_is_measured_beside_movement():
    rng = np.random.default_rng(2)
    a, b = (lit(tray(), bias=rng.normal(0, 5, (240, 320, 3))) for _ in range(2))
    still = noise_between(small_picture(a), small_picture(b))
    b[:120, :200] = 20
    assert noise_between(small_picture(a), small_picture(b)) == pytest.approx(still, rel=0.2)


def test_a_focus_that_pulses_is_no_change():
    assert changes(tray(), cv2.GaussianBlur(tray(), (0, 0), 1.5)) == 0


@settings(max_examples=20)
@given(seed=st.integers(0, 30))
def test_an_item_more_or_less_and_one_moved_are_changes(seed):
    with_item, without = tray(seed, 3), tray(seed, 2)
    there = small_picture(with_item)
    if np.abs(with_item.astype(int) - without).mean() > 1:  # not hidden behind nor like others
        assert changes(without, with_item) >= 3
    assert changes(with_item, np.roll(with_item, 12, axis=1)) >= 3
    assert changed_cells(there, there).sum() == 0


def test_only_the_region_is_looked_at():
    a, b = tray(), tray()
    b[:, 250:] = 0
    region = (0.0, 0.0, 0.75, 1.0)
    assert changes(a, b) > 10
    assert changed_cells(small_picture(a, region), small_picture(b, region)).sum() == 0


def test_only_what_touches_the_edge_reaches_in():
    cells = np.zeros((30, 40), bool)
    cells[10:15, 10:20] = True  # an item
    cells[20, 30:40] = True
    cells[20, 33] = False  # a gap in an arm's outline
    reaching = reaching_in(cells, 3)
    assert reaching[20, 30]
    assert not reaching[10:15, 10:20].any()
    assert not reaching_in(np.eye(30, 40, dtype=bool) & (np.arange(40) < 2), 3).any()


def test_what_is_no_picture_is_refused():
    with pytest.raises(ValueError, match="uint8 RGB"):
        small_picture(np.zeros((4, 4), np.uint8))
    with pytest.raises(ValueError, match="one shape"):
        changed_cells(small_picture(tray()), small_picture(tray(size=(320, 320))))
