"""Maps of several depths, pooled or brought onto one grid."""

import torch

from rpc.features.backbones.trainable_backbone import joined_depths, pooled_depths


def depths(count=2):
    chance = torch.Generator().manual_seed(0)
    coarse = torch.rand(count, 3, 4, 5, generator=chance)
    return torch.rand(count, 2, 8, 10, generator=chance), coarse


def test_depths_are_joined_on_the_cells_of_the_finest_whatever_their_order():
    fine, coarse = depths()
    joined = joined_depths((fine, coarse))
    assert joined.shape == (2, 5, 8, 10)
    assert torch.equal(joined[:, :2], fine)
    swapped = joined_depths((coarse, fine))
    assert torch.equal(swapped[:, 3:], fine)
    assert torch.equal(swapped[:, :3], joined[:, 2:])


def test_a_coarse_map_keeps_its_mean_and_what_is_the_same_everywhere():
    fine, coarse = depths()
    joined = joined_depths((fine, coarse))
    assert torch.allclose(pooled_depths([joined]), pooled_depths((fine, coarse)), atol=1e-5)
    flat = joined_depths((fine, torch.full_like(coarse, 0.7)))[:, 2:]
    assert torch.allclose(flat, torch.full_like(flat, 0.7))


def test_one_depth_stays_as_it_is_and_no_photo_gives_no_map():
    fine, coarse = depths()
    assert joined_depths([coarse]) is coarse
    assert joined_depths(depths(0)).shape == (0, 5, 8, 10)
    assert torch.equal(joined_depths([fine, fine])[:, 2:], fine)
