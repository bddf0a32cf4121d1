"""The gallery's default descriptor in ONNX Runtime: products enter a gallery without torch.

Key: N pictures, S the side of the network's input, V views, D dimensions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.inference.crops import fit_square
from rpc.inference.session import OnnxNetwork
from rpc.retrieval.descriptors.exemplar_views import turned_embeddings

FloatArray = NDArray[np.float32]
Rgb = NDArray[np.uint8]
SQUARES, VECTORS, RECIPE = "squares", "vectors", "recipe"
BATCH: Final = 8
_RANGES: Final = {"side": (32, 1024), "fill": (0, 255), "turns": (1, 36), "dimension": (1, 65536)}


class OnnxDescriptor:
    """Pictures of one product each to unit vectors; `ProductDescriptor` says what they are.

    Args:
        content: of a `descriptor.onnx` that an export wrote.
        where: the file, for errors.
        device: see `rpc.inference.session.OnnxNetwork`.

    Raises:
        DataError: the file holds something else, or the device is not there.
    """

    def __init__(self, content: bytes, where: str, *, device: str = "cpu") -> None:
        given = {SQUARES: "tensor(uint8)"}
        self._network = OnnxNetwork(content, where, given, [VECTORS], device=device)
        self._recipe = _recipe(self._network.metadata.get(RECIPE, ""), where)
        side = self._recipe["side"]
        if self._network.shape_of_input(SQUARES)[1:] != (side, side, 3):
            raise DataError(f"{where}: takes other pictures than of {side} px; export it again")

    @classmethod
    def read(cls, path: Path, *, device: str = "cpu") -> OnnxDescriptor:
        """The descriptor of a file.

        Raises:
            DataError: as the constructor; or the file cannot be read.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from error
        return cls(content, str(path), device=device)

    @property
    def recipe(self) -> Mapping[str, Any]:
        """All that decides a descriptor, as plain values: that of the one it was exported from."""
        return dict(self._recipe)

    def __call__(self, pictures: Sequence[Rgb]) -> FloatArray:
        """Unit vectors (N, D) of pictures (h, w, 3) uint8 RGB; (0, D) without a picture."""
        side, fill = self._recipe["side"], self._recipe["fill"]
        squares = [fit_square(picture, side, fill) for picture in pictures]
        parts = [
            self._network(np.stack(squares[start : start + BATCH]))[0]
            for start in range(0, len(squares), BATCH)
        ]
        empty = np.zeros((0, self._recipe["dimension"]), np.float32)
        return np.concatenate([empty, *parts])

    def exemplar_embeddings(self, pictures: Sequence[Rgb]) -> list[FloatArray]:
        """A product may lie on a tray in any direction: (V, D), the turns of each."""
        return turned_embeddings(self, pictures, self._recipe["turns"], self._recipe["fill"])


def _recipe(text: str, where: str) -> dict[str, Any]:
    try:
        recipe = json.loads(text)
        fine = isinstance(recipe, dict) and all(
            type(recipe.get(name)) is int and least <= recipe[name] <= most
            for name, (least, most) in _RANGES.items()
        )
    except (ValueError, RecursionError):
        fine = False
    if not fine:
        raise DataError(f"{where}: does not say how it was made; export it again")
    return dict(recipe)
