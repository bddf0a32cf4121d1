import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.metrics.roc import roc_auc


def test_known_areas():
    assert roc_auc([1, 2, 3, 4], [0, 0, 1, 1]) == 1
    assert roc_auc([1, 2, 3, 4], [1, 1, 0, 0]) == 0
    assert roc_auc([5, 5, 5], [0, 1, 1]) == 0.5
    assert roc_auc([1, 3, 2], [0, 0, 1]) == 0.5


@given(seed=st.integers(0, 300))
def test_it_is_the_share_of_pairs_in_order_with_ties_half(seed):
    rng = np.random.default_rng(seed)
    scores, kinds = rng.integers(0, 5, 12), np.arange(12) % 3 == 0
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[kinds] for b in scores[~kinds]]
    assert roc_auc(scores, kinds) == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize(
    ("scores", "kinds", "said"),
    [([1, 2], [1, 1], "both kinds"), ([1, np.nan], [0, 1], "finite"), ([1], [0, 1], "N,")],
)
def test_what_cannot_be_judged_is_refused(scores, kinds, said):
    with pytest.raises(ValueError, match=said):
        roc_auc(scores, kinds)
