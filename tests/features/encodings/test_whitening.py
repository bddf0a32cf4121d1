import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.files import DataError
from rpc.features.encodings.whitening import fit_whitening, read_whitening, write_whitening
from rpc.runs.tensor_files import write_tensors

seeds = st.integers(0, 10_000)


def _gallery(seed, count=50, dimension=6):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, dimension)) @ rng.normal(size=(dimension, dimension)) + 3


@given(seeds)
def test_over_the_gallery_every_direction_has_mean_0_and_variance_1(seed):
    gallery = _gallery(seed)
    scores = fit_whitening(gallery, 6).scores(gallery)
    np.testing.assert_allclose(np.cov(scores.T), np.eye(6), atol=1e-6)
    np.testing.assert_allclose(scores.mean(axis=0), 0, atol=1e-6)


@given(seeds)
def test_a_shift_of_everything_changes_nothing(seed):
    gallery = _gallery(seed)
    query = _gallery(seed + 1, 5)
    shifted = fit_whitening(gallery + 5, 3)(query + 5)
    np.testing.assert_allclose(shifted, fit_whitening(gallery, 3)(query), atol=1e-7)


def test_the_strongest_directions_are_kept_and_queries_have_unit_length():
    rng = np.random.default_rng(0)
    gallery = rng.normal(size=(200, 4)) * [1, 10, 0.1, 5]
    whitening = fit_whitening(gallery, 2)
    assert np.abs(whitening.axes).argmax(axis=1).tolist() == [1, 3]
    np.testing.assert_allclose(np.linalg.norm(whitening(gallery[:7]), axis=1), 1)
    assert whitening(gallery[0]).shape == (2,)


def test_a_small_gallery_gives_fewer_directions_than_asked_for():
    assert len(fit_whitening(_gallery(0, count=4), 6).axes) == 3
    flat = np.outer(np.arange(5.0), np.ones(6))
    assert len(fit_whitening(flat, 6).axes) == 1


def test_axes_point_where_their_largest_coefficient_is_positive():
    axes = fit_whitening(_gallery(4), 6).axes
    largest = axes[np.arange(6), np.abs(axes).argmax(axis=1)]
    assert (largest > 0).all()


def test_what_was_written_is_read_again(tmp_path):
    whitening = fit_whitening(_gallery(0).astype(np.float32), 4)
    again = read_whitening(write_whitening(tmp_path / "w.pth", whitening))
    query = _gallery(1).astype(np.float32)
    np.testing.assert_array_equal(again(query), whitening(query))


def test_bad_galleries_and_files_are_told_in_one_line(tmp_path):
    with pytest.raises(ValueError, match="at least two gallery vectors"):
        fit_whitening(_gallery(0, count=1), 2)
    with pytest.raises(ValueError, match="all gallery vectors are equal"):
        fit_whitening(np.ones((4, 3)), 2)
    with pytest.raises(ValueError, match="NaN"):
        fit_whitening(np.full((4, 3), np.nan), 2)
    whitening = fit_whitening(_gallery(0), 2)
    with pytest.raises(ValueError, match=r"expected \(\.\.\., 6\), got \(3, 5\)"):
        whitening(np.zeros((3, 5)))
    with pytest.raises(DataError, match="holds no whitening"):
        read_whitening(write_tensors(tmp_path / "other.pth", {"mean": torch.zeros(3)}))
    parts = {"mean": torch.zeros(3), "axes": torch.zeros(2, 4), "deviations": torch.ones(2)}
    with pytest.raises(DataError, match="do not fit together"):
        read_whitening(write_tensors(tmp_path / "odd.pth", {"kind": "whitening", **parts}))
