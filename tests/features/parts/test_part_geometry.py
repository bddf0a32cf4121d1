from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpc.features.parts.part_boxes import layouts_of
from rpc.features.parts.part_geometry import (
    NONE,
    Candidates,
    Constraints,
    choose,
    fit_mixture,
    fit_neighbours,
    least_worth,
    nearest,
)

WHOLE = np.array([[40.0, 40, 160, 160]])
FREE = Constraints(slack=None, priors=(None, None))


def random_boxes(rng, count):
    low = rng.uniform(0, 120, (count, 2))
    return np.concatenate([low, low + rng.uniform(20, 80, (count, 2))], axis=1)


def candidates(rng, count):
    return Candidates(random_boxes(rng, count), rng.uniform(0.05, 1, count))


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_without_constraints_each_part_takes_its_highest_score(seed):
    rng = np.random.default_rng(seed)
    whole, parts = candidates(rng, 4), [candidates(rng, 6), candidates(rng, 3)]
    found = choose(whole, parts, FREE)
    assert found.whole == whole.scores.argmax()
    assert found.parts == tuple(int(part.scores.argmax()) for part in parts)


@cache
def priors(seed):
    rng = np.random.default_rng(seed)
    return tuple(fit_mixture(rng.normal(0, 0.5, (30, 4)), 3, 0) for _ in range(2))


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_the_choice_is_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    whole, parts = candidates(rng, 3), [candidates(rng, 3), candidates(rng, 2)]
    rules = Constraints(slack=20.0, priors=priors(0), power=0.3, missing=0.01)
    found = choose(whole, parts, rules)
    best = -np.inf
    for n, score in enumerate(whole.scores):
        worth = np.log(score)
        for number, part in enumerate(parts):
            each = part.scores * rules.delta(whole.boxes[n : n + 1], part.boxes, number)[0]
            worth += np.log(max(each.max(), 0.01))
        best = max(best, worth)
    assert found.worth == pytest.approx(best)


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_a_constraint_more_never_raises_delta_and_one_less_never_lowers_the_worth(seed):
    rng = np.random.default_rng(seed)
    whole, parts = candidates(rng, 3), [candidates(rng, 5), candidates(rng, 5)]
    ladder = [
        FREE,
        Constraints(slack=10.0, priors=(None, None)),
        Constraints(slack=10.0, priors=(priors(1)[0], None)),
        Constraints(slack=10.0, priors=priors(1)),
    ]
    deltas = [
        [rule.delta(whole.boxes, part.boxes, n) for n, part in enumerate(parts)] for rule in ladder
    ]
    for less, more in pairwise(deltas):
        for before, after in zip(less, more, strict=True):
            assert (after <= before + 1e-12).all()
    worths = [choose(whole, parts, rule).worth for rule in ladder]
    assert (np.diff(worths) <= 1e-12).all()


def test_a_surer_head_outside_the_body_is_rejected_by_the_box():
    heads = Candidates(np.array([[0.0, 0, 30, 30], [50, 50, 80, 80]]), np.array([0.9, 0.6]))
    whole = Candidates(WHOLE, np.ones(1))
    assert choose(whole, [heads], FREE).parts == (0,)
    assert choose(whole, [heads], Constraints(10.0, (None,))).parts == (1,)


def test_the_box_has_slack():
    heads = Candidates(np.array([[30.0, 50, 60, 80]]), np.array([0.9]))
    whole = Candidates(WHOLE, np.ones(1))
    assert choose(whole, [heads], Constraints(10.0, (None,))).parts == (0,)
    assert choose(whole, [heads], Constraints(9.0, (None,))).parts == (NONE,)


def test_parts_can_decide_which_object_it_is():
    whole = Candidates(np.array([[0.0, 0, 30, 30], [40, 40, 100, 100]]), np.array([0.9, 0.8]))
    head = Candidates(np.array([[50.0, 50, 70, 70]]), np.array([0.9]))
    found = choose(whole, [head], Constraints(5.0, (None,)))
    assert (found.whole, found.parts) == (1, (0,))


