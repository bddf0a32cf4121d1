"""A plan of updates: followed to the end, or cut in time to what a cap allows."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpc.runs.update_plan import MEASURED, UpdatePlan


def trained(plan, pace, reserve=0.0):
    """Updates and seconds of a training whose update i takes `pace(i)` seconds."""
    done, elapsed = 0, 0.0
    while plan.progress(done) < 1:
        elapsed += pace(done)
        done += 1
        plan.note(done, elapsed, reserve)
    return done, elapsed


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 100), min_size=30, max_size=30))
def test_without_a_cap_the_clock_decides_nothing(paces):
    plan = UpdatePlan(30)
    assert trained(plan, lambda i: paces[i])[0] == 30
    assert not plan.cut


@pytest.mark.parametrize("slow", [range(10), range(50, 60), range(90, 100)])
def test_a_machine_that_is_busy_for_a_while_cuts_nothing_that_still_fits(slow):
    plan = UpdatePlan(100, cap=190.0)
    done, elapsed = trained(plan, lambda i: 3.0 if i in slow else 1.0)
    assert (done, elapsed) == (100, 120.0)
    assert not plan.cut


def test_a_cut_plan_grows_again_with_the_pace_and_stays_told():
    plan = UpdatePlan(1000, cap=2000.0)
    done, _ = trained(plan, lambda i: 30.0 if i < 10 else 1.0)
    assert done == 999
    assert plan.cut


@settings(deadline=None)
@given(st.floats(0.05, 20), st.floats(0, 0.4))
def test_a_steady_machine_uses_the_time_and_no_more(pace, share):
    cap, asked = 600.0, 400
    plan = UpdatePlan(asked, cap)
    done, elapsed = trained(plan, lambda i: pace, reserve=share * cap)
    end = cap * (1 - share)
    assert elapsed <= end + pace
    assert plan.cut == (done < asked)
    if plan.cut:
        assert elapsed > end - 2 * pace


@settings(deadline=None)
@given(st.floats(0.2, 5), st.floats(0.2, 5), st.integers(1, 399))
def test_a_pace_that_changes_ends_near_the_cap_too(first, then, change):
    cap = 300.0
    plan = UpdatePlan(400, cap)
    done, elapsed = trained(plan, lambda i: first if i < change else then)
    assert elapsed <= cap + max(first, then)
    assert done == 400 or plan.cut


def test_a_gross_want_of_time_is_noticed_early_and_a_slight_one_late():
    def when(pace):
        plan, elapsed = UpdatePlan(1000, 1000.0), 0.0
        for done in itertools.count(1):
            elapsed += pace
            plan.note(done, elapsed)
            if plan.cut:
                return done, elapsed / 1000

    assert when(10.0)[0] <= MEASURED + 2
    assert when(1.5)[1] == pytest.approx(0.5, abs=0.01)
    assert when(1.1)[1] == pytest.approx(0.9, abs=0.01)


def test_a_cut_survives_a_stop_and_falls_with_another_cap():
    plan = UpdatePlan(400, 60.0)
    done, _ = trained(plan, lambda i: 1.0)
    same, longer, more = UpdatePlan(400, 60.0), UpdatePlan(400, 90.0), UpdatePlan(500, 60.0)
    for one in (same, longer, more):
        one.take_up(plan.state())
    assert same.planned == done
    assert (longer.planned, more.planned) == (400, 500)
    assert UpdatePlan(400, 60.0).state() is None


@pytest.mark.parametrize("state", [3, {}, {"planned": "9"}, {"planned": 0}, {"planned": True}])
def test_a_damaged_cut_is_told(state):
    with pytest.raises(ValueError, match="a cut of a training's updates"):
        UpdatePlan(9, 1.0).take_up(state)


@pytest.mark.parametrize("wrong", [(0, None), (5, 0.0), (5, float("nan")), (5, float("inf"))])
def test_numbers_that_make_no_sense_are_told(wrong):
    with pytest.raises(ValueError, match="expected updates and cap above 0"):
        UpdatePlan(*wrong)
