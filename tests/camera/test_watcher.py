import cv2
import numpy as np
import pytest

from rpc.camera import Frame, TrayState, TrayWatcher, WatchSettings
from rpc.camera.condition import TRAYS, CameraCondition, sharpness_of

RATE = 10
SIZE = (240, 320)


def empty():
    return np.full((*SIZE, 3), 180, np.uint8)


def with_items(*places):
    """Items with corners at these places of a picture of 160 x 120."""
    picture = empty()
    for number, (x, y) in enumerate(places):
        colour = [(200, 60, 20), (30, 120, 60), (20, 40, 160)][number % 3]
        cv2.rectangle(picture, (2 * x, 2 * y), (2 * x + 60, 2 * y + 48), colour, -1)
    return picture


def with_hand(picture, y):
    """An arm from the left edge, as far down as `y`."""
    shown = picture.copy()
    cv2.line(shown, (0, 120), (140, 2 * y), (190, 140, 110), 28)
    return shown


def noisy(pictures, sigma=3.0, gain=None):
    rng = np.random.default_rng(0)
    for number, picture in enumerate(pictures):
        factor = 1.0 if gain is None else gain(number / RATE)
        noise = rng.normal(0, sigma, picture.shape)
        yield Frame(number / RATE, np.clip(picture * factor + noise, 0, 255).astype(np.uint8))


def moving_hand(picture):
    return [with_hand(picture, y) for y in range(20, 100, 16)]


TRAY = with_items((60, 40), (100, 70))
VISIT = [empty()] * 12 + moving_hand(TRAY) + [TRAY] * 15 + moving_hand(empty()) + [empty()] * 20


def watched(frames, watcher=None, truly_empty=()):
    """The steps; who reads knows of some times that nothing lies there."""
    watcher = watcher or TrayWatcher(empty=empty())
    found = []
    for frame in frames:
        step = watcher.step(frame)
        if step.reads and any(begin <= frame.time_s < end for begin, end in truly_empty):
            step = watcher.nothing_there()
        found.append(step)
    return found


def reads(steps):
    return [number / RATE for number, step in enumerate(steps) if step.reads]


def test_a_tray_is_read_once_soon_after_the_hand_has_left():
    steps = watched(noisy(VISIT))
    hand_left = 1.2 + 0.5
    assert len(reads(steps)) == 1
    assert 0.6 <= reads(steps)[0] - hand_left <= 1.2
    told = [step.state for step in steps]
    assert [one for place, one in enumerate(told) if place == 0 or one != told[place - 1]] == [
        *("moving", "empty", "moving", "still", "read", "moving", "left", "empty"),
    ]
    assert [steps[place].visit for place in (0, 30, -1)] == [1, 1, 2]


def test_how_the_empty_tray_looks_is_learnt_from_who_reads():
    watcher = TrayWatcher()
    assert not watcher.knows_empty
    steps = watched(noisy(VISIT), watcher, truly_empty=[(0, 1.2)])
    assert watcher.knows_empty
    assert len(reads(steps)) == 1
    assert steps[11].state is TrayState.EMPTY
    with pytest.raises(ValueError, match="no reading"):
        watcher.nothing_there()


def test_before_the_empty_tray_is_known_only_what_lies_long_is_read():
    later = moving_hand(TRAY) + [with_hand(TRAY, 90)] * 30 + [TRAY] * 60
    steps = watched(noisy([with_hand(empty(), 50)] * 3 + later), TrayWatcher())
    assert [5.0 <= at - 3.8 <= 5.4 for at in reads(steps)] == [True]


@pytest.mark.parametrize("factor", [0.7, 1.3])
def test_light_that_steps_by_a_third_wakes_nobody_and_leads_to_no_second_reading(factor):
    steps = watched(noisy(VISIT, gain=lambda t: 1.0 if t < 0.8 or t > 2.6 else factor))
    assert all(step.state is not TrayState.MOVING for step in steps[8:12])
    assert len(reads(steps)) == 1


