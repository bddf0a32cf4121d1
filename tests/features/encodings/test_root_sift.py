import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.features.encodings.root_sift import dense_root_sift, root_sift


def _noise(height=40, width=56, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(st.integers(0, 1000))
def test_the_dot_product_is_the_hellinger_kernel(seed):
    sift = np.random.default_rng(seed).random((2, 128)) * 255
    share = sift / sift.sum(axis=1, keepdims=True)
    first, second = root_sift(sift)
    assert first @ second == pytest.approx(np.sqrt(share[0] * share[1]).sum(), rel=1e-5)
    assert first @ first == pytest.approx(1, rel=1e-5)


def test_descriptors_have_unit_length_and_there_is_one_a_place_and_size():
    found = dense_root_sift(_noise(), sizes=(16, 32), step=8)
    assert found.shape == (4 * 6 + 2 * 4, 128)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-5)


def test_a_photo_moved_by_a_step_has_the_same_descriptors_inside():
    photo = _noise(64, 64)
    here = dense_root_sift(photo, sizes=(16,), step=8).reshape(7, 7, 128)
    moved = dense_root_sift(np.roll(photo, 8, axis=1), sizes=(16,), step=8).reshape(7, 7, 128)
    np.testing.assert_allclose(moved[2:5, 3:5], here[2:5, 2:4], atol=0.05)


@pytest.mark.parametrize("shape", [(1, 1), (15, 40), (8, 8)])
def test_a_photo_smaller_than_every_patch_has_none(shape):
    assert dense_root_sift(_noise(*shape)).shape == (0, 128)


def test_a_constant_photo_has_nothing_to_describe():
    assert dense_root_sift(np.full((60, 60, 3), 90, np.uint8)).shape == (0, 128)


def test_bad_arguments_are_told():
    with pytest.raises(ValueError, match="uint8"):
        dense_root_sift(np.zeros((4, 4)))
    with pytest.raises(ValueError, match="at least 1 px"):
        dense_root_sift(_noise(), step=0)
