import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpc.features.parts.constellation import channel_use, channels_apart, fit_constellation


def injected(seed, photos=40, channels=24, noise=0.01):
    """Two views of six parts each; the other channels fire anywhere."""
    rng = np.random.default_rng(seed)
    views = np.arange(photos) % 2
    anchors = rng.uniform(0.4, 0.6, (photos, 2))
    shapes = rng.uniform(-0.3, 0.3, (2, 6, 2))
    parts = rng.permutation(channels)[:12].reshape(2, 6)
    places = rng.uniform(0, 1, (photos, channels, 2))
    for n in range(photos):
        own = parts[views[n]]
        places[n, own] = anchors[n] + shapes[views[n]] + rng.normal(0, noise, (6, 2))
    return places, views, parts


def fitted(places, visible=None, seed=0, **changes):
    settings_ = {"views": 2, "parts": 6, "used": 4, "restarts": 24, "missing": 0.25} | changes
    shown = np.ones(places.shape[:2], bool) if visible is None else visible
    return fit_constellation(places, shown, np.random.default_rng(seed), **settings_)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_no_update_raises_the_cost(seed):
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 1, (15, 12, 2))
    found = fitted(places, rng.random((15, 12)) < 0.8, seed, restarts=1, views=3)
    assert len(found.costs) > 4
    assert all(b <= a + 1e-12 for a, b in zip(found.costs, found.costs[1:], strict=False))


@pytest.mark.parametrize("seed", range(3))
def test_two_injected_views_are_found_up_to_their_order(seed):
    places, views, parts = injected(seed)
    found = fitted(places, seed=seed)
    if (found.views == views).mean() < 0.5:
        found_parts, agreeing = found.parts[::-1], (found.views == 1 - views).mean()
    else:
        found_parts, agreeing = found.parts, (found.views == views).mean()
    assert agreeing == 1.0
    assert [set(row) for row in found_parts.tolist()] == [set(row) for row in parts.tolist()]
    assert found.cost < 4 * 2 * 0.01**2 * 2


def test_moving_the_object_moves_its_anchor_alone():
    places, _, _ = injected(5)
    shift = np.random.default_rng(1).uniform(-3, 3, (len(places), 1, 2))
    moved = places + shift
    first, second = fitted(places), fitted(moved)
    assert np.array_equal(first.parts, second.parts)
    assert np.array_equal(first.views, second.views)
    assert second.cost == pytest.approx(first.cost, abs=1e-9)
    for view in range(2):
        own = first.parts[view]
        between = [fit.offsets[view, own] - fit.offsets[view, own[0]] for fit in (first, second)]
        assert np.allclose(*between, atol=1e-9)
    # Anchors and offsets are known up to a place that each view puts in its middle.
    apart = second.anchors - first.anchors - shift[:, 0]
    for view in range(2):
        own = apart[first.views == view]
        assert np.allclose(own, own[0], atol=1e-6)


def test_hidden_parts_do_not_matter_while_enough_are_in_sight():
    places, views, parts = injected(2)
    visible = np.ones(places.shape[:2], bool)
    rng = np.random.default_rng(0)
    for n, view in enumerate(views):
        hidden = rng.permutation(parts[view])[:1]
        visible[n, hidden] = False
        places[n, hidden] = 50.0  # a place that says nothing
    found = fitted(places, visible)
    assert sorted(map(sorted, found.parts.tolist())) == sorted(map(sorted, parts.tolist()))
    assert found.cost < 0.01


def test_one_photo_is_fitted_exactly():
    found = fitted(np.random.default_rng(0).uniform(0, 1, (1, 8, 2)), views=1)
    assert found.cost == pytest.approx(0, abs=1e-12)


def test_a_photo_without_a_visible_channel_costs_what_is_missing():
    places, _, _ = injected(0)
    visible = np.ones(places.shape[:2], bool)
    visible[0] = False
    found = fitted(places, visible)
    assert found.cost == pytest.approx(4 * 0.25 / len(places), abs=0.002)


@pytest.mark.parametrize("changes", [{"used": 7}, {"parts": 30}, {"views": 0}])
def test_numbers_that_make_no_sense_are_told(changes):
    with pytest.raises(ValueError, match="expected 1 <= used <= parts <= channels"):
        fitted(injected(0)[0], **changes)
    with pytest.raises(ValueError, match="expected places"):
        fit_constellation(np.zeros((0, 3, 2)), np.zeros((0, 3), bool), np.random.default_rng(0))


def test_the_channels_used_are_the_injected_parts():
    places, _, parts = injected(0)
    visible = np.ones(places.shape[:2], bool)
    found = fitted(places)
    use = channel_use(found, places, visible, used=4, missing=0.25)
    assert set(use.nonzero()[0]) <= set(parts.ravel())
    assert use.sum() == 4 * len(places)  # four of six on each photo


def test_of_channels_that_lie_together_one_is_kept():
    places, _, parts = injected(0)
    visible = np.ones(places.shape[:2], bool)
    first, second = parts[0, 0], parts[1, 0]
    use = np.zeros(places.shape[1], np.int64)
    use[first], use[second] = 30, 10
    twin = next(c for c in range(len(use)) if c not in parts)
    places[:, twin] = places[:, first] + 0.01
    use[twin] = 20
    assert channels_apart(use, places, visible, 2, 0.05).tolist() == [first, second]
    assert channels_apart(use, places, visible, 2, 0.0).tolist() == [first, twin]
    assert set(channels_apart(use, places, visible, 3, 0.05)[:2]) == {first, second}
    with pytest.raises(ValueError, match="1 to 24 wanted"):
        channels_apart(use, places, visible, 25, 0.0)
