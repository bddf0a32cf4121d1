"""The gallery's default descriptor: one photo of a product is to find it on a checkout tray.

Statistics of four depths of EfficientNet-lite0 (ImageNet), then a projection that was learnt on
invented packages as a tray's camera may see them: it makes small what light, blur, turn, tilt and
neighbours change, and keeps what tells products apart. No product of any store and no photo of a
tray was needed, so a new product takes seconds and costs the others nothing. docs/naming.md says
what each part is worth.

Key: N pictures, h x w pixels of one, S the side of the network's input, V views, D dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray

from rpc.data.shipped import shipped
from rpc.features.backbones.network import Layer, Pretrained
from rpc.features.backbones.pretrained import open_pretrained
from rpc.features.encodings.discriminant import Discriminant, read_discriminant
from rpc.inference.crops import fit_square
from rpc.retrieval.descriptors.exemplar_views import turned_embeddings
from rpc.retrieval.descriptors.map_statistics import Statistic, joined_statistics
from rpc.runs.devices import resolve_device

FloatArray = NDArray[np.float32]
Rgb = NDArray[np.uint8]

BACKBONE: Final = "efficientnet_lite0"
# "last" and "finer": the head's 1280 maps (stride 32) and the last 672 of stride 16.
LAYERS: Final[tuple[Layer, ...]] = ("last", "finer", "blocks.6", "blocks.4", "blocks.2")
MEASURED: Final[tuple[tuple[int, Statistic], ...]] = (
    (0, "mean"),
    (0, "gem"),
    (0, "max"),
    (1, "gem"),
    (1, "max"),
    (2, "mean"),
    (2, "max"),
    (3, "mean"),
    (3, "std"),
    (4, "mean"),
    (4, "std"),
)
SIDE: Final = 192  # px
FILL: Final = 255  # around a crop that is no square: trays and turntables are pale
TURNS: Final = 4  # of an exemplar, evenly over the circle; a query is seen as it lies
BATCH: Final = 8
PROJECTION: Final = shipped("rpc/weights/product_descriptor.pth")


class MapStatistics:
    """Pictures to the raw statistics of their maps (N, D), each row of unit length.

    Args:
        side: pictures are fitted into a square of this many pixels.
        fill: grey level of the square around them.
        measured: which layer of `LAYERS`, which statistic.
        batch: pictures at once.
        device: that the network runs on, see `rpc.runs.devices`.

    Raises:
        DataError: an unknown device.
        ValueError: a side below 32 px, or no picture at once.
    """

    def __init__(
        self,
        side: int = SIDE,
        fill: int = FILL,
        measured: Sequence[tuple[int, Statistic]] = MEASURED,
        batch: int = BATCH,
        *,
        device: str | torch.device = "cpu",
    ) -> None:
        if side < 32 or batch < 1:
            raise ValueError(f"expected side >= 32 px and batch >= 1, got {side} and {batch}")
        self.side = side
        self.fill = fill
        self.measured = tuple(measured)
        self.batch = batch
        self.device = resolve_device(device)
        self._network: Pretrained | None = None

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Rgb]) -> FloatArray:
        """Statistics (N, D) of pictures (h, w, 3) of any sizes; (0, 0) without a picture.

        Raises:
            ValueError: a picture is not (h, w, 3) uint8, or has no pixel.
            DataError: the network's weights are not installed.
        """
        for number, picture in enumerate(pictures):
            _check(picture, number)
        parts = [
            self._statistics(pictures[start : start + self.batch])
            for start in range(0, len(pictures), self.batch)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)

    def _statistics(self, pictures: Sequence[Rgb]) -> FloatArray:
        network = self.network()
        squares = np.stack([fit_square(picture, self.side, self.fill) for picture in pictures])
        mean, std = np.array(network.mean, np.float32), np.array(network.std, np.float32)
        array = ((squares - mean) / std).transpose(0, 3, 1, 2)  # (B, 3, S, S)
        layers = tuple(network.layer(layer) for layer in LAYERS)
        batch = torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(self.device)
        maps = network.run(batch, layers)
        return np.asarray(joined_statistics(maps, self.measured).cpu().numpy())

    def network(self) -> Pretrained:
        """The network, opened when it is first asked for.

        Raises:
            DataError: its weights are not installed.
        """
        if self._network is None:  # not in the constructor: a recipe is told without any weights
            self._network = open_pretrained(BACKBONE)
            self._network.module.to(self.device)
        return self._network


class ProductDescriptor:
    """Pictures of one product each to unit vectors, see the module's own words.

    Args:
        projection: a file of `rpc-checkout make-descriptor`; None takes the package's own.
        turns: in so many directions, evenly over the circle, an exemplar is described.
        device: that the network runs on, see `rpc.runs.devices`.

    Raises:
        DataError: the projection is missing, damaged or of another kind, or an unknown device.
        ValueError: not 1 to 36 turns.
    """

    def __init__(
        self,
        projection: str | Path | None = None,
        turns: int = TURNS,
        *,
        device: str | torch.device = "cpu",
    ) -> None:
        if not 1 <= turns <= 36:
            raise ValueError(f"turns: expected 1 to 36 directions of an exemplar, got {turns}")
        path = PROJECTION if projection is None else Path(projection)
        self.turns = turns
        self.projection: Discriminant
        self.projection, _ = read_discriminant(path)
        parts = self.projection.mean.tobytes() + self.projection.axes.tobytes()
        self._stamp = crc32(parts)
        self._measure = MapStatistics(device=device)

    def network(self) -> Pretrained:
        """The network whose maps are measured.

        Raises:
            DataError: its weights are not installed.
        """
        return self._measure.network()

    @property
    def recipe(self) -> Mapping[str, Any]:
        """All that decides a descriptor, as plain values."""
        return {
            "name": "product",
            "version": 1,
            "backbone": BACKBONE,
            "layers": [str(layer) for layer in LAYERS],
            "statistics": [f"{LAYERS[layer]} {statistic}" for layer, statistic in MEASURED],
            "side": SIDE,
            "fill": FILL,
            "dimension": len(self.projection.axes),
            "projection": f"{self._stamp:08x}",
            "turns": self.turns,
        }

    def __call__(self, pictures: Sequence[Rgb]) -> FloatArray:
        """Unit vectors (N, D) of pictures (h, w, 3) uint8 RGB, each a crop of one product.

        A picture's vector does not depend on its neighbours in the list. (0, D) without a picture.

        Raises:
            ValueError: a picture is not (h, w, 3) uint8, or has no pixel.
            DataError: the network's weights are not installed.
        """
        if len(pictures) == 0:
            return np.zeros((0, len(self.projection.axes)), np.float32)
        return self.projection(self._measure(pictures))

    def exemplar_embeddings(self, pictures: Sequence[Rgb]) -> list[FloatArray]:
        """A product may lie on a tray in any direction: (V, D), the turns of each."""
        for number, picture in enumerate(pictures):
            _check(picture, number)
        return turned_embeddings(self, pictures, self.turns, FILL)


def _check(picture: Rgb, number: int) -> None:
    shape, kind = np.shape(picture), getattr(picture, "dtype", None)
    if len(shape) != 3 or shape[2] != 3 or 0 in shape or kind != np.uint8:
        raise ValueError(
            f"picture {number}: expected (h, w, 3) uint8 RGB with a pixel, got {shape} {kind}"
        )
