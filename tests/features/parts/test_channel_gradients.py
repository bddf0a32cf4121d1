import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from rpc.features.parts.channel_gradients import channel_gradients, gradient_places, smoothed


def test_the_gradient_of_a_convolution_is_its_kernel():
    below = torch.rand(2, 3, 8, 8, requires_grad=True)
    kernel = torch.randn(4, 3, 1, 1)
    found = channel_gradients(torch.nn.functional.conv2d(below, kernel), below)
    assert found.shape == (2, 4, 8, 8)
    wanted = kernel[:, :, 0, 0].abs().sum(dim=1)
    assert torch.allclose(found, wanted[None, :, None, None].expand_as(found))


def test_a_channel_is_found_where_its_pattern_is_and_else_is_out_of_sight():
    """Two detectors: of a bright cell in red, and in blue, which the second photo lacks."""
    photos = torch.zeros(2, 3, 16, 16)
    photos[0, 0, 3, 12] = photos[0, 2, 10, 5] = photos[1, 0, 8, 1] = 1.0
    photos.requires_grad_(True)
    maps = torch.relu(photos[:, [0, 2]] - 0.5)
    gradients = channel_gradients(maps, photos)
    places, seen = gradient_places(gradients)
    assert seen.tolist() == [[True, True], [True, False]]
    cells = ((places + 1) * 8 - 0.5).round().int()  # x, y
    assert cells[0].tolist() == [[12, 3], [5, 10]]
    assert cells[1, 0].tolist() == [1, 8]


def test_chosen_channels_are_those_asked_for_in_their_order():
    below = torch.rand(1, 2, 6, 6, requires_grad=True)
    maps = torch.stack([(n + 1) * below.sum(dim=1) for n in range(4)], dim=1)
    found = channel_gradients(maps, below, [3, 0])
    assert found.amax(dim=(2, 3)).tolist() == [[8.0, 2.0]]
    assert channel_gradients(maps, below, []).shape == (1, 0, 6, 6)


def test_smoothing_is_a_gaussian_with_the_border_going_on():
    maps = torch.rand(2, 3, 20, 24, generator=torch.Generator().manual_seed(0))
    wanted = gaussian_filter(maps.numpy(), (0, 0, 1.5, 1.5), mode="nearest", radius=(0, 0, 4, 4))
    assert np.allclose(smoothed(maps, 1.5).numpy(), wanted, atol=1e-5)
    assert torch.equal(smoothed(maps, 0.1), maps)


@pytest.mark.parametrize("shape", [(0, 3, 8, 8), (2, 0, 8, 8)])
def test_nothing_has_no_places(shape):
    places, seen = gradient_places(torch.zeros(shape))
    assert places.shape == (*shape[:2], 2)
    assert seen.shape == shape[:2]
