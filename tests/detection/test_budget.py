"""Progress and schedule, without a training."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpc.detection.budget import Budget
from rpc.detection.schedule import rate_factor

SHAPE = {"warmup": 0.03, "flat_until": 0.4, "end_factor": 0.01, "milestones": (), "gamma": 0.1}


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_the_clock_runs_only_while_the_training_does():
    clock = Clock()
    budget = Budget(max_seconds=60, clock=clock)
    clock.now += 5  # building the model
    budget.start()
    clock.now += 15
    assert budget.elapsed == 15
    assert budget.progress(3) == 0.25
    clock.now += 3600  # stopped, and resumed an hour later
    resumed = Budget(max_seconds=60, clock=clock)
    resumed.start(elapsed=15)
    assert resumed.progress(3) == 0.25
    assert resumed.seconds_left(3) == pytest.approx(45)


def test_the_last_validation_takes_place_within_the_budget():
    clock = Clock()
    budget = Budget(max_seconds=60, clock=clock)
    budget.start()
    budget.reserve = 10
    clock.now += 50
    assert budget.progress(1) == 1
    budget.reserve = 1000  # never more than half
    clock.now -= 25
    assert budget.progress(1) == pytest.approx(25 / 30)


def test_with_updates_the_clock_is_a_cap_that_decides_nothing_else():
    clock = Clock()
    budget = Budget(max_seconds=60, max_iters=100, clock=clock)
    budget.start()
    clock.now += 30  # half of the time for one update: the others may be faster
    budget.note(1)
    assert budget.progress(1) == 0.01
    assert budget.progress(50) == 0.5
    clock.now += 31
    budget.note(2)
    assert budget.progress(2) == 1
    assert budget.plan.cut


@pytest.mark.parametrize("limits", [(None, None), (0, None), (None, -3), (float("nan"), None)])
def test_a_budget_without_a_usable_limit_is_refused(limits):
    with pytest.raises(ValueError, match="training budget: expected"):
        Budget(*limits)


@settings(deadline=None)  # a busy machine is no failure
@given(st.floats(0, 1))
def test_the_rate_factor_stays_between_nothing_and_one(progress):
    assert 0 < rate_factor(progress, **SHAPE) <= 1


def test_the_rate_rises_stays_and_falls():
    at = [rate_factor(p, **SHAPE) for p in (0, 0.015, 0.03, 0.2, 0.4, 0.7, 1)]
    assert at[0] < 0.01
    assert at[1] == pytest.approx(0.5, abs=0.01)
    assert at[2] == at[3] == at[4] == 1
    assert at[5] == pytest.approx(0.505)
    assert at[6] == pytest.approx(0.01)


def test_the_papers_schedule_drops_to_a_tenth_after_three_quarters():
    paper = {**SHAPE, "warmup": 0.00625, "flat_until": 1.0, "milestones": (0.75,)}
    assert rate_factor(59_999 / 80_000, **paper) == 1
    assert rate_factor(60_000 / 80_000, **paper) == pytest.approx(0.1)
    assert rate_factor(1.0, **paper) == pytest.approx(0.1)
