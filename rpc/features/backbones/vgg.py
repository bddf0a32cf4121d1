"""torchvision's VGG-16 and VGG-19, layer by layer, with the names that papers use.

Key: C channels, H x W pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
import torchvision
from torch import Tensor, nn

from rpc.data.files import DataError
from rpc.features.backbones.network import FINER, LAST, Layer, Maps, Pretrained, Run, reason
from rpc.runs.tensor_files import read_tensors, weights_of

# torchvision's port of the original Caffe VGG-16: pixels of 0..255, less this mean.
CAFFE_FILE: Final = "vgg16_features-amdegroot-88682ab5.pth"
CAFFE_MEAN: Final = (0.48235 * 255, 0.45882 * 255, 0.40784 * 255)
IMAGENET_MEAN: Final = (0.485 * 255, 0.456 * 255, 0.406 * 255)
IMAGENET_STD: Final = (0.229 * 255, 0.224 * 255, 0.225 * 255)
VGG_FILES: Final = {
    "vgg16": (CAFFE_FILE, "vgg16-397923af.pth"),
    "vgg19": ("vgg19-dcbb9e9d.pth",),
}


Colour = tuple[float, float, float]


def read_vgg(
    name: str, weights: str | Path | None = None
) -> tuple[nn.Sequential, Path, Colour, Colour]:
    """The convolutions of VGG-16 or VGG-19 with weights of torchvision's names.

    Without a file, torchvision's cache is looked at, then a download is tried. For VGG-16 that is
    first the port of the original Caffe weights, which SCDA and DDT were made with.

    Returns:
        The layers up to the last pool, the file of the weights, and mean and standard deviation of
        the pixels, 0..255, that they were trained on.

    Raises:
        DataError: the weights are not at hand, or the file holds other ones.
    """
    path = _vgg_file(name) if weights is None else Path(weights)
    state = read_tensors(path)
    prefix = "features."  # the classifier is not needed, and the Caffe port has none
    state = {str(k).removeprefix(prefix): v for k, v in state.items() if str(k).startswith(prefix)}
    state = weights_of(state, str(path))
    features = getattr(torchvision.models, name)(weights=None, init_weights=False).features
    try:
        features.load_state_dict(state)
    except RuntimeError as error:
        raise DataError(
            f"{path}: not the weights of torchvision's {name}: expected the file "
            f"{' or '.join(VGG_FILES[name])}"
        ) from error
    if path.name.startswith("vgg16_features"):
        return features, path, CAFFE_MEAN, (1.0, 1.0, 1.0)
    return features, path, IMAGENET_MEAN, IMAGENET_STD


def open_vgg(name: str, weights: str | Path | None = None) -> Pretrained:
    """VGG-16 or VGG-19 up to its last pool, see `read_vgg`.

    Raises:
        DataError: the weights are not at hand, or the file holds other ones.
    """
    features, path, mean, std = read_vgg(name, weights)
    return Pretrained(
        name,
        features.eval(),
        _vgg_maps(features),
        mean=mean,
        std=std,
        weights=path.name,
        stages=5,
        aliases=_vgg_layers(features),
    )


def _vgg_file(name: str) -> Path:
    """The weights in torchvision's cache, the Caffe port first; downloaded where that works."""
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    for file in VGG_FILES[name]:
        if (cache / file).is_file():
            return cache / file
    file = VGG_FILES[name][0]
    url = f"https://download.pytorch.org/models/{file}"
    try:
        torch.hub.load_state_dict_from_url(url, progress=False, weights_only=True)
    except Exception as error:
        raise DataError(
            f"backbone {name}: its weights are not on this machine and cannot be downloaded "
            f"({reason(error)}): fetch {url} elsewhere and put it into {cache}, or name the file "
            "with --weights"
        ) from error
    return cache / file


def _vgg_layers(features: nn.Sequential) -> dict[str, Layer]:
    """`conv5_1`, `relu5_1`, ..., `pool5`, and the defaults, to the modules of torchvision."""
    names: dict[str, Layer] = {}
    stage, place = 1, 0
    for index, layer in enumerate(features):
        if isinstance(layer, nn.Conv2d):
            place += 1
            names[f"conv{stage}_{place}"] = str(index)
        elif isinstance(layer, nn.ReLU):
            layer.inplace = False  # else a conv layer's map would show the rectified values
            names[f"relu{stage}_{place}"] = str(index)
        else:
            names[f"pool{stage}"] = str(index)
            stage, place = stage + 1, 0
    return {**names, LAST: names["pool5"], FINER: names["relu5_2"]}


def _vgg_maps(features: nn.Sequential) -> Run:
    def run(photo: Tensor, layers: tuple[Layer, ...]) -> Maps:
        wanted = [_vgg_index(features, layer) for layer in layers]
        found: dict[int, Tensor] = {}
        for index, layer in enumerate(features[: max(wanted) + 1]):
            photo = layer(photo)
            if index in wanted:
                found[index] = photo
        return tuple(found[index] for index in wanted)

    return run


def _vgg_index(features: nn.Sequential, layer: Layer) -> int:
    """Index of a module; a number counts the pools (0 the first, -1 the last)."""
    if isinstance(layer, str):
        return int(layer)
    return [i for i, part in enumerate(features) if isinstance(part, nn.MaxPool2d)][layer]
