import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpc.camera.settings import WatchSettings
from rpc.camera.states import (
    Observation,
    TraySituation,
    TrayState,
    found_empty,
    next_situation,
)

SETTINGS = WatchSettings(still_s=0.6, edge_wait_s=3.0, left_s=1.0, most_gap_s=2.0)
STEP = 0.1
observations = st.builds(
    dict,
    step=st.one_of(st.floats(0.01, 0.5), st.sampled_from([-5.0, 0.0, 10.0])),
    moved=st.booleans() | st.just(False),
    there=st.booleans() | st.just(True),
    reaches_in=st.booleans() | st.just(False),
    as_read=st.booleans(),
)


def run(observed, settings=SETTINGS):
    """All situations of a list of observations, each with its observation."""
    now, time_s, found = TraySituation(), 0.0, []
    for one in observed:
        values = dict(one)
        time_s += values.pop("step", STEP)
        seen = Observation(time_s, **values)
        now = next_situation(now, seen, settings)
        found.append((seen, now))
    return found


def frames(count, **values):
    return [{"moved": False, "there": False, **values}] * count


def states(found):
    """The states, each told once."""
    told = [str(now.state) for _, now in found]
    return [one for place, one in enumerate(told) if place == 0 or told[place - 1] != one]


def test_a_tray_goes_through_its_states_and_is_read_once():
    hand = frames(10, moved=True, there=True)
    found = run(
        [
            *frames(10),
            *hand,
            *frames(20, there=True, as_read=True),
            *hand,
            *frames(30),
        ]
    )
    assert states(found) == [
        "moving",
        "empty",
        "moving",
        "still",
        "read",
        "moving",
        "left",
        "empty",
    ]
    reads = [seen.time_s for seen, now in found if now.reads]
    assert len(reads) == 1
    assert reads[0] == pytest.approx(2.0 + SETTINGS.still_s, abs=STEP)
    assert (found[0][1].visit, found[-1][1].visit) == (1, 2)


def test_a_hand_that_rests_is_waited_for_and_an_item_over_the_edge_is_read_later():
    resting = frames(29, there=True, reaches_in=True)
    found = run([*frames(5, moved=True, there=True), *resting])
    assert not any(now.reads for _, now in found)
    assert all(now.hands for _, now in found)
    longer = run([*frames(5, moved=True, there=True), *frames(40, there=True, reaches_in=True)])
    assert sum(now.reads for _, now in longer) == 1
    at_once = WatchSettings(still_s=0.6, edge_wait_s=0)
    waits = run([*frames(5, moved=True, there=True), *resting], at_once)
    assert next(seen.time_s for seen, now in waits if now.reads) == pytest.approx(1.1, abs=0.11)


def test_a_hand_over_a_tray_that_changed_nothing_leads_to_no_second_reading():
    placed = [*frames(3, moved=True, there=True), *frames(12, there=True, as_read=True)]
    over = frames(5, moved=True, there=True)
    same, other = (frames(12, there=True, as_read=known) for known in (True, False))
    assert sum(now.reads for _, now in run([*placed, *over, *same])) == 1
    changed = run([*placed, *over, *other])
    assert [(now.again, now.visit) for _, now in changed if now.reads] == [(False, 1), (True, 1)]


def test_what_turns_out_empty_is_left_where_it_was_read_before():
    first = run(frames(20, there=True))
    reading = next(now for _, now in first if now.reads)
    assert found_empty(reading).state is TrayState.EMPTY
    assert found_empty(reading).visit == 1
    taken = [*frames(8, there=True), *frames(3, moved=True, there=True), *frames(12, there=True)]
    second = [now for _, now in run(taken) if now.reads][1]
    gone = found_empty(second)
    assert (gone.state, gone.visit, gone.was_read) == (TrayState.LEFT, 2, False)


@settings(max_examples=40)
@given(st.lists(observations, max_size=60))
def test_no_reading_without_stillness_and_none_while_hands_are_in_the_picture(observed):
    since, last = 0.0, -math.inf
    for seen, now in run(observed):
        if seen.moved or not 0 <= seen.time_s - last <= SETTINGS.most_gap_s:
            since = seen.time_s
        last = seen.time_s
        if now.reads:
            assert now.state is TrayState.READ
            assert seen.there
            assert seen.time_s - since >= SETTINGS.still_s
            assert not now.hands
            if seen.reaches_in:
                assert seen.time_s - since >= SETTINGS.edge_wait_s
        if now.hands:
            assert now.state is TrayState.MOVING


@settings(max_examples=40)
@given(st.lists(observations, max_size=60))
def test_between_two_readings_something_moved_or_time_broke_off(observed):
    broken, last, read_before = True, -math.inf, False
    for seen, now in run(observed):
        if seen.moved or not 0 <= seen.time_s - last <= SETTINGS.most_gap_s:
            broken = True
        last = seen.time_s
        if now.reads:
            assert broken or not read_before
            broken, read_before = False, True


@settings(max_examples=40)
@given(st.lists(observations, max_size=40), st.floats(-1e6, 1e6))
def test_when_the_clock_started_does_not_matter(observed, start):
    def told(begin):
        now, time_s, found = TraySituation(), begin, []
        for one in observed:
            values = {key: value for key, value in one.items() if key != "step"}
            time_s += round(one["step"] * 64) / 64  # sums are exact
            now = next_situation(now, Observation(time_s, **values), SETTINGS)
            found.append((now.state, now.reads, now.visit))
        return found

    assert told(0.0) == told(float(round(start)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("still_s", 0),
        ("still_s", math.nan),
        ("edge_wait_s", -1),
        ("least_cells", 0),
        ("least_cells", 1.5),
        ("least_contrast", True),
        ("region", (0.5, 0, 0.5, 1)),
        ("region", (0, 0, 1, 1.1)),
    ],
)
def test_settings_out_of_range_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"watcher: {name}"):
        WatchSettings(**{name: value})
