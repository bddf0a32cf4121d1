import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rpc.metrics.retrieval import (
    average_precision,
    average_precision_at,
    recall_at,
    reid_metrics,
    retrieval_top_k,
    top_k,
)

hit_lists = arrays(bool, st.integers(1, 12))


@pytest.mark.parametrize(
    ("hits", "expected"),
    [([0, 1, 0, 1, 1], 0.53333), ([1, 0, 0, 0, 0], 1.0), ([0] * 5, 0.0), ([1] * 5, 1.0)],
)
def test_precision_at_5_is_the_mean_over_the_hits(hits, expected):
    assert average_precision_at(np.array(hits), 5) == pytest.approx(expected, abs=1e-5)


@given(hit_lists, st.integers(1, 15))
def test_it_is_what_a_plain_loop_counts(hits, k):
    found = [hits[: i + 1].mean() for i in range(min(k, len(hits))) if hits[i]]
    assert average_precision_at(hits, k) == pytest.approx(np.mean(found) if found else 0.0)


@given(hit_lists, st.integers(1, 12))
def test_it_lies_between_0_and_1_and_is_1_only_where_hits_lead(hits, k):
    value = average_precision_at(hits, k)
    first = hits[:k]
    leads = first.any() and first[: first.sum()].all()
    assert 0 <= value <= 1
    assert (value == 1) == leads


@given(hit_lists)
def test_at_1_it_is_plain_accuracy(hits):
    assert average_precision_at(hits, 1) == float(hits[0])


def test_rows_are_averaged_one_by_one():
    hits = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 0]])
    np.testing.assert_allclose(average_precision_at(hits, 3), [1, 0.5, 0])


def test_top_5_can_exceed_top_1():
    similarity = np.array([[0.9, 0.8, 0.1]])
    figures = [retrieval_top_k(similarity, np.array([1]), np.array([0, 1, 1]), k) for k in (1, 5)]
    assert figures == pytest.approx([0.0, (1 / 2 + 2 / 3) / 2])


@given(st.integers(0, 1000))
def test_the_order_of_the_gallery_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    similarity, queries, gallery = rng.random((6, 9)), rng.integers(0, 3, 6), rng.integers(0, 3, 9)
    order = rng.permutation(9)
    for measure in (retrieval_top_k, recall_at):
        moved = measure(similarity[:, order], queries, gallery[order], 5)
        assert moved == pytest.approx(measure(similarity, queries, gallery, 5))


def test_a_similarity_of_the_labels_is_perfect_and_recall_counts_any_hit():
    queries, gallery = np.array([0, 1]), np.array([1, 0, 1])
    perfect = (queries[:, None] == gallery[None]).astype(float)
    assert retrieval_top_k(perfect, queries, gallery, 1) == 1.0
    worst = np.array([[0.9, 0.1, 0.5], [0.1, 0.9, 0.2]])
    assert recall_at(worst, queries, gallery, 1) == 0.0
    assert recall_at(worst, queries, gallery, 2) == 0.5
    assert recall_at(worst, queries, gallery, 99) == 1.0


def test_of_equals_the_first_in_the_gallery_comes_first():
    assert top_k(np.zeros((1, 4)), 3).tolist() == [[0, 1, 2]]


def test_cmc_and_map_by_the_same_camera_protocol():
    distance = np.array([[0.1, 0.2, 0.3, 0.4, 0.5], [0.5, 0.4, 0.3, 0.2, 0.1]])
    found = reid_metrics(
        distance,
        np.array([1, 2]),
        np.array([1, 2, 1, 1, 2]),
        np.array([0, 0]),
        np.array([0, 1, 1, 2, 0]),
    )
    # By hand: query 1 has hits [0, 1, 1, 0], AP 0.58333; query 2 has [0, 0, 1, 0], AP 0.33333.
    assert found.queries == 2
    assert found.cmc[:4].tolist() == [0, 0.5, 1, 1]
    assert found.mAP == pytest.approx(0.458333, abs=1e-6)


def test_junk_leaves_the_ranking_and_distractors_stay():
    distance = np.array([[0.1, 0.2, 0.3]])
    one = np.array([5])
    cameras = (np.array([0]), np.array([1, 1, 1]))
    junk = reid_metrics(distance, one, np.array([-1, 5, 5]), *cameras)
    distractor = reid_metrics(distance, one, np.array([0, 5, 5]), *cameras)
    assert junk.mAP == 1.0
    assert distractor.mAP == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert distractor.cmc.tolist() == [0, 1, 1]


def test_a_query_with_nothing_to_be_found_is_left_out():
    distance = np.array([[0.1, 0.2], [0.1, 0.2]])
    found = reid_metrics(
        distance, np.array([1, 7]), np.array([2, 1]), np.array([0, 0]), np.array([1, 1])
    )
    assert found.queries == 1
    assert found.mAP == 0.5
    with pytest.raises(ValueError, match="no query has"):
        reid_metrics(
            distance, np.array([8, 9]), np.array([2, 1]), np.array([0, 0]), np.array([1, 1])
        )


def test_bad_arguments_are_told_in_one_line():
    labels = np.array([0, 1])
    with pytest.raises(ValueError, match="k: expected at least 1"):
        average_precision_at(np.array([1]), 0)
    with pytest.raises(ValueError, match="NaN"):
        top_k(np.array([[np.nan]]), 1)
    for similarity in (np.zeros((2, 3)), np.zeros((2, 0)), np.zeros(2)):
        with pytest.raises(ValueError, match="similarity"):
            retrieval_top_k(similarity, labels, labels, 1)
    with pytest.raises(ValueError, match="cameras"):
        reid_metrics(np.zeros((2, 2)), labels, labels, labels, labels[:1])
    assert average_precision(np.array([], dtype=bool)) == 0.0
