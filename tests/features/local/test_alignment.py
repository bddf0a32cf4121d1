import numpy as np
import pytest

from rpc.features.local.alignment import align

SHEARED = np.array([[0.8, -0.5, 40.0], [0.35, 0.9, 12.0]])


def pairs(matrix, good=30, bad=15, seed=0):
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 250, (good + bad, 2)).astype(np.float32)
    end = start @ matrix[:, :2].T + matrix[:, 2]
    end[good:] = rng.uniform(0, 250, (bad, 2))
    return start, end.astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_the_map_is_found_among_pairs_that_do_not_agree(seed):
    found = align(*pairs(SHEARED, seed=seed))
    np.testing.assert_allclose(found.matrix, SHEARED, atol=0.02)
    assert found.agree[:30].all()
    assert found.count < 35


def test_pairs_by_chance_agree_on_little():
    counts = [align(*pairs(SHEARED, 0, 40, seed)) for seed in range(20)]
    assert max(0 if found is None else found.count for found in counts) < 12


def test_three_pairs_or_one_place_are_no_map():
    start, end = pairs(SHEARED, 3, 0)
    assert align(start, end) is None
    start, end = pairs(SHEARED, 20, 0)
    assert align(start, np.repeat(end[:1], 20, axis=0)) is None
    assert align(start[:0], end[:0]) is None
