"""Results made ahead: those of the function itself, errors where they are wanted, threads ended."""

import threading

import pytest

from rpc.runs.prefetch import Prefetch


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_the_results_are_the_functions_own_in_any_order(workers):
    with Prefetch(lambda step: step * step, workers) as ahead:
        for step in [0, 1, 2, 7, 3, 3, 0]:
            assert ahead.get(step, range(step + 1, step + 4)) == step * step


def test_the_following_results_are_begun_before_they_are_wanted():
    begun = {step: threading.Event() for step in range(5)}
    with Prefetch(lambda step: begun[step].set(), 2) as ahead:
        ahead.get(0, [1, 2])
        assert begun[1].wait(20)
        assert begun[2].wait(20)
        assert not begun[3].is_set()


def test_no_result_is_made_twice_while_it_is_wanted():
    made = []
    with Prefetch(made.append, 2) as ahead:
        for step in range(9):
            ahead.get(step, range(step + 1, min(step + 3, 9)))
    assert sorted(made) == list(range(9))


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_is_raised_where_its_result_is_wanted(workers):
    def make(step):
        if step == 2:
            raise ValueError("step 2")
        return step

    with Prefetch(make, workers) as ahead:
        assert [ahead.get(step, [step + 1, step + 2]) for step in (0, 1)] == [0, 1]
        with pytest.raises(ValueError, match="step 2"):
            ahead.get(2, [3])
        assert ahead.get(3, []) == 3


def test_leaving_ends_the_threads_and_drops_what_has_not_begun():
    before = threading.active_count()
    let, made = threading.Event(), []

    def make(step):
        made.append(step)
        assert step == 0 or let.wait(20)

    with Prefetch(make, 1) as ahead:
        ahead.get(0, [1, 2, 3])
        threading.Timer(0.05, let.set).start()
    assert 3 not in made
    assert threading.active_count() <= before + 1  # the timer
