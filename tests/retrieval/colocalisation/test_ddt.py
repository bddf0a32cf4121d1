import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpc.retrieval.colocalisation.ddt import fit_axes, presence
from tests.retrieval.injected import CHANNELS, injected_set


def fit(maps):
    return fit_axes([[features] for features in maps])[0]


def indicators(maps):
    axis = fit(maps)
    return [axis.indicator(features) for features in maps]


def noise(seed, images=4):
    """Skewed cells, so that the sign is not a matter of rounding."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(3, 7, (images, 2))
    return [rng.gamma(1, size=(6, *size)) * np.arange(1, 7)[:, None, None] for size in sizes]


@given(seed=st.integers(0, 500))
@settings(max_examples=25)
def test_over_the_set_the_mean_is_0_and_the_variance_the_largest_eigenvalue(seed):
    maps = noise(seed)
    cells = np.concatenate([p.ravel() for p in indicators(maps)])
    rows = np.concatenate([m.reshape(6, -1).T for m in maps])
    largest = np.linalg.eigvalsh(np.cov(rows.T, bias=True))[-1]
    assert abs(cells.mean()) < 1e-12 * max(1, np.sqrt(largest)) * 10
    np.testing.assert_allclose(cells.var(), largest, rtol=1e-10)
    np.testing.assert_allclose(fit(maps).variance, largest, rtol=1e-10)


@given(seed=st.integers(0, 500))
@settings(max_examples=25)
def test_the_order_of_the_images_does_not_matter(seed):
    maps = noise(seed)
    order = np.random.default_rng(seed).permutation(len(maps))
    shuffled = indicators([maps[i] for i in order])
    for place, row in enumerate(order):
        np.testing.assert_allclose(shuffled[place], indicators(maps)[row], atol=1e-8)


@given(seed=st.integers(0, 500))
@settings(max_examples=25)
def test_neither_a_rotation_of_the_channels_nor_an_added_constant_changes_the_map(seed):
    maps = noise(seed)
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    constant = rng.normal(size=(6, 1, 1)) * 10
    rotated = [np.einsum("dc,chw->dhw", turn, m) + constant for m in maps]
    for one, other in zip(indicators(rotated), indicators(maps), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-7)


@given(seed=st.integers(0, 200), factor=st.floats(0.01, 100))
@settings(max_examples=25)
def test_brighter_features_scale_the_map(seed, factor):
    maps = noise(seed)
    for one, other in zip(indicators([factor * m for m in maps]), indicators(maps), strict=True):
        np.testing.assert_allclose(one, factor * other, atol=1e-7 * factor)


def test_the_smaller_part_of_the_pictures_is_positive_whichever_way_the_channels_point():
    maps = np.zeros((3, 1, 4, 5))
    maps[:, :, 1, 2] = -7  # the object is darker than the rest
    axis = fit(list(maps))
    assert (axis.indicator(maps[0]) > 0).sum() == 1
    assert axis.skewness > 0
    assert axis.border_gap > 0


def test_two_equal_halves_are_told_apart_by_the_largest_coefficient():
    maps = np.zeros((1, 2, 2, 4))
    maps[0, 1, :, :2] = 1
    assert fit(list(maps)).indicator(maps[0])[0].tolist() == [0.5, 0.5, -0.5, -0.5]


def test_all_variance_lies_along_the_axis_of_a_set_that_varies_in_one_direction():
    maps = np.zeros((2, 3, 3, 3))
    maps[:, 1, 0, 0] = 1
    assert fit(list(maps)).share == pytest.approx(1)


@pytest.mark.parametrize("value", [0.0, 0.1, -3e5])
def test_a_set_of_constant_images_has_no_axis_and_no_positive_cell(value):
    maps = [np.full((4, 3, 5), value, np.float32), np.full((4, 2, 2), value, np.float32)]
    axis = fit(maps)
    assert (axis.variance, axis.share, axis.skewness) == (0, 0, 0)
    assert not axis.indicator(maps[0]).any()


def test_one_descriptor_alone_has_no_axis():
    assert presence(fit([np.ones((5, 1, 1))]).indicator(np.ones((5, 1, 1)))) == 0


def test_layers_are_fitted_each_for_itself():
    maps = noise(3)
    others = noise(4)
    pair = fit_axes(list(zip(maps, others, strict=True)))
    np.testing.assert_array_equal(pair[0].axis, fit(maps).axis)
    np.testing.assert_array_equal(pair[1].axis, fit(others).axis)


def test_images_without_the_object_have_the_lowest_presence():
    there = np.arange(20) % 5 > 0  # four images of noise
    maps, _ = injected_set(20, seed=5, with_object=there)
    scores = np.array([presence(p) for p in indicators(maps)])
    assert scores[~there].max() < scores[there].min()


def test_values_that_are_not_finite_are_told_with_their_image():
    maps = [np.zeros((2, 3, 3)), np.zeros((2, 3, 3))]
    maps[1][1, 0, 2] = np.nan
    with pytest.raises(ValueError, match=r"image 1: features: channel 1, cell \(0, 2\) is nan"):
        fit(maps)


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ([], "1 image or more"),
        ([[np.zeros((2, 3))]], r"image 0: features: expected shape \(C, h, w\)"),
        ([[np.zeros((2, 3, 3))], [np.zeros((3, 3, 3))]], r"image 1: .*\(M, 2\)"),
        ([[np.zeros((2, 3, 3))], [np.zeros((2, 3, 3))] * 2], "image 1: 2 layers, expected 1"),
        (iter([[np.zeros((2, 3, 3))]]), "two are needed"),
    ],
)
def test_what_is_no_set_of_maps_is_refused(features, said):
    with pytest.raises(ValueError, match=said):
        fit_axes(features)


def test_another_number_of_channels_and_an_empty_map_are_refused():
    with pytest.raises(ValueError, match=f"3 channels, expected {CHANNELS}"):
        fit(injected_set(3)[0]).indicator(np.zeros((3, 2, 2)))
    with pytest.raises(ValueError, match="1 cell or more"):
        presence(np.zeros((0, 3)))