@pytest.mark.parametrize("fit", [lambda x: fit_mixture(x, 4, 0), fit_neighbours])
def test_a_prior_prefers_where_parts_were_in_training(fit):
    """Heads on top of the object; the surer candidate is inside too, but at its bottom."""
    rng = np.random.default_rng(0)
    top = np.array([0.0, -0.35, np.log(0.25), np.log(0.25)])
    prior = fit(top + rng.normal(0, 0.02, (40, 4)))
    boxes = np.array([[85.0, 43, 115, 73], [85, 127, 115, 157]])
    heads = Candidates(boxes, np.array([0.5, 0.9]))
    whole = Candidates(WHOLE, np.ones(1))
    assert choose(whole, [heads], Constraints(10.0, (None,))).parts == (1,)
    assert choose(whole, [heads], Constraints(10.0, (prior,))).parts == (0,)


def test_a_mixture_knows_two_poses_where_one_gaussian_blurs_them():
    rng = np.random.default_rng(0)
    left, right = np.array([-0.4, 0, -1, -1.0]), np.array([0.4, 0, -1, -1.0])
    layouts = np.repeat([left, right], 40, axis=0) + rng.normal(0, 0.02, (80, 4))
    poses, blur = fit_mixture(layouts, 2, 0), fit_neighbours(layouts)
    between = np.array([0, 0, -1, -1.0])
    assert poses(left) > 0.4
    assert poses(between) < 1e-3
    assert blur(between) > blur(left)


@given(st.floats(0.2, 5), st.integers(0, 1000))
def test_a_prior_says_the_same_at_any_scale(scale, seed):
    rng = np.random.default_rng(seed)
    parts, whole = random_boxes(rng, 5), random_boxes(rng, 1)
    known = layouts_of(random_boxes(rng, 20), random_boxes(rng, 20))
    for prior in (priors(2)[0], fit_neighbours(known)):
        found = prior(layouts_of(parts, whole))
        assert np.allclose(found, prior(layouts_of(scale * parts, scale * whole)), atol=1e-6)


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(1, 40))
def test_a_prior_is_between_0_and_1(seed, count):
    rng = np.random.default_rng(seed)
    known = rng.normal(0, 1, (count, 4))
    worth = fit_mixture(known, 4, 0)(rng.normal(0, 2, (50, 4)))
    assert worth.min() >= 0
    assert worth.max() <= 1


def test_nothing_found_is_said():
    none = Candidates(np.zeros((0, 4)), np.zeros(0))
    assert choose(none, [none, none], FREE).whole == NONE
    found = choose(Candidates(WHOLE, np.ones(1)), [none, none], FREE)
    assert (found.whole, found.parts) == (0, (NONE, NONE))
    with pytest.raises(ValueError, match="expected a layout"):
        fit_mixture(np.zeros((0, 4)), 4, 0)


def test_the_nearest_come_in_order():
    known = np.array([[0.0, 0], [3, 0], [1, 0], [2, 0]])
    assert nearest(np.array([0.1, 0]), known, 3).tolist() == [0, 2, 3]
    assert len(nearest(np.array([0.1, 0]), known, 9)) == 4


def test_each_part_has_its_own_cost_of_not_being_found():
    """Two objects, of which the less sure one alone has a head: the cost decides between them."""
    whole = Candidates(np.array([[0.0, 0, 50, 50], [100, 100, 150, 150]]), np.array([0.9, 0.6]))
    head = Candidates(np.array([[110.0, 110, 130, 130]]), np.array([0.5]))
    nobody = Candidates(np.zeros((0, 4)), np.zeros(0))
    dear = Constraints(10.0, (None, None), missing=(0.1, 0.9))
    cheap = Constraints(10.0, (None, None), missing=(0.4, 0.9))
    assert choose(whole, [head, nobody], dear).parts == (0, NONE)
    assert choose(whole, [head, nobody], dear).whole == 1  # .6 * .5 > .9 * .1
    assert choose(whole, [head, nobody], cheap).whole == 0  # .9 * .4 > .6 * .5
    assert choose(whole, [head, nobody], dear).worth == pytest.approx(np.log(0.6 * 0.5 * 0.9))
    assert FREE.missing_of(1) == 1e-4


@given(st.lists(st.floats(0.001, 1), min_size=1, max_size=60), st.floats(0, 1))
def test_a_threshold_keeps_the_share_of_right_boxes_that_was_asked_for(worths, recall):
    least = least_worth(np.array(worths), recall)
    assert (np.array(worths) > least).mean() >= recall - 1e-6
    assert least_worth(np.array(worths), 1.0) < min(worths)


def test_without_a_right_box_anything_is_taken():
    assert least_worth(np.zeros(0), 0.9) == 1e-4
    assert least_worth(np.zeros(5), 0.9) == 1e-4
