"""Sets with known differences: what is alike stands at the floor, what differs above it."""

from dataclasses import asdict

import numpy as np
import pytest

from synth.quality.compare import LEAST, compare_halves, compare_set, photos_a_side
from synth.quality.kernel_distance import PhotoKernels
from synth.quality.measure import Measured


def measured(count, seed=0, shift=0.0, **figures):
    rng = np.random.default_rng(seed)
    views = {
        "look": rng.normal(size=(count, 4, 6)) + shift,
        "tray": rng.normal(size=(count, 1, 6)) + shift,
    }
    light = [np.array([value]) for value in rng.normal(5 + shift, 1, count)]
    return Measured(views, {"light": light, **figures})


def chance():
    return np.random.default_rng(7)


def test_a_set_like_the_real_photos_stands_at_the_floor_and_another_above_it():
    real = measured(40)
    floor = compare_halves(real, chance())
    alike, other = (compare_set(measured(60, 1, s), real, chance()) for s in (0.0, 1.0))
    for view in ("look", "tray"):
        assert floor.kernel[view].value == 0
        spread = floor.kernel[view].spread
        assert abs(alike.kernel[view].value) < 3 * spread < 10 * spread < other.kernel[view].value
        assert 0 < floor.frechet[view].value < 2 * alike.frechet[view].value
        assert alike.frechet[view].value < 2 * floor.frechet[view].value
        assert other.frechet[view].value > floor.frechet[view].value + 4
    assert alike.figures["light"].value < 0.5 < 0.8 < other.figures["light"].value


def test_the_floors_spread_is_how_far_halves_differ():
    """Over all ways to halve one set the kernel distance is 0 on average."""
    real = measured(12)
    view = real.views["tray"]
    rng = np.random.default_rng(0)
    values = []
    for _ in range(4000):
        left, right = np.split(rng.permutation(12), 2)
        values.append(PhotoKernels.of(view[left], view[right]).distance())
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(4000)
    spread = compare_halves(real, chance()).kernel["tray"].spread
    assert spread == pytest.approx(np.std(values), rel=0.15)


def test_the_same_chance_gives_the_same_comparison():
    real, scenes = measured(10), measured(11, 1)
    assert asdict(compare_set(scenes, real, chance())) == asdict(
        compare_set(scenes, real, chance())
    )


def test_figures_that_one_side_lacks_are_left_out():
    real = measured(10, items=[np.array([3.0])] * 10)
    assert "items" not in compare_set(measured(10, 1), real, chance()).figures
    assert compare_halves(real, chance()).figures["items"].value == 0
    others = measured(10, 1, items=[np.array([4.0])] * 10)
    assert compare_set(others, real, chance()).figures["items"] is None
    empty = measured(10, 1, items=[np.zeros(0)] * 10)
    assert compare_set(empty, real, chance()).figures["items"] is None


def test_too_few_photos_or_scenes_are_refused_with_how_many_it_needs():
    assert photos_a_side(LEAST) == LEAST // 2
    with pytest.raises(ValueError, match="9 real photos are too few for a distance; expected 10"):
        compare_halves(measured(9), chance())
    with pytest.raises(ValueError, match="4 scenes are too few beside 10 photos; make 5"):
        compare_set(measured(4), measured(10), chance())
