import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.features.pooling.global_pooling import average_and_max_pool
from rpc.retrieval.descriptors.scda import (
    scda,
    scda_flip_plus,
    scda_plus,
    selected_descriptors,
    selected_pool,
)
from rpc.retrieval.descriptors.selection import (
    activation_mask,
    largest_component,
    object_mask,
    resized_mask,
)

seeds = st.integers(0, 10_000)
GOLDEN = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1], [1, 0, 0, 0]], dtype=bool)


def _map(seed, shape=(5, 6, 7)):
    return np.random.default_rng(seed).random(shape)


def _blob(top, left, height, width, shape=(4, 12, 14), background=0.1):
    one = np.full(shape, background)
    one[:, top : top + height, left : left + width] = 1.0
    return one


def test_pieces_hang_together_over_corners():
    largest = largest_component(GOLDEN)
    assert largest.sum() == 6
    assert not largest[3, 0]


def test_of_two_pieces_equally_large_the_first_is_taken():
    mask = np.array([[1, 0, 1], [1, 0, 1]], dtype=bool)
    np.testing.assert_array_equal(largest_component(mask), mask & (np.arange(3) == 0))


@given(seeds, st.floats(0.001, 1000))
def test_a_brighter_map_has_the_same_mask_and_the_same_descriptor(seed, factor):
    one = _map(seed)
    np.testing.assert_array_equal(object_mask(one * factor), object_mask(one))
    np.testing.assert_allclose(scda(one * factor), scda(one), rtol=1e-9)


@given(seeds)
def test_what_lies_outside_the_mask_does_not_matter(seed):
    one = _map(seed)
    outside = ~object_mask(one)
    shuffled = one.copy()
    order = np.random.default_rng(seed).permutation(int(outside.sum()))
    shuffled[:, outside] = one[:, outside][:, order]
    same_mask = selected_pool(shuffled, object_mask(one))
    np.testing.assert_allclose(same_mask, scda(one), rtol=1e-12)


def test_cells_below_the_mean_can_change_places():
    one = _blob(3, 3, 5, 5)
    one[:, 0, :4] = np.array([0.0, 0.05, 0.15, 0.2])
    moved = one.copy()
    moved[:, 0, :4] = one[:, 0, 3::-1]
    np.testing.assert_allclose(scda(moved), scda(one))


@given(seeds)
def test_the_mirrored_map_has_the_same_descriptor(seed):
    one, finer = _map(seed), _map(seed + 1, (3, 12, 14))
    np.testing.assert_allclose(scda(one[:, :, ::-1]), scda(one), rtol=1e-9)
    mirrored = scda_plus(one[:, :, ::-1], finer[:, :, ::-1])
    np.testing.assert_allclose(mirrored, scda_plus(one, finer), rtol=1e-9)


@given(seeds)
def test_every_block_has_its_own_length(seed):
    one, finer = _map(seed), _map(seed, (3, 12, 14))
    plus = scda_plus(one, finer)
    lengths = [np.linalg.norm(block) for block in np.split(plus, [5, 10, 13])]
    np.testing.assert_allclose(lengths, [1, 1, 0.5, 0.5])
    assert np.linalg.norm(scda(one)) == pytest.approx(2**0.5)
    assert np.linalg.norm(plus) == pytest.approx(2.5**0.5)
    rgb = np.zeros((4, 6, 3), np.uint8)
    both = scda_flip_plus(rgb, lambda photo: (one, finer))
    assert both.shape == (32,)
    assert np.linalg.norm(both) == pytest.approx(5**0.5)


def test_the_mirror_image_goes_through_the_network_again():
    rgb = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    seen = []

    def maps(photo):
        seen.append(photo.copy())
        one = photo.transpose(2, 0, 1).astype(float)
        one[:, :, 0] *= 3  # not the same for a mirror image
        return one, one

    found = scda_flip_plus(rgb, maps)
    np.testing.assert_array_equal(seen[1], rgb[:, ::-1])
    np.testing.assert_allclose(found[:12], scda_plus(*maps(rgb)))
    np.testing.assert_allclose(found[12:], scda_plus(*maps(rgb[:, ::-1])))
    assert not np.allclose(found[:12], found[12:])


