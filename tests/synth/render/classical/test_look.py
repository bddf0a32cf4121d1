"""What products of scenes lack beside those on photos, and when photos are too few to tell."""

import numpy as np
import pytest

from synth.render.classical.camera_statistics import ItemsLook
from synth.render.classical.look import Look, match_look


def looks(seed, count, spread=0.1, shift=(0.0, 0.0, 0.0), contrast=0.4, saturation=0.8):
    rng = np.random.default_rng(seed)
    colours = np.array([-1.2, 0.2, -0.3]) + np.asarray(shift) + rng.normal(0, spread, (count, 3))
    return [
        ItemsLook(colour, contrast * float(np.exp(c)), saturation * float(np.exp(s)), -0.1)
        for colour, (c, s) in zip(colours, rng.normal(0, 0.05, (count, 2)), strict=True)
    ]


def test_a_clear_difference_of_many_photos_is_taken_nearly_whole():
    wanted = looks(1, 60, shift=(-0.3, 0.1, -0.15), contrast=0.48, saturation=0.6)
    found = match_look(looks(0, 60), wanted)
    assert found.shift == pytest.approx((-0.3, 0.1, -0.15), abs=0.06)
    assert found.contrast == pytest.approx(1.2, abs=0.06)
    assert found.saturation == pytest.approx(0.75, abs=0.06)


def test_chance_between_two_samples_of_one_kind_changes_next_to_nothing():
    changes = [match_look(looks(2 * n, 30, 0.2), looks(2 * n + 1, 20, 0.2)) for n in range(40)]
    shifts = np.abs([change.shift for change in changes])
    assert (shifts > 0).mean() < 0.1
    assert shifts.mean() < 0.01


def test_three_shots_of_each_of_a_few_carts_count_as_a_few():
    carts = looks(3, 5, 0.25, shift=(0, 0, -0.2))
    rng = np.random.default_rng(4)
    shots = [
        ItemsLook(cart.colour + rng.normal(0, 0.01, 3), cart.contrast, cart.saturation, -0.1)
        for cart in carts
        for _ in range(8)
    ]
    alone, repeated = (match_look(looks(0, 40, 0.25), one) for one in (carts, shots))
    assert repeated.shift == pytest.approx(alone.shift, abs=0.03)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_few_photos_say_nothing(count):
    assert match_look(looks(0, 40), looks(1, count, shift=(0.4, 0.4, 0.4))) == Look()
    assert match_look([None] * 5, looks(1, 30)) == Look()


def test_the_order_of_the_photos_changes_nothing():
    now, wanted = looks(0, 30), looks(1, 30, shift=(0.2, 0, 0))
    assert match_look(now[::-1], wanted[::-1]).shift == pytest.approx(match_look(now, wanted).shift)
