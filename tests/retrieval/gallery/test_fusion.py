import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.retrieval.gallery.fusion import Fusion, choose_fusion, kinds_of, known_labels
from rpc.retrieval.gallery.open_set import softmax


def experts(seed, count=4, skus=5, old=3):
    rng = np.random.default_rng(seed)
    gallery = softmax(rng.normal(0, 2, (count, skus + 1)))
    recogniser = softmax(rng.normal(0, 2, (count, old + 1)))
    return gallery, recogniser, np.array([2, -1, 0, 1, -1])[:skus]


@given(seed=st.integers(0, 500), weight=st.floats(0, 1), novelty=st.floats(1e-6, 1))
def test_rows_sum_to_one_and_weight_zero_is_the_gallery(seed, weight, novelty):
    gallery, recogniser, known = experts(seed)
    joined = Fusion(weight, novelty).join(gallery, recogniser, known)
    np.testing.assert_allclose(joined.sum(axis=1), 1)
    np.testing.assert_allclose(Fusion(0, novelty).join(gallery, recogniser, known), gallery)


@given(seed=st.integers(0, 500))
def test_weight_one_keeps_the_recognisers_order_of_the_skus_it_knows(seed):
    gallery, recogniser, known = experts(seed)
    joined = Fusion(1.0, 0.01).join(gallery, recogniser, known)
    old = known >= 0
    ratio = joined[:, :-1][:, old] / recogniser[:, known[old]]
    np.testing.assert_allclose(ratio, np.repeat(ratio[:, :1], ratio.shape[1], axis=1))


@given(seed=st.integers(0, 500), weight=st.floats(0, 1))
def test_the_gallerys_order_among_new_skus_is_never_touched(seed, weight):
    gallery, recogniser, known = experts(seed)
    joined = Fusion(weight, 0.1).join(gallery, recogniser, known)
    assert (
        np.array_equal(joined[:, 1] >= joined[:, 4], gallery[:, 1] >= gallery[:, 4]) or weight == 1
    )


def test_a_weighted_product_by_a_naive_loop():
    gallery, recogniser, known = experts(3)
    joined = Fusion(0.3, 0.2).join(gallery, recogniser, known)
    for row in range(len(gallery)):
        raw = []
        for column in range(6):
            other = recogniser[row, -1] if column == 5 else 0.2
            if column < 5 and known[column] >= 0:
                other = recogniser[row, known[column]]
            raw.append(gallery[row, column] ** 0.7 * other**0.3)
        np.testing.assert_allclose(joined[row], np.array(raw) / sum(raw))


def test_labels_go_by_name():
    assert known_labels(("a", "b", "c"), ("c", "a")).tolist() == [1, -1, 0]


def one_hot(labels, width, sure):
    table = np.full((len(labels), width), (1 - sure) / (width - 1))
    table[np.arange(len(labels)), labels] = sure
    return table


def test_the_better_expert_gets_the_weight():
    labels = np.array([0, 1, 2] * 10)
    wrong = (labels + 1) % 3
    known = np.array([0, 1, 2])
    good, bad = one_hot(labels, 4, 0.9), one_hot(wrong, 4, 0.9)
    assert choose_fusion(good, bad, known, labels).weight == 0
    assert choose_fusion(bad, good, known, labels).weight == 0.95


def test_novelty_is_chosen_where_new_skus_are_there_and_else_by_how_sure_right_answers_are():
    labels = np.array([0, 1, 2] * 10)
    known = np.array([0, 1, -1])  # SKU 2 is new: the recogniser calls it 0 or nothing
    gallery = one_hot(labels, 4, 0.5)
    recogniser = one_hot(np.where(labels == 2, 0, labels), 3, 0.8)
    fusion = choose_fusion(gallery, recogniser, known, labels)
    joined = fusion.join(gallery, recogniser, known)
    assert (joined.argmax(axis=1) == labels).all()
    assert 0 < fusion.weight
    old = labels < 2
    chosen = choose_fusion(gallery[old], recogniser[old], known, labels[old])
    assert chosen.novelty == pytest.approx(0.8)
    wrong = 1 - labels[old]  # never right: nothing is known of how sure it is when it is
    assert choose_fusion(gallery[old], recogniser[old], known, wrong).novelty == 0.5


def test_a_few_new_products_count_as_much_as_many_old_ones():
    """The recogniser calls the new SKU 2 an old one, a little less surely than a true old one."""
    labels = np.array([0, 1] * 45 + [2] * 10)
    gallery = one_hot(labels, 4, 0.6)
    recogniser = one_hot(np.where(labels == 2, 0, labels), 3, 0.9)
    recogniser[labels == 2] = [0.5, 0.25, 0.25]
    known = np.array([0, 1, -1])
    joined = choose_fusion(gallery, recogniser, known, labels).join(gallery, recogniser, known)
    assert (joined.argmax(axis=1) == labels).all()


def test_kinds_are_told_by_who_knows_the_sku():
    assert kinds_of(np.array([0, 1, 2]), np.array([4, -1])).tolist() == [0, 1, 2]


def test_what_does_not_fit_is_refused():
    gallery, recogniser, known = experts(0)
    with pytest.raises(ValueError, match="expected 5 labels"):
        Fusion().join(gallery, recogniser, known[:3])
    with pytest.raises(ValueError, match="labels -1 to 2"):
        Fusion().join(gallery, recogniser, known + 1)
    with pytest.raises(ValueError, match="SKUs"):
        Fusion().join(gallery[:2], recogniser, known)
    with pytest.raises(ValueError, match="none"):
        choose_fusion(gallery[:0], recogniser[:0], known, np.zeros(0, int))
    for values in ({"weight": 1.5}, {"novelty": 0}, {"weight": None}):
        with pytest.raises(ValueError, match="fusion"):
            Fusion(**values)
    with pytest.raises(ValueError, match="novelty"):
        Fusion.from_dict({"weight": 0.5})
