"""Descriptors by name: what a gallery is made with, and how the one that made it is found again.

Key: N pictures, V views of a picture, D dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.features import Embedder
from rpc.retrieval.gallery.gallery import DescribesPictures
from rpc.runs.devices import resolve_device

FloatArray = NDArray[np.float32]
Rgb = NDArray[np.uint8]
TURNS: Final = 4


class PlainDescriptor:
    """Average and maximum of the last maps of EfficientNet-lite0 (`rpc.features.Embedder`).

    Args:
        side: pictures are fitted into a square of this many pixels.
        device: that the network runs on, see `rpc.runs.devices`.

    Raises:
        DataError: an unknown device.
    """

    def __init__(self, side: int = 160, *, device: str | torch.device = "cpu") -> None:
        self.side = side
        self.device = resolve_device(device)
        self._embedder: Embedder | None = None

    @property
    def recipe(self) -> Mapping[str, Any]:
        """All that decides a descriptor."""
        return {
            "name": "plain",
            "version": 1,
            "backbone": "efficientnet_lite0",
            "pooling": "average and maximum of the last two stages",
            "side": self.side,
            "turns": TURNS,
        }

    def __call__(self, pictures: Sequence[Rgb]) -> FloatArray:
        """Unit vectors (N, D) of N pictures (H, W, 3)."""
        if self._embedder is None:
            self._embedder = Embedder(side=self.side, device=self.device)
        return self._embedder(pictures)

    def exemplar_embeddings(self, pictures: Sequence[Rgb]) -> list[FloatArray]:
        """A product may lie on a tray in any direction: (4, D), the four quarter turns of each."""
        return rotated_embeddings(self, pictures, TURNS)


def rotated_embeddings(
    describe: DescribesPictures, pictures: Sequence[Rgb], turns: int
) -> list[FloatArray]:
    """Descriptors (V, D) of so many quarter turns of each picture."""
    views = [np.rot90(picture, turn) for picture in pictures for turn in range(turns)]
    embeddings = describe([np.ascontiguousarray(view) for view in views])
    return [embeddings[start : start + turns] for start in range(0, len(views), turns)]


def exemplar_embeddings(describe: DescribesPictures, pictures: Sequence[Rgb]) -> list[FloatArray]:
    """Descriptors (V, D) of each exemplar picture: its own method's, else one of each picture."""
    own: Callable[[Sequence[Rgb]], list[FloatArray]] | None
    own = getattr(describe, "exemplar_embeddings", None)
    return rotated_embeddings(describe, pictures, 1) if own is None else own(pictures)


class MakesDescriber(Protocol):
    """Makes a descriptor with its default settings."""

    def __call__(self, *, device: str | torch.device) -> DescribesPictures:
        """A descriptor whose network runs on `device`."""
        ...


def describer(name: str, device: str | torch.device = "cpu") -> DescribesPictures:
    """The descriptor of a name, with its default settings, on a device (`rpc.runs.devices`).

    Raises:
        DataError: there is none of this name, or an unknown device.
    """
    if name not in DESCRIBERS:
        raise DataError(f"recipe {name!r:.40}: expected one of {', '.join(sorted(DESCRIBERS))}")
    return DESCRIBERS[name](device=device)


def describer_of(
    recipe: Mapping[str, Any], device: str | torch.device = "cpu"
) -> DescribesPictures:
    """The descriptor that a gallery was made with, on a device (`rpc.runs.devices`).

    Raises:
        DataError: its recipe is not known here, today's differs from it, or an unknown device.
    """
    found = describer(str(recipe.get("name")), device)
    today = dict(found.recipe)
    for field in sorted({*today, *recipe}):
        if today.get(field) != recipe.get(field):
            raise DataError(
                f"the gallery's recipe {recipe['name']!r} has {field} = "
                f"{recipe.get(field)!r:.60}, this version makes {today.get(field)!r:.60}; "
                "add the photos to a new gallery"
            )
    return found


def _product(*, device: str | torch.device) -> DescribesPictures:
    # Here: only who asks for it needs timm.
    from rpc.retrieval.descriptors.product_descriptor import ProductDescriptor

    return ProductDescriptor(device=device)


DESCRIBERS: Final[Mapping[str, MakesDescriber]] = {
    "plain": PlainDescriptor,
    "product": _product,
}
DEFAULT: Final = "product"
