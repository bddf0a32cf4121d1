import pytest
import torch
import torchvision

from rpc.features.backbones import vgg


@pytest.fixture(scope="session")
def vgg_file(tmp_path_factory):
    """VGG-16 with cheap random weights, named as torchvision names the Caffe port."""
    torch.manual_seed(0)
    with torch.device("meta"):
        shapes = torchvision.models.vgg16(weights=None).features.state_dict()
    state = {f"features.{k}": 0.02 * torch.randn(v.shape) for k, v in shapes.items()}
    path = tmp_path_factory.mktemp("vgg") / vgg.CAFFE_FILE
    torch.save({**state, "classifier.0.weight": torch.full((1,), torch.nan)}, path)
    return path