def test_a_hand_that_rests_is_not_read():
    resting = [empty()] * 10 + moving_hand(TRAY) + [with_hand(TRAY, 90)] * 30
    steps = watched(noisy([*resting, *[TRAY] * 15]))
    assert len(reads(steps)) == 1
    assert reads(steps)[0] >= len(resting) / RATE
    assert all(step.hands for step in steps[15:45])


def test_an_item_over_the_edge_is_read_after_a_while():
    tray = with_items((-8, 40), (100, 70))
    steps = watched(noisy([*[empty()] * 10, *moving_hand(tray), *[tray] * 65]))
    assert [5.0 <= at - 1.5 <= 5.6 for at in reads(steps)] == [True]
    settings = WatchSettings(edge_wait_s=0)
    pushed_in = watched(
        noisy([*[empty()] * 10, *moving_hand(tray), *[tray] * 20]),
        TrayWatcher(settings, empty=empty()),
    )
    assert [0.5 <= at - 1.5 <= 1.2 for at in reads(pushed_in)] == [True]


def test_the_same_frames_give_the_same_states_however_large_they_are():
    small = [frame.time_s for frame in noisy(VISIT)]
    big = [
        Frame(at, cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST))
        for at, picture in zip(small, VISIT, strict=True)
    ]
    plain = [Frame(at, picture) for at, picture in zip(small, VISIT, strict=True)]
    assert [s.state for s in watched(big)] == [s.state for s in watched(plain)]


def test_time_that_runs_back_or_breaks_off_starts_stillness_anew():
    frames = list(noisy(VISIT))[:21]  # still for 0.3 s
    for at in (0.0, 60.0):
        watcher = TrayWatcher(empty=empty())
        watched(frames, watcher)
        later = [Frame(at + k / RATE, frames[-1].rgb) for k in range(8)]
        steps = watched(later, watcher)
        assert steps[0].still_s == 0
        assert [0.6 <= one <= 0.7 for one in reads(steps)] == [True]


def test_another_size_of_frames_is_survived():
    watcher = TrayWatcher(empty=empty())
    watched(noisy(VISIT[:30]), watcher)
    turned = [Frame(3 + k / RATE, np.ascontiguousarray(TRAY[:, :200])) for k in range(10)]
    assert reads(watched(turned, watcher))


def test_a_dark_picture_is_told_after_three_seconds():
    frames = [Frame(k / RATE, np.full((*SIZE, 3), 12, np.uint8)) for k in range(50)]
    told = [[one.code for one in step.warnings] for step in watched(frames)]
    assert told[20] == []
    assert told[40] == ["dark"]
    assert watched([*frames, Frame(5.1, empty())])[-1].warnings == ()


def test_a_camera_that_was_moved_is_told():
    rng = np.random.default_rng(3)
    table = cv2.resize(rng.integers(0, 255, (30, 40, 3), np.uint8), (400, 320))
    before, after = table[:240, :320], table[40:280, 50:370]
    frames = [Frame(k / RATE, before if k < 10 else after) for k in range(60)]
    steps = watched(frames, TrayWatcher(empty=before))
    assert steps[9].warnings == ()
    assert [one.code for one in steps[-1].warnings] == ["camera_moved"]


def test_trays_that_get_blurred_are_told_as_a_dirty_camera():
    sharp = cv2.resize(TRAY, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
    condition = CameraCondition()
    for _ in range(2 * TRAYS):
        condition = condition.with_tray(sharpness_of(sharp))
    dim = (sharp * 0.6).astype(np.uint8)
    assert sharpness_of(dim) == pytest.approx(sharpness_of(sharp), rel=0.05)
    assert condition.warnings(0.0) == ()
    for _ in range(TRAYS):
        condition = condition.with_tray(sharpness_of(cv2.GaussianBlur(sharp, (0, 0), 3)))
    assert [one.code for one in condition.warnings(0.0)] == ["camera_dirty"]
