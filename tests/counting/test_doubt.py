"""Decisions, questions, limits and look-alikes of a counter in doubt."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.counting import CountingRule
from rpc.counting.doubt.calibration import Calibration
from rpc.counting.doubt.decisions import Decisions, Outcomes, decisions, outcomes
from rpc.counting.doubt.doubt import AlikePair, Doubt
from rpc.counting.doubt.judge import judge
from rpc.counting.doubt.learn import Labelled, learn_doubt
from rpc.counting.doubt.limit import JudgedTrays, at_least, choose_limit
from rpc.counting.doubt.look_alikes import SeenItems, find_alike
from rpc.structures import Detections

PLACES = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10], [60, 0, 70, 10]], float)
RULE = CountingRule(0.5, counts_by="item_score")


def seen(items, rows, places=PLACES):
    """Detections with these item scores and rows of probabilities of two SKUs and nothing."""
    rows = np.array(rows, float)
    labels = rows[:, :-1].argmax(axis=1)
    return Detections(places[: len(rows)], np.array(items) * rows.max(axis=1), labels, items), rows


def made_of(items, shares, counted):
    rows = np.arange(len(items))
    return Decisions(rows, counted, np.array(items, float), np.array(shares, float))


def test_what_counts_comes_first_then_what_nearly_does_and_second_looks_are_left_out():
    places = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [2, 2, 6, 6], [40, 0, 50, 10]], float)
    found, rows = seen([0.4, 0.9, 0.8, 0.1], [[0.6, 0.2, 0.2]] * 4, places)
    rule = CountingRule(0.5, containment=0.9, counts_by="item_score")
    made = decisions(found, rows, rule)
    assert made.rows.tolist() == [1, 2, 3]  # counted; a part of it, or an item on it; a weak one
    assert made.counts.tolist() == [True, False, False]
    assert made.items.tolist() == [0.9, 0.8, 0.1]
    np.testing.assert_allclose(made.shares, [[0.75, 0.25]] * 3)


def test_each_item_is_one_boxs_and_what_no_box_shows_is_unseen():
    found, rows = seen([0.9, 0.8, 0.3], [[0.9, 0.1, 0], [0.2, 0.8, 0], [0.9, 0.1, 0]])
    truth = Detections([PLACES[0], PLACES[2], PLACES[3]], np.ones(3), [1, 0, 0])
    became = outcomes(decisions(found, rows, RULE), found, truth)
    assert became.labels.tolist() == [1, -1, 0]  # misnamed; no item; missed, but there is a box
    assert became.items.tolist() == [0, -1, 1]
    assert (became.unseen, became.right) == (1, False)
    exact = Detections(PLACES[:2], np.ones(2), [0, 1])
    assert outcomes(decisions(found, rows, RULE), found, exact).right


def test_a_tray_is_right_with_the_product_of_its_decisions():
    made = made_of([0.9, 0.2], [[0.8, 0.2], [0.5, 0.5]], counted=1)
    found = judge(made, Calibration(unseen=0.1), limit=0.0)
    assert found.right.tolist() == pytest.approx([0.9 * 0.8, 0.8])
    assert found.certainty == pytest.approx(0.9 * 0.8 * 0.8 * 0.9)
    assert found.decided == pytest.approx(0.9 * 0.8 * 0.8)
    assert found.passes


@given(
    st.lists(st.tuples(st.floats(0.5, 1), st.floats(0.5, 1)), max_size=6),
    st.floats(0, 1),
)
def test_the_least_sure_are_asked_until_the_rest_is_sure_enough(pairs, limit):
    items = [item for item, _ in pairs]
    made = made_of(items, np.array([[s, 1 - s] for _, s in pairs]).reshape(-1, 2), len(pairs))
    found = judge(made, Calibration(), limit)
    asked = list(found.questions)
    rest = np.delete(found.right, asked)
    assert rest.prod() >= limit - 1e-12
    if asked:  # one question less would not do
        assert np.append(rest, found.right[asked[-1]]).prod() < limit
        assert found.right[asked].max() <= rest.min(initial=1.0)
    assert found.passes == (found.right.prod() >= limit)


def test_the_reason_is_the_weaker_half_and_look_alikes_are_named_as_such():
    shares = [[0.9, 0.1, 0], [0.6, 0.4, 0], [0.6, 0, 0.4], [1, 0, 0]]
    made = made_of([0.6, 0.99, 0.99, 0.4], shares, counted=3)
    found = judge(made, Calibration(), 1.0, pairs=[frozenset((0, 1))])
    reasons = dict(zip(found.questions, found.reasons, strict=True))
    assert reasons == {0: "item", 1: "view", 2: "name", 3: "item"}


def judged(sure, right=None, decided=None):
    right = np.ones(len(sure), bool) if right is None else right
    return JudgedTrays(sure, sure if decided is None else decided, right)


def test_a_question_is_not_asked_where_it_is_not_worth_its_time_but_one_is():
    shares = [[0.998, 0.002]] * 9 + [[0.7, 0.3]]
    made = made_of([1.0] * 10, shares, counted=10)
    assert judge(made, Calibration(), 0.99, worth=0.99).questions == (9,)
    assert len(judge(made, Calibration(), 0.99).questions) == 5  # as many as the limit wants
    sure = made_of([1.0] * 9, shares[:9], counted=9)
    assert judge(sure, Calibration(), 0.99, worth=0.99).questions == (0,)  # it does not pass
    assert judge(sure, Calibration(), 0.98, worth=0.99).passes


def test_the_limit_is_the_lowest_that_holds_what_is_wanted():
    sure = [0.999, 0.995, 0.99, 0.96, 0.5]
    assert 0.96 < choose_limit([judged(sure)], 0.99) < 0.99  # the fourth would make it 0.986
    assert 0.5 < choose_limit([judged(sure)], 0.95) < 0.96
    assert choose_limit([judged([0.9, 0.2])], 0.99) == 1.0
    assert choose_limit([], 0.99) == choose_limit([judged([])], 0.99) == 0.99
    doubled = choose_limit([judged(sure, decided=[0.9, 0.8, 0.7, 0.6, 0.5])], 0.99)
    assert 0.6 < doubled < 0.7  # the same trays pass, told by another number


def test_certainties_that_did_not_hold_choose_no_limit():
    sure = np.array([0.999, 0.995, 0.99, 0.96, 0.5])
    wrong = sure != 0.995  # a second error in a thousand trays
    assert 0.995 < choose_limit([judged(sure, wrong)], 0.99) < 0.999
    few, many = np.full(3, 0.997), np.full(300, 0.998)
    fine, bad = np.ones(300, bool), np.arange(300) >= 5  # 0.6 errors were expected
    assert choose_limit([judged(few), judged(many, fine)], 0.99) < 0.998
    assert choose_limit([judged(few), judged(many, bad)], 0.99) == 1.0
    assert choose_limit([judged(few, np.array([False, True, True])), judged(many)], 0.99) == 1.0


def test_the_first_set_decides_as_it_is_like_what_the_limit_is_for():
    small, large = np.linspace(0.97, 0.999, 20), np.linspace(0.9, 0.98, 300)
    assert choose_limit([judged(small), judged(large)], 0.99) < 0.985
    assert choose_limit([judged(large), judged(small)], 0.99) == 1.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.integers(0, 8))
def test_the_chance_of_so_many_errors_is_that_of_all_ways_to_have_them(chances, events):
    ways = 0.0
    for way in range(2 ** len(chances)):
        happens = [(way >> place) % 2 for place in range(len(chances))]
        if sum(happens) >= events:
            ways += np.prod([c if h else 1 - c for c, h in zip(chances, happens, strict=True)])
    assert at_least(chances, events) == pytest.approx(ways, abs=1e-9)


def test_trays_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"expected \(N,\)"):
        JudgedTrays(np.ones(2), np.ones(3), np.ones(2, bool))
    with pytest.raises(ValueError, match="0 to 1"):
        JudgedTrays(np.full(2, 1.1), np.ones(2), np.ones(2, bool))
    with pytest.raises(ValueError, match="target"):
        choose_limit([judged([0.5])], 1.0)


def tray(items, shares, labels):
    """A tray of which every box counts."""
    made, labels = made_of(items, shares, len(items)), np.array(labels)
    good = bool((made.shares.argmax(axis=1) == labels).all())
    return made, Outcomes(labels, np.arange(len(labels)), 0, good)


def drawn(count, seed, slope=1.0):
    """Trays of four items each, whose names hold as the calibration of this slope says."""
    rng = np.random.default_rng(seed)
    made, became = [], []
    for _ in range(count):
        top = np.where(rng.random(4) < 0.15, rng.uniform(0.5, 0.7, 4), rng.uniform(0.99, 1, 4))
        right = rng.random(4) < Calibration(name_slope=slope).likeliest(top)
        one, other = tray(np.full(4, 0.97), np.stack([top, 1 - top], axis=1), np.where(right, 0, 1))
        made.append(one)
        became.append(other)
    return Labelled(tuple(made), tuple(became))


def test_trays_that_pass_by_a_learnt_limit_are_right_on_others():
    doubt = learn_doubt(drawn(40, 0, 1.4), drawn(400, 1, 1.6), 2)
    others = drawn(2000, 2, 1.4)
    passed = [judge(one, doubt.calibration, doubt.limit).passes for one in others.made]
    right = np.array([one.right for one in others.became])
    assert 0.2 < np.mean(passed) < 0.9
    assert right[passed].mean() >= 0.98 > right.mean()
    assert doubt.chosen_on == "val and composed scenes"
    assert doubt.trays == 440


def test_scenes_alone_or_nothing_give_a_doubt_too():
    assert learn_doubt(Labelled(), drawn(50, 3), 2).chosen_on == "composed scenes"
    assert learn_doubt(Labelled(), Labelled(), 2).limit == 0.99


def items_of(rows):
    names, labels, views, files, visible = zip(*rows, strict=True)
    return SeenItems(np.array(names), np.array(labels), np.array(views), files, np.array(visible))


def test_skus_are_alike_from_the_camera_that_shows_them_so_and_from_no_other():
    above, side = ([0.6, 0.4, 0.0], 0, 0), ([0.99, 0.01, 0.0], 0, 3)
    rows = [(*above, f"a_{n}.png", 1.0) for n in range(3)] + [(*side, "a_side.png", 1.0)] * 20
    rows += [([0.0, 1.0, 0.0], 1, 0, "b.png", 1.0)] * 4
    rows += [([0.4, 0.0, 0.6], 2, 0, "hidden.png", 0.3)] * 9  # too much of it is covered
    (pair,) = find_alike(items_of(rows), ["a", "b", "c"])
    assert (pair.skus, pair.views, pair.share) == (("a", "b"), (0,), 3 / 7)
    assert pair.examples == ("a_0.png", "b.png")
    assert find_alike(items_of(rows[1:]), ["a", "b", "c"]) == ()  # twice may be chance


def test_plain_values_come_back_and_pairs_become_labels():
    pair = AlikePair(("a", "b"), (0, -1), 0.25, ("a.png", "b.png"))
    doubt = Doubt(Calibration(), 0.98, 0.99, "val", 18, (pair,))
    assert Doubt.from_dict(doubt.to_dict()) == doubt
    assert doubt.pairs(["b", "c", "a"]) == {frozenset((0, 2))}
    assert doubt.pairs(["a", "c"]) == frozenset()


@pytest.mark.parametrize(
    "change",
    [{"limit": 2}, {"limit": float("nan")}, {"alike": [1]}, {"alike": "ab"}, {"trays": -1},
     {"chosen_on": 3}, {"more": 1}, {"calibration": None}, {"target": "1"},
     {"alike": [{"skus": ["a", "a"], "views": [], "share": 0.1, "examples": []}]},
     {"alike": [{"skus": ["a", "b"], "views": ["0"], "share": 0.1, "examples": []}]},
     {"alike": [{"skus": ["a", 2], "views": [0], "share": 0.1, "examples": []}]},
     {"alike": [{"skus": ["a", "b"], "views": [0], "share": True, "examples": []}]}],
)  # fmt: skip
def test_values_that_are_no_doubt_are_refused(change):
    values = Doubt(Calibration(), 0.98, 0.99, "val", 18).to_dict() | change
    with pytest.raises(ValueError, match=r"doubt|look-alikes|calibration"):
        Doubt.from_dict(values)
