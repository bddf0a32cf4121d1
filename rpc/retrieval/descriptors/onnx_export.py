"""The gallery's default descriptor as an ONNX file: from squares to unit vectors."""

from __future__ import annotations

import json

import torch
from torch import Tensor, nn

from rpc.retrieval.descriptors.map_statistics import joined_statistics
from rpc.retrieval.descriptors.onnx_descriptor import RECIPE, SQUARES, VECTORS
from rpc.retrieval.descriptors.product_descriptor import LAYERS, MEASURED, SIDE, ProductDescriptor
from rpc.runs.onnx_files import onnx_bytes


class RawDescriptor(nn.Module):
    """Squares of pixels to what `ProductDescriptor` makes of them."""

    def __init__(self, describe: ProductDescriptor) -> None:
        super().__init__()
        network, projection = describe.network(), describe.projection
        self.body, self._run = network.module, network.run
        self._layers = tuple(network.layer(layer) for layer in LAYERS)
        self.grey = torch.tensor(network.mean).reshape(1, 3, 1, 1)
        self.spread = torch.tensor(network.std).reshape(1, 3, 1, 1)
        self.centre = torch.from_numpy(projection.mean.copy())
        # Their scale passes with the vectors' length. Divided by it, they are the half precision
        # numbers that the projection's file holds, and take half the room here as well.
        self.axes = torch.from_numpy(projection.axes / abs(projection.axes).max()).half().float()

    def forward(self, squares: Tensor) -> Tensor:
        """Unit vectors (B, D) of squares (B, S, S, 3) uint8 RGB."""
        pixels = (squares.permute(0, 3, 1, 2).float() - self.grey) / self.spread
        joined = joined_statistics(self._run(pixels, self._layers), MEASURED)
        return nn.functional.normalize((joined - self.centre) @ self.axes.T, dim=1)


def descriptor_onnx(describe: ProductDescriptor) -> bytes:
    """The content of the ONNX file, with the recipe inside.

    Raises:
        DataError: the network's weights are not installed.
    """
    squares = torch.zeros((2, SIDE, SIDE, 3), dtype=torch.uint8)
    recipe = {RECIPE: json.dumps(dict(describe.recipe))}
    return onnx_bytes(RawDescriptor(describe).eval(), {SQUARES: squares}, [VECTORS], recipe)
