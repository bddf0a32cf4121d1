"""Co-localisation of a set of photos: learn what they share, then find it on each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rpc.features.backbones.network import Layer
from rpc.retrieval.colocalisation.colocalise import Colocaliser, Found
from rpc.retrieval.colocalisation.photo_sets import Photo, PhotoSet, Rgb
from rpc.retrieval.descriptors.remembered import BUDGET, Maps, RememberedMaps

MapsOf = Callable[[NDArray[np.uint8]], Maps]
Step = Callable[[], None]

# The two layers of DDT+, the deepest first. VGG's are the papers'; of EfficientNet-lite0 the last
# stages did best together on the exemplars of cards and store24 (docs/colocalisation.md).
_LAYERS: Final[dict[str, tuple[Layer, Layer]]] = {
    "vgg16": ("relu5_3", "relu5_2"),
    "vgg19": ("relu5_4", "relu5_3"),
}
_OTHERS: Final[tuple[Layer, Layer]] = (-1, -2)


def default_layers(backbone: str) -> tuple[Layer, Layer]:
    """The layers that DDT+ takes of a backbone; DDT takes the first alone."""
    return _LAYERS.get(backbone, _OTHERS)


def colocalise_set(
    photos: PhotoSet,
    maps_of: MapsOf,
    *,
    budget: int = BUDGET,
    step: Step | None = None,
) -> tuple[Colocaliser, Iterator[tuple[Photo, Rgb, Found]]]:
    """Learn from a set, and find the object on each of its photos.

    Args:
        photos: two or more.
        maps_of: a photo to its maps: of one layer for DDT, of two for DDT+.
        budget: bytes of maps to keep; beyond it photos go through the network again.
        step: is called twice for every photo, as work is done.

    Returns:
        What was learned, and an iterator over the photos with what was found on them.

    Raises:
        DataError: a photo cannot be read.
        ValueError: maps that are not finite.
    """
    seen: set[int] = set()

    def compute(number: int) -> Maps:
        maps = maps_of(photos.photos[number].read())
        if step is not None and number not in seen:
            step()
        seen.add(number)
        return maps

    maps = RememberedMaps(compute, len(photos.photos), budget)
    colocaliser = Colocaliser.fit(maps)

    def found() -> Iterator[tuple[Photo, Rgb, Found]]:
        for number, photo in enumerate(photos.photos):
            rgb = photo.read()
            yield photo, rgb, colocaliser.find(maps[number], *rgb.shape[:2])
            if step is not None:
                step()

    return colocaliser, found()
