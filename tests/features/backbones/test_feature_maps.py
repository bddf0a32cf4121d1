import numpy as np
import pytest
import timm
import torch
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.files import DataError
from rpc.features.backbones import timm_networks
from rpc.features.backbones.feature_maps import FeatureMaps, fitted_size
from rpc.features.backbones.network import Pretrained
from tests.runs.device_calls import META, devices_used


def _photo(height=70, width=90, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def lite():
    return FeatureMaps("efficientnet_lite0", ("last", "finer", 3, -1))


def test_the_default_layers_are_rectified_and_differ_by_one_halving(lite):
    last, finer, stage, deepest = lite(_photo(96, 128))
    assert last.shape == (1280, 3, 4)
    assert finer.shape == (672, 6, 8)
    assert stage.shape == (112, 6, 8)
    assert deepest.shape == (320, 3, 4)
    assert last.dtype == np.float32
    assert min(last.min(), finer.min()) >= 0 > deepest.min()


def test_layers_come_in_the_order_asked_for():
    photo = _photo()
    one = FeatureMaps(layers=(-1, 2, "last"))(photo)
    other = FeatureMaps(layers=("last", -1, 2))(photo)
    for ours, theirs in zip(one, (other[1], other[2], other[0]), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_the_same_photo_has_the_same_maps_and_another_has_others(lite):
    first, again, other = (lite(_photo(seed=seed))[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("shape", [(1, 1), (1, 20), (30, 2)])
def test_the_smallest_photos_have_cells(lite, shape):
    maps = lite(_photo(*shape))
    assert all(min(one.shape) >= 1 for one in maps)


def test_what_is_no_photo_is_refused(lite):
    for bad in (np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match=r"expected uint8 \(H, W, 3\)"):
            lite(bad)


def test_identity_tells_backbones_layers_and_sizes_apart(lite):
    assert lite.identity["layers"] == ["bn2", "blocks.5.0.bn1", "3", "-1"]
    assert FeatureMaps(short_side=500).identity != FeatureMaps(short_side=600).identity


def test_weights_that_give_nan_are_told_in_one_line(lite):
    broken = FeatureMaps("efficientnet_lite0")
    with torch.no_grad():
        next(broken.network.module.parameters()).fill_(torch.nan)
    with pytest.raises(DataError, match=r"not finite: the weights .* are damaged"):
        broken(_photo())


@pytest.mark.parametrize("layer", ["relu9_1", "", 5, -6])
def test_an_unknown_layer_is_told_with_those_there_are(layer):
    with pytest.raises(DataError, match=r"no layer .*expected last, finer, a stage's number"):
        FeatureMaps(layers=(layer,))


def test_bad_sizes_are_refused():
    with pytest.raises(ValueError, match="at least one layer"):
        FeatureMaps(layers=())
    with pytest.raises(ValueError, match="least_side <= short_side"):
        FeatureMaps(short_side=32)


@pytest.fixture(scope="module")
def vgg_maps(vgg_file):
    return FeatureMaps("vgg16", ("pool5", "relu5_2", "conv5_2", "last", -2), weights=vgg_file)


def test_vgg_has_the_layers_that_papers_name(vgg_maps):
    pool, relu, conv, last, fourth = vgg_maps(_photo(64, 96))
    assert pool.shape == (512, 2, 3)
    assert relu.shape == (512, 4, 6)
    assert fourth.shape == (512, 4, 6)
    np.testing.assert_array_equal(relu, np.maximum(conv, 0))
    np.testing.assert_array_equal(last, pool)
    assert conv.min() < 0


def test_vgg_s_layers_have_torchvision_s_places(vgg_maps):
    aliases = vgg_maps.network.aliases
    # SCDA's pool5 is features[:31] and its relu5_2 features[:28]: the last of each counts.
    assert (aliases["pool5"], aliases["relu5_2"], aliases["relu5_3"]) == ("30", "27", "29")


def test_the_caffe_port_gets_caffe_s_pixels(vgg_maps):
    assert vgg_maps.network.std == (1.0, 1.0, 1.0)
    assert vgg_maps.network.mean[0] == pytest.approx(123.0, abs=0.01)


def test_vgg_from_torchvision_s_cache_and_without_it(vgg_file, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))

    def offline(*_args, **_options):
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)
    with pytest.raises(DataError, match=r"vgg16: its weights are not on .*no network.*--weights"):
        FeatureMaps("vgg16")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "vgg16-397923af.pth").hardlink_to(vgg_file)
    found = FeatureMaps("vgg16").network
    assert found.weights == "vgg16-397923af.pth"
    assert found.std == pytest.approx((58.4, 57.1, 57.4), 1e-2)  # not the Caffe port


def test_a_file_of_other_weights_is_told(tmp_path, vgg_file):
    torch.save({"features.0.weight": torch.zeros(2, 2)}, tmp_path / "odd.pth")
    with pytest.raises(DataError, match="not the weights of torchvision's vgg16"):
        FeatureMaps("vgg16", weights=tmp_path / "odd.pth")
    with pytest.raises(DataError, match=r"(?s)not the weights of timm's test_resnet"):
        FeatureMaps("test_resnet", weights=vgg_file)
    for name in ("test_resnet", "efficientnet_lite0", "vgg16"):
        with pytest.raises(DataError, match="no such"):
            FeatureMaps(name, weights=tmp_path / "missing.pth")


@pytest.mark.parametrize(
    ("name", "shapes"),
    [("test_resnet", ((3, 3), (6, 6))), ("test_efficientnet", ((3, 3), (6, 6)))],
)
def test_any_network_of_timm_by_name(name, shapes, tmp_path):
    torch.manual_seed(0)
    torch.save(timm.create_model(name, num_classes=0).state_dict(), tmp_path / "w.pth")
    maps = FeatureMaps(name, ("last", "finer"), weights=tmp_path / "w.pth")
    last, finer = maps(_photo(96, 96))
    assert (last.shape[1:], finer.shape[1:]) == shapes


@pytest.mark.parametrize("wrapped", [False, True])
def test_published_files_have_a_classifier_that_is_left_out(tmp_path, wrapped):
    torch.manual_seed(0)
    whole = timm.create_model("test_resnet", num_classes=7)
    state = whole.state_dict()
    content = {"state_dict": {f"module.{k}": v for k, v in state.items()}} if wrapped else state
    torch.save(content, tmp_path / "w.pth")
    network = FeatureMaps("test_resnet", ("last",), weights=tmp_path / "w.pth").network
    assert torch.equal(network.module.state_dict()["conv1.0.weight"], state["conv1.0.weight"])


def test_a_transformer_takes_photos_of_any_size(tmp_path):
    torch.manual_seed(0)
    torch.save(timm.create_model("test_vit", num_classes=0).state_dict(), tmp_path / "w.pth")
    maps = FeatureMaps("test_vit", ("last", "finer"), weights=tmp_path / "w.pth")
    last, finer = maps(_photo(70, 130))
    assert last.shape[1:] == finer.shape[1:] == (4, 8)  # patches of 16 px


def test_without_weights_and_network_one_line_says_what_to_do(monkeypatch):
    def offline(*_args, **_options):
        raise RuntimeError("the hub is not reached\nmore lines")

    monkeypatch.setattr(timm_networks.timm, "create_model", offline)
    with pytest.raises(
        DataError, match=r"resnet50: .*the hub is not reached\): .*--weights"
    ) as told:
        FeatureMaps("resnet50")
    assert "\n" not in str(told.value)


def test_an_unknown_backbone_is_told():
    with pytest.raises(DataError, match="backbone resnetti: unknown; expected efficientnet_lite0"):
        FeatureMaps("resnetti")


def test_a_layer_that_is_no_map_is_told():
    flat = Pretrained(
        "flat",
        torch.nn.Linear(1, 1),
        lambda photo, layers: (torch.zeros(1, 5),),
        (0.0, 0.0, 0.0),
        (1.0, 1.0, 1.0),
        "none",
        stages=1,
    )
    maps = FeatureMaps(layers=(-1,))
    maps.network = flat
    with pytest.raises(DataError, match=r"no map: it has shape \(1, 5\)"):
        maps(_photo())


@pytest.mark.parametrize(
    ("size", "expected"),
    [((700, 900), (700, 900)), ((1400, 2800), (700, 1400)), ((32, 48), (64, 96))],
)
def test_only_photos_too_large_or_too_small_are_resized(size, expected):
    assert fitted_size(*size) == expected


def test_a_side_can_be_left_unlimited_and_patches_be_kept_whole():
    assert fitted_size(900, 1200, short_side=None) == (900, 1200)
    assert fitted_size(900, 1200, multiple=14) == (700, 938)


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.sampled_from([1, 14, 16]))
def test_a_size_is_never_too_small_nor_too_large(height, width, multiple):
    sides = fitted_size(height, width, multiple=multiple)
    assert min(sides) > 64 - multiple
    assert (sides[0] - multiple) * (sides[1] - multiple) <= 4_000_000
    assert sides[0] % multiple == sides[1] % multiple == 0


def test_the_network_runs_on_its_device():
    photo = _photo(64, 64)
    assert devices_used(lambda: FeatureMaps(layers=("last",), device=META)(photo)) == {"meta"}
    with pytest.raises(DataError, match="device 'gpu'"):
        FeatureMaps(device="gpu")
