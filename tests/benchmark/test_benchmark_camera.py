"""The judgement of readings, on frames whose truth is written down by hand."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from synth.clips import ClipFrame

BENCHMARK = Path(__file__).parents[2] / "tools" / "benchmark"
ITEM = ((0, (0.0, 0.0)),)


@pytest.fixture(scope="module")
def camera():
    sys.path.insert(0, str(BENCHMARK))
    try:
        import camera
    finally:
        sys.path.pop(0)
    return camera


def frames(*parts):
    """(number of frames, hands, content) as frames, ten a second."""
    told = [part[1:] for part in parts for _ in range(part[0])]
    picture = np.zeros((1, 1, 3), np.uint8)
    return [ClipFrame(row / 10, picture, *one) for row, one in enumerate(told)]


VISIT = ((10, False, ()), (5, True, ITEM), (30, False, ITEM), (5, True, ITEM), (30, False, ITEM))


def judged(camera, *readings):
    clip = SimpleNamespace(script=SimpleNamespace(kind="hover"))
    return camera.judge(clip, 1, False, frames(*VISIT), readings, 0)


def test_a_tray_is_due_once_and_its_delay_begins_with_the_last_hand(camera):
    good = judged(camera, [22, 17, 19, 21])
    assert good.delays == (pytest.approx(0.8),)
    assert (good.missed, good.twice, good.with_hands) == ((), (), ())


def test_missed_doubled_and_handled_readings_are_told(camera):
    assert judged(camera).missed == (1.5, 5.0)
    assert judged(camera, [22, 17, 21], [60, 55, 59]).twice == (6.0,)
    assert judged(camera, [22, 14, 21]).with_hands == (2.2,)
    assert judged(camera, [45, 40, 43]).hand_arrives == (4.5,)


def test_a_summary_counts_the_trays_that_were_read_in_time(camera):
    found = camera.summary([judged(camera, [22, 17, 21]), judged(camera, [40, 35, 39])])
    assert (found["all"]["due"], found["all"]["in_time"], found["all"]["never_read"]) == (2, 1, 0)
    assert found["with_a_margin"] == found["all"]
    assert found["photo_fills_the_picture"] == {"due": 0}
    assert [one["delays"] for one in found["not_right"]] == [pytest.approx((2.6,))]
