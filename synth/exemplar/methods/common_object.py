"""Masks from what all photos of a SKU have in common: DDT, refined to pixels by GrabCut.

No single photo tells product from turntable; all together do: the product is what they share and
what varies together. What a SKU's photos share (`Colocaliser`) is learned first, and kept beside
the cut-outs; then each photo is cut for itself, in any process and any order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.exemplars import Exemplar
from rpc.data.files import DataError
from rpc.features.backbones.feature_maps import FeatureMaps
from rpc.retrieval.colocalisation.axis_sign import RULES
from rpc.retrieval.colocalisation.colocalise import Colocaliser
from rpc.retrieval.colocalisation.colocaliser_file import read_colocaliser, write_colocaliser
from rpc.retrieval.descriptors.remembered import Maps, RememberedMaps
from synth.exemplar.cut import crop_around
from synth.exemplar.methods.grabcut import GrabCutSegmenter
from synth.exemplar.segmenter import SoftMask

FOLDER: Final = "common"  # beside the cut-outs
LAYERS: Final = (-1, -2)  # the deep one knows the product, the finer one where it ends
SURE: Final = 1.0  # standard deviations of P from which on a pixel is product (or not) for sure

Stamp = Callable[[Exemplar], str]


@dataclass(frozen=True)
class CommonObjectSegmenter:
    """GrabCut that starts from the SKU's indicator map.

    Attributes:
        axes: file with what the SKU's photos have in common.
        digest: of its content: masks are made anew where it changes.
        least_side: px; smaller crops are enlarged for the network.
        grabcut: draws the outline.
        device: that the network runs on, see `rpc.runs.devices`; masks that were made on another
            one stay good.
    """

    axes: Path = field(repr=False)
    digest: str
    least_side: int
    grabcut: GrabCutSegmenter = field(default_factory=GrabCutSegmenter)
    device: str = field(default="cpu", repr=False)

    def __call__(self, rgb: NDArray[np.uint8], box: Sequence[float]) -> SoftMask:
        """Soft mask (H, W) of a photo (H, W, 3)."""
        colocaliser = _colocaliser(self.axes, self.digest)
        maps = _network(self.least_side, self.device)(rgb)
        return self.grabcut(rgb, box, prior=soft_indicator(colocaliser, maps, *rgb.shape[:2]))


@dataclass(frozen=True)
class CommonObject:
    """The third way to masks: what all photos of a SKU have in common.

    A `SetSegmenter`: it must see the photos of a SKU before it can cut one of them.

    Attributes:
        least_side: px; smaller crops are enlarged for the network.
        most: photos of a SKU that are learned from, evenly spread: an axis does not need more.
        grabcut: draws the outline.
        device: that the network runs on, see `rpc.runs.devices`; what was learned on another one
            stays good.
    """

    least_side: int = 320
    most: int = 48
    grabcut: GrabCutSegmenter = field(default_factory=GrabCutSegmenter)
    device: str = field(default="cpu", repr=False)

    def prepare(
        self,
        exemplars: Sequence[Exemplar],
        out: Path,
        max_side: int,
        stamp: Stamp,
        progress: Callable[[int, int], None] | None = None,
    ) -> Mapping[int, CommonObjectSegmenter]:
        """Learn every SKU's common object, or take it from an earlier run on the same photos.

        Args:
            exemplars: of all SKUs.
            out: folder of the cut-outs; what is learned goes into `common/` there.
            max_side: as in `cut_photo`, so that both see the same crops.
            stamp: text that changes with a photo or its box.
            progress: called with SKUs done and all SKUs.

        Returns:
            A segmenter by category id.

        Raises:
            DataError: a SKU has fewer than two photos that can be read, or the disk refuses.
        """
        by_sku: dict[int, list[Exemplar]] = {}
        for exemplar in exemplars:
            by_sku.setdefault(exemplar.category_id, []).append(exemplar)
        segmenters = {}
        for done, (category, mine) in enumerate(by_sku.items(), start=1):
            chosen = [mine[i * len(mine) // self.most] for i in range(self.most)]
            chosen = mine if len(mine) <= self.most else chosen
            text = "\n".join([f"{self!r} {LAYERS} {max_side} {RULES[0]}", *map(stamp, chosen)])
            digest = sha256(text.encode()).hexdigest()[:16]
            path = out / FOLDER / f"{category}.npz"
            if not _fits(path, digest):
                write_colocaliser(path, self._learn(chosen, max_side, path.name), digest)
            segmenters[category] = CommonObjectSegmenter(
                path, digest, self.least_side, self.grabcut, self.device
            )
            if progress is not None:
                progress(done, len(by_sku))
        return segmenters

    def _learn(self, exemplars: Sequence[Exemplar], max_side: int, name: str) -> Colocaliser:
        """The common object of one SKU's crops; photos that cannot be read do not count."""
        crops = []
        for exemplar in exemplars:
            try:
                crops.append(crop_around(exemplar.read(), exemplar.box, max_side)[0])
            except ValueError:  # the cut says what is wrong with this photo
                continue
        if len(crops) < 2:
            raise DataError(
                f"category {exemplars[0].category_id} ({exemplars[0].path.parent}): {len(crops)} "
                "readable photos; what is common shows in 2 or more: add photos, or choose the "
                "method combined"
            )
        network = _network(self.least_side, self.device)

        def compute(number: int) -> Maps:
            return network(crops[number])

        return Colocaliser.fit(RememberedMaps(compute, len(crops)))


def soft_indicator(colocaliser: Colocaliser, maps: Maps, height: int, width: int) -> SoftMask:
    """The indicator maps as a guess (height, width), 0 to 1, 0.5 where P is 0.

    `SURE` standard deviations of the set's P on either side are 0 and 1. Of several layers it is
    the mean: with either one alone clearly more masks were wrong.
    """
    total = np.zeros((height, width), np.float32)
    for axis, features in zip(colocaliser.axes, maps, strict=True):
        indicator = axis.indicator(features) / (np.sqrt(axis.variance) or 1.0)
        guess = np.clip(0.5 + indicator / (2 * SURE), 0, 1).astype(np.float32)
        total += cv2.resize(guess, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(total / len(maps), np.float32)


def _fits(path: Path, digest: str) -> bool:
    """Whether an earlier run has learned from the same photos; a damaged file does not count."""
    try:
        return path.is_file() and read_colocaliser(path)[1] == digest
    except DataError:
        return False


@lru_cache(maxsize=8)
def _colocaliser(path: Path, digest: str) -> Colocaliser:
    colocaliser, found = read_colocaliser(path)
    if found != digest:
        raise DataError(f"{path}: was changed while cut-outs were made; run the same command again")
    return colocaliser


@lru_cache(maxsize=2)
def _network(least_side: int, device: str) -> FeatureMaps:
    return FeatureMaps(layers=LAYERS, least_side=least_side, device=device)
