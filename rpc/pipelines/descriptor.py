"""The gallery descriptor's projection, learned from invented packages: one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.features.encodings.discriminant import fit_discriminant, write_discriminant
from rpc.retrieval.descriptors.product_descriptor import MapStatistics
from rpc.runs.folder_lock import prepare_files
from rpc.runs.progress import Report, bar
from synth.drawn import draw_package, tray_view

SIBLINGS: Final = 2  # look-alikes in a family
AT_ONCE: Final = 32  # crops


@dataclass(frozen=True)
class DescriptorRequest:
    """A projection to be learned.

    Attributes:
        out: the file.
        products: packages to draw, in families of two.
        views: looks at each, on invented trays.
        dimension: of the descriptor.
        ridge: share of a sphere in the covariance.
        seed: of everything.
        device: that the network runs on, see `rpc.runs.devices`.

    Raises:
        DataError: a number is too small.
    """

    out: Path = Path("out/product_descriptor.pth")
    products: int = 400
    views: int = 6
    dimension: int = 256
    ridge: float = 0.3
    seed: int = 11
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.products < 2 or self.views < 2:
            raise DataError("--products and --views: expected at least 2 of each")
        if self.dimension < 1 or self.ridge < 0:
            raise DataError("--dimension: expected at least 1; --ridge: at least 0")


def make_descriptor(request: DescriptorRequest) -> Path:
    """Draw, measure, fit, write; the path of the file.

    Raises:
        DataError: the file cannot be written, or an unknown device.
    """
    prepare_files(request.out)
    with bar("looking at drawn packages") as progress:
        vectors = _measure(request, progress)
    labels = np.repeat(np.arange(request.products), request.views)
    fitted = fit_discriminant(vectors, labels, request.dimension, request.ridge)
    settings = ("products", "views", "dimension", "ridge", "seed")
    origin = {name: getattr(request, name) for name in settings} | {"examples": "drawn packages"}
    return write_discriminant(request.out, fitted, origin)


def _measure(request: DescriptorRequest, progress: Report) -> NDArray[np.float32]:
    """Raw statistics (products * views, D), the views of a product one after the other."""
    cv2.setNumThreads(1)
    measure = MapStatistics(device=request.device)
    packages = [
        draw_package(request.seed, index // SIBLINGS, "front", 0, sibling=index % SIBLINGS)
        for index in range(request.products)
    ]
    blocks: list[NDArray[np.float32]] = []
    waiting: list[NDArray[np.uint8]] = []
    total = request.products * request.views
    for index in range(request.products):
        for view in range(request.views):
            rng = np.random.default_rng([request.seed, index, view])
            own = draw_package(
                request.seed, index // SIBLINGS, "front", view, sibling=index % SIBLINGS
            )
            waiting.append(tray_view(own, packages, rng))
            if len(waiting) == AT_ONCE or len(waiting) + AT_ONCE * len(blocks) == total:
                blocks.append(measure(waiting))
                waiting = []
                progress(min(AT_ONCE * len(blocks), total), total)
    return np.concatenate(blocks)
