import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score

from rpc.features.encodings.local_encodings import fit_fisher
from rpc.features.parts.importance import cluster_importance, mutual_information


@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 5))
def test_it_is_scikit_learns(seed, count, classes):
    rng = np.random.default_rng(seed)
    bits, labels = rng.random((count, 4)) < 0.4, rng.integers(0, classes, count)
    wanted = [mutual_info_score(labels, column) for column in bits.T]
    assert np.allclose(mutual_information(bits, labels), wanted, atol=1e-9)


def test_what_is_independent_of_the_label_tells_nothing():
    labels = np.repeat([0, 1, 2], 4)
    bits = np.tile([True, False], 6)[:, None]
    assert mutual_information(bits, labels)[0] == pytest.approx(0, abs=1e-12)


def test_what_decides_the_label_tells_all_of_it():
    labels = np.array([0, 0, 0, 1])
    entropy = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert mutual_information((labels == 1)[:, None], labels)[0] == pytest.approx(entropy)


def test_of_many_classes_a_bit_tells_its_share():
    labels = np.repeat(np.arange(4), 5)
    information = mutual_information(np.stack([labels == 0, labels < 2], axis=1), labels)
    assert information[0] == pytest.approx(-(0.25 * np.log(0.25) + 0.75 * np.log(0.75)))
    assert information[1] == pytest.approx(np.log(2))


@given(st.integers(0, 10_000))
def test_names_of_classes_and_the_order_of_photos_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    values, labels = rng.normal(size=(12, 3, 2)), rng.integers(0, 3, 12)
    order = rng.permutation(12)
    renamed = np.array([7, 2, 5])[labels]
    found = cluster_importance(values[order], renamed[order])
    assert np.allclose(found, cluster_importance(values, labels))


def test_a_injected_patch_ranks_first():
    """40 patches a photo: clutter of three kinds, a fourth by chance, and one by the class."""
    rng = np.random.default_rng(0)
    kinds = 4 * np.eye(5, 8)
    labels = np.arange(60) % 2
    photos = []
    for label in labels:
        chosen = rng.integers(0, 3, 40)
        chosen[:4] = 3 if rng.random() < 0.5 else rng.integers(0, 3, 4)
        chosen[4:8] = 4 if label else rng.integers(0, 3, 4)
        photos.append(kinds[chosen] + rng.normal(0, 0.3, (40, 8)))
    fisher = fit_fisher(np.concatenate(photos), 8, 0)
    encodings = np.stack([fisher.gradient(x).transpose(1, 0, 2).reshape(8, -1) for x in photos])
    information = cluster_importance(encodings, labels)
    kind = np.array([np.square(kinds - mean).sum(axis=1).argmin() for mean in fisher.means])
    assert set(kind.tolist()) == {0, 1, 2, 3, 4}
    assert kind[information.argmax()] == 4
    assert information[kind != 4].max() < information.max() / 3
    assert information.max() <= np.log(2) + 1e-9


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="of a photo or more"):
        mutual_information(np.zeros((0, 2), bool), np.zeros(0, int))
    with pytest.raises(ValueError, match=r"\(N, T, V\)"):
        cluster_importance(np.zeros((3, 2)), np.zeros(3, int))
