import pytest
import torch

from rpc.features.backbones.fully_convolutional import FullyConvolutional


@pytest.mark.parametrize(("count", "side", "cells"), [(0, 64, 32), (1, 64, 32), (2, 72, 36)])
def test_scores_come_at_four_times_the_cells_of_the_finest_stage(count, side, cells):
    network = FullyConvolutional(3, pretrained=False)
    assert network(torch.rand(count, 3, side, side) * 255).shape == (count, 3, cells, cells)


def test_scores_of_all_depths_are_added():
    torch.manual_seed(0)
    network = FullyConvolutional(2, pretrained=False).eval()
    photos = torch.rand(1, 3, 64, 64) * 255
    with torch.no_grad():
        for layer in network.scores:
            layer.weight.zero_()
        for value, layer in zip((1.0, 10.0, 100.0), network.scores, strict=True):
            layer.bias.fill_(value)
        assert torch.allclose(network(photos), torch.full((1, 2, 32, 32), 111.0))


def test_stages_go_from_fine_to_coarse():
    with pytest.raises(ValueError, match="from fine to coarse"):
        FullyConvolutional(2, stages=(4, 3), pretrained=False)
