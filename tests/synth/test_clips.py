import cv2
import numpy as np
import pytest

from synth.clips import KINDS, Clip, stage_of, write_script
from synth.clips.conditions import Conditions, taken
from synth.clips.hand import Hand, draw_hand

BOXES = np.array([[30.0, 40, 80, 90], [100, 60, 150, 120]])


def photo():
    """A grey table with two items."""
    rng = np.random.default_rng(0)
    picture = np.full((160, 200, 3), 170, np.float32) + rng.normal(0, 2, (160, 200, 3))
    for (x1, y1, x2, y2), colour in zip(
        BOXES.astype(int), [(200, 40, 30), (30, 60, 160)], strict=True
    ):
        picture[y1 + 4 : y2 - 4, x1 + 4 : x2 - 4] = colour
    return picture.clip(0, 255).astype(np.uint8)


def stage(margin=0.0):
    return stage_of(photo(), BOXES, side=200, margin=margin)


def test_a_photo_is_taken_apart_into_an_empty_tray_and_its_items():
    made = stage()
    assert np.abs(made.empty - 170).mean() < 4
    together = made.empty
    for mask in made.masks:
        together = together + mask[..., None] * (made.full - together)
    assert np.abs(together - photo()).mean() < 3
    assert made.place(0) == pytest.approx((54.5, 64.5), abs=1.5)


def test_a_margin_shows_more_of_the_table_and_keeps_the_size():
    made = stage(margin=0.25)
    assert max(made.empty.shape[:2]) == pytest.approx(200, abs=2)
    assert made.masks[:, :20].max() == 0
    assert np.abs(made.empty - 170).mean() < 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_begins_empty_and_all_items_lie_there_without_hands(kind):
    made = stage()
    frames = list(Clip(made, write_script(made, kind, 3)).frames(rate=6))
    assert frames[0].content == ()
    assert not frames[0].hands
    assert any(len(one.content) == 2 and not one.hands for one in frames)
    assert {one.rgb.shape for one in frames} == {(160, 200, 3)}
    assert np.diff([one.time_s for one in frames]) == pytest.approx(1 / 6)


def test_a_resting_hand_stays_for_three_seconds():
    made = stage()
    frames = list(Clip(made, write_script(made, "rest", 5)).frames(rate=10))
    full = [one.hands for one in frames if len(one.content) == 2]
    assert 30 <= sum(full) <= 50


def test_one_seed_is_one_clip():
    made = stage()
    first, again, other = (Clip(made, write_script(made, "light", seed)) for seed in (1, 1, 2))
    assert first.script == again.script
    assert first.script != other.script
    pairs = zip(first.frames(4), again.frames(4), strict=True)
    assert all((a.rgb == b.rgb).all() for a, b in pairs)


def test_what_the_truth_calls_hands_is_what_changes_the_picture():
    made = stage()
    clip = Clip(made, write_script(made, "plain", 8))
    for frame in clip.frames(rate=5):
        expected = made.empty
        for item, _ in frame.content:
            expected = expected + made.masks[item][..., None] * (made.full - expected)
        light = float(np.median(frame.rgb / expected))
        apart = np.abs(frame.rgb - light * expected).max(axis=2)
        covered = (cv2.GaussianBlur(apart, (0, 0), 2) > 30).mean()
        assert frame.hands or covered < 0.005, frame.time_s


def test_a_hand_far_outside_is_not_seen():
    hand = Hand((200, 160, 120), (40, 40, 60), 0.5, 24.0, 0.2, (100.0, 400.0))
    _, cover = draw_hand((160, 200), hand, (100.0, 395.0))
    assert cover.max() == 0
    _, cover = draw_hand((160, 200), hand, (100.0, 60.0))
    assert 0.03 < cover.mean() < 0.3


def test_light_noise_and_focus_do_what_they_say():
    scene = np.full((60, 80, 3), 100, np.float32)
    scene[20:40, 20:60] = 50
    rng = np.random.default_rng(0)
    plain = Conditions(noise=0.0, jitter=0.0, quality=0, drift=0.0)
    np.testing.assert_array_equal(taken(scene, 1.0, plain, rng), scene)
    bright = Conditions(noise=0, jitter=0, quality=0, drift=0, steps=((0.5, 1.3),))
    np.testing.assert_allclose(taken(scene, 1.0, bright, rng), 1.3 * scene, atol=0.5)
    noisy = Conditions(noise=5.0, jitter=0, quality=0, drift=0)
    assert (taken(scene, 0.0, noisy, rng) - scene).std() == pytest.approx(5, rel=0.1)
    pulse = Conditions(noise=0, jitter=0, quality=0, drift=0, pulses=(0.0,))
    assert np.abs(np.diff(taken(scene, 0.25, pulse, rng).astype(int), axis=0)).max() < 50


def test_a_photo_without_items_makes_no_clip():
    bare = stage_of(photo(), np.zeros((0, 4)))
    with pytest.raises(ValueError, match="at least one item"):
        write_script(bare, "plain", 0)
