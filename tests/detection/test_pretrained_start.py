"""A training starts from the weights that fit, and from no other architecture."""

import pytest
import torch
from torch import nn

from rpc.data import Category, DataError, Taxonomy
from rpc.detection.model_file import SavedModel, write_model
from rpc.detection.pretrained_start import load_start

PRODUCT = Taxonomy([Category(1, "product")])


def network(labels):
    return nn.Sequential(nn.Linear(8, 16), nn.Linear(16, labels))


@pytest.fixture
def start(tmp_path):
    model = network(1)
    saved = SavedModel(model.state_dict(), "{}", PRODUCT)
    return write_model(tmp_path / "start.pth", saved), model


def test_all_but_the_last_layer_is_taken_over(start):
    path, source = start
    model = network(3)
    own = model[1].weight.detach().clone()
    assert load_start(model, path) == 2
    assert torch.equal(model[0].weight, source[0].weight.half().float())
    assert torch.equal(model[0].bias, source[0].bias.half().float())
    assert torch.equal(model[1].weight, own)


def test_a_model_of_the_same_skus_is_taken_over_whole(start):
    assert load_start(network(1), start[0]) == 4


def test_another_architecture_is_refused_and_nothing_is_changed(start):
    model = nn.Sequential(nn.Linear(8, 16), nn.Linear(16, 99))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(DataError, match=r"start\.pth: a model of another architecture"):
        load_start(model, start[0])
    assert all(torch.equal(before[name], v) for name, v in model.state_dict().items())


def test_a_missing_start_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such checkpoint"):
        load_start(network(1), tmp_path / "none.pth")