@pytest.mark.parametrize("value", [0.0, 0.1, 1 / 3, 1e20])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_constant_map_has_an_empty_mask_and_a_zero_vector(value, kind):
    one, finer = np.full((7, 9, 11), value, kind), np.full((3, 18, 22), value, kind)
    assert not object_mask(one).any()
    assert scda(one).tolist() == [0.0] * 14
    assert scda_plus(one, finer).tolist() == [0.0] * 20
    assert selected_descriptors(one).shape == (0, 7)
    assert not largest_component(np.zeros((3, 3), bool)).any()


@given(
    st.integers(0, 7), st.integers(0, 8), st.integers(3, 5), st.integers(3, 6), st.integers(0, 99)
)
def test_a_bright_blob_is_covered(top, left, height, width, seed):
    one = _blob(top, left, height, width)
    one += np.random.default_rng(seed).uniform(0, 0.1, one.shape)
    truth = np.zeros(one.shape[1:], bool)
    truth[top : top + height, left : left + width] = True
    mask = object_mask(one)
    assert (mask & truth).sum() / (mask | truth).sum() > 0.5


def test_a_smaller_bright_spot_elsewhere_is_left_out():
    one = _blob(5, 5, 6, 6)
    one[:, 0, 0] = 5.0
    assert activation_mask(one)[0, 0]
    assert not object_mask(one)[0, 0]
    assert scda(one)[4:].max() == pytest.approx(0.5)  # four channels alike: the spot has no say


def test_only_the_finer_cells_on_the_object_count_and_need_not_hang_together():
    last = np.zeros((1, 2, 2))
    last[0, 0, 0] = 1
    finer = np.zeros((2, 4, 4))
    finer[:, 0, 0] = [3, 4]
    finer[:, 1, 1] = [3, 4]
    finer[:, 3, 3] = 100  # bright, and off the object
    finer[:, 3, 0] = -100  # keeps the mean low
    np.testing.assert_allclose(scda_plus(last, finer)[2:], 0.5 * np.array([0.6, 0.8, 0.6, 0.8]))


def test_a_finer_map_without_a_chosen_cell_gives_zeros_for_its_blocks_only():
    last = np.zeros((1, 2, 2))
    last[0, 0, 0] = 1
    finer = np.zeros((2, 4, 4))
    finer[:, 3, 3] = 1
    assert scda_plus(last, finer).tolist() == [1, 1, 0, 0, 0, 0]


def test_one_descriptor_has_nothing_above_the_mean():
    one = np.ones((3, 1, 1))
    assert not object_mask(one).any()
    assert scda(one).tolist() == [0.0] * 6


def test_a_full_mask_is_plain_average_and_maximum():
    one = _map(0)
    np.testing.assert_allclose(selected_pool(one, np.ones((6, 7), bool)), average_and_max_pool(one))


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4))
def test_a_mask_grows_by_whole_cells(height, width, factor):
    mask = np.random.default_rng(height * 10 + width).random((height, width)) > 0.5
    grown = resized_mask(mask, height * factor, width * factor)
    np.testing.assert_array_equal(grown, np.kron(mask, np.ones((factor, factor), bool)))


def test_bad_maps_are_told_in_one_line():
    broken = _map(0)
    broken[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="1 of 210 values are NaN or infinite"):
        scda(broken)
    with pytest.raises(ValueError, match=r"mask: expected \(6, 7\), got \(2, 2\)"):
        selected_pool(_map(0), np.ones((2, 2), bool))
    with pytest.raises(ValueError, match="at least 1"):
        resized_mask(np.ones((2, 2), bool), 0, 3)
