"""The learnt projection: what differs within a class shrinks, what tells classes apart stays."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.files import DataError
from rpc.features.encodings.discriminant import (
    fit_discriminant,
    read_discriminant,
    write_discriminant,
)
from rpc.runs.tensor_files import write_tensors

seeds = st.integers(0, 1000)


def examples(seed, classes=12, each=6, dimension=10):
    """Classes differ along three directions; the first direction is a strong nuisance."""
    rng = np.random.default_rng(seed)
    centres = np.zeros((classes, dimension))
    centres[:, 1:4] = rng.normal(size=(classes, 3))
    labels = np.repeat(np.arange(classes), each)
    noise = rng.normal(size=(len(labels), dimension)) * np.r_[6, np.full(dimension - 1, 0.1)]
    return centres[labels] + noise, labels


def nearest_is_right(vectors, labels):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    likeness = unit @ unit.T - 2 * np.eye(len(unit))
    return (labels[likeness.argmax(axis=1)] == labels).mean()


@pytest.mark.parametrize("seed", range(5))
def test_classes_never_seen_are_told_apart_in_spite_of_the_nuisance(seed):
    vectors, labels = examples(seed)
    fitted = fit_discriminant(vectors, labels, 3, ridge=0.01)
    others, names = examples(seed + 5000)
    learnt = nearest_is_right(fitted(others), names)
    assert learnt > 0.8
    assert learnt > nearest_is_right(others, names) + 0.1


def test_without_a_ridge_it_spans_fishers_directions():
    vectors, labels = examples(3, classes=30, each=40)
    fitted = fit_discriminant(vectors, labels, 3, ridge=0)
    means = np.stack([vectors[labels == c].mean(axis=0) for c in range(30)])
    within = vectors - means[labels]
    # Fisher: the leading eigenvectors of Sw^-1 Sb.
    strength, axes = np.linalg.eig(np.linalg.solve(within.T @ within, np.cov(means.T, bias=True)))
    fisher = axes[:, np.argsort(-strength.real)[:3]].real
    _, angles, _ = np.linalg.svd(np.linalg.qr(fisher)[0].T @ np.linalg.qr(fitted.axes.T)[0])
    np.testing.assert_allclose(angles, 1, atol=1e-3)


@given(seeds)
def test_the_order_of_examples_and_a_shift_of_all_change_nothing(seed):
    vectors, labels = examples(seed)
    query = np.random.default_rng(seed).normal(size=(4, 10))
    expected = fit_discriminant(vectors, labels, 3)(query)
    order = np.random.default_rng(seed).permutation(len(labels))
    moved = fit_discriminant(vectors[order] + 2, labels[order], 3)(query + 2)
    np.testing.assert_allclose(moved @ moved.T, expected @ expected.T, atol=1e-3)


def test_answers_have_unit_length_and_the_mean_is_zero():
    vectors, labels = examples(0)
    fitted = fit_discriminant(vectors, labels, 3)
    np.testing.assert_allclose(np.linalg.norm(fitted(vectors), axis=1), 1, atol=1e-6)
    assert not fitted(fitted.mean[None]).any()
    assert fitted(np.zeros((0, 10))).shape == (0, 3)


def test_no_more_directions_than_the_class_means_span():
    vectors, labels = examples(0, classes=4)
    assert len(fit_discriminant(vectors, labels, 50).axes) == 3


def test_more_dimensions_than_examples():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(12, 400)).astype(np.float32)
    assert fit_discriminant(vectors, np.arange(12) // 2, 4).axes.shape == (4, 400)


@pytest.mark.parametrize(
    ("vectors", "labels"),
    [
        (np.ones((4, 3)), [0, 0, 1, 1]),
        (np.eye(4), [0, 0, 0, 0]),
        (np.eye(4), [0, 1, 2, 3]),
        (np.eye(4), [0, 1]),
        (np.full((4, 3), np.nan), [0, 0, 1, 1]),
    ],
)
def test_what_nothing_can_be_learnt_from_is_refused(vectors, labels):
    with pytest.raises(ValueError, match=r"expected|equal|NaN"):
        fit_discriminant(vectors, np.array(labels), 2)


def test_a_file_gives_back_the_same_projection(tmp_path):
    vectors, labels = examples(1)
    fitted = fit_discriminant(vectors, labels, 3)
    path = write_discriminant(tmp_path / "p.pth", fitted, {"seed": 4})
    read, origin = read_discriminant(path)
    np.testing.assert_allclose(read(vectors), fitted(vectors), atol=2e-3)
    assert origin == {"seed": 4}


def test_another_file_is_refused(tmp_path):
    path = write_tensors(tmp_path / "p.pth", {"kind": "whitening", "mean": torch.zeros(3)})
    with pytest.raises(DataError, match="no discriminant"):
        read_discriminant(path)
