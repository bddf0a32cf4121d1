"""The cut-outs to draw from: by SKU and weight, with their pixels kept in a bounded cache."""

from __future__ import annotations

import math
from collections import OrderedDict, defaultdict
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.cutouts import Cutout, CutoutSet, read_cutouts
from rpc.data.files import DataError
from rpc.data.taxonomy import Category, Taxonomy

# H, W: pixels of a cut-out, or of a halving of it.
Rgba = NDArray[np.uint8]

CACHE_BYTES = 256 * 1024 * 1024


class CutoutLibrary:
    """Kept cut-outs by SKU.

    Args:
        cutouts: as read from `cutouts.json`.
        taxonomy: SKUs that scenes must show, but for those that the cut-outs say are left out; by
            default those of the cut-outs, named as the folders that these lie in.
        cache_bytes: memory that decoded cut-outs may take; older ones are decoded again.

    Attributes:
        taxonomy: the SKUs.
        category_ids: ids of those that are shown, in ascending order.

    Raises:
        DataError: there is no cut-out, or a SKU has none that is kept.
    """

    def __init__(
        self,
        cutouts: CutoutSet,
        *,
        taxonomy: Taxonomy | None = None,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self._set = cutouts
        self._by_sku: dict[int, list[Cutout]] = defaultdict(list)
        for cutout in cutouts.kept():
            self._by_sku[cutout.category_id].append(cutout)
        self.taxonomy = taxonomy or _names_of_folders(cutouts)
        self.category_ids = tuple(i for i in self.taxonomy.ids if i not in cutouts.left_out)
        self._check()
        self._limits = {
            sku: np.cumsum([c.weight for c in self._by_sku[sku]]) for sku in self.category_ids
        }
        self._cache: OrderedDict[tuple[str, int], Rgba] = OrderedDict()
        self._cache_bytes = cache_bytes
        self._cached = 0

    @classmethod
    def open(
        cls,
        folder: str | Path,
        *,
        taxonomy: Taxonomy | None = None,
        cache_bytes: int = CACHE_BYTES,
    ) -> CutoutLibrary:
        """The library of a folder with a `cutouts.json`.

        Raises:
            DataError: the file is missing or damaged, or a SKU has no kept cut-out.
        """
        return cls(read_cutouts(folder), taxonomy=taxonomy, cache_bytes=cache_bytes)

    def draw(self, rng: np.random.Generator, category_id: int) -> Cutout:
        """One cut-out of a SKU, by the weights."""
        limits = self._limits[category_id]
        row = int(np.searchsorted(limits, rng.random() * limits[-1], side="right"))
        return self._by_sku[category_id][min(row, len(limits) - 1)]

    def pixels(self, cutout: Cutout, scale: float = 1.0) -> tuple[Rgba, float]:
        """Pixels of a cut-out for drawing it at `scale` or smaller.

        A cut-out that is drawn small is halved as often as `scale` allows (and once less than
        that would blur), so that the cache holds more and warping reads less.

        Args:
            cutout: one of this library's.
            scale: largest factor that the caller will draw it with.

        Returns:
            RGBA (H, W, 4) uint8, its colours already multiplied by alpha, not to be written to;
            and the fraction of the cut-out's own size that it has.

        Raises:
            DataError: the file is missing or damaged.
        """
        halvings = max(0, math.floor(math.log2(1 / scale))) if scale > 0 else 0
        key = (cutout.file, halvings)
        found = self._cache.get(key)
        if found is None:
            found = _halve(_premultiply(self._set.read(cutout)), halvings)
            found.setflags(write=False)
            self._keep(key, found)
        else:
            self._cache.move_to_end(key)
        return found, found.shape[1] / cutout.width

    def _keep(self, key: tuple[str, int], pixels: Rgba) -> None:
        self._cache[key] = pixels
        self._cached += pixels.nbytes
        while self._cached > self._cache_bytes and len(self._cache) > 1:
            _, oldest = self._cache.popitem(last=False)
            self._cached -= oldest.nbytes

    def _check(self) -> None:
        where = self._set.root
        missing = [sku for sku in self.category_ids if not self._by_sku.get(sku)]
        if missing:
            raise DataError(
                f"{where}: no kept cut-out for category_id {', '.join(map(str, missing[:10]))}"
                f"{' ...' if len(missing) > 10 else ''}; keep or draw a mask by hand, or make "
                "the cut-outs with --allow-missing-skus: scenes then never show these SKUs"
            )


def _names_of_folders(cutouts: CutoutSet) -> Taxonomy:
    """SKU names by the folders of the cut-outs (`soda_can_0/...png`); `sku_<id>` without one."""
    names = {c.category_id: PurePosixPath(c.file).parent.name for c in cutouts.cutouts}
    if not names:
        raise DataError(f"{cutouts.root}: lists no cut-out; make them first (rpc-checkout cutouts)")
    distinct = len(set(names.values())) == len(names) and all(names.values())
    return Taxonomy(Category(i, names[i] if distinct else f"sku_{i}") for i in names)


def _premultiply(rgba: Rgba) -> Rgba:
    """Colours times alpha: pixels outside the mask can then not bleed in when it is resized."""
    alpha = np.ascontiguousarray(rgba[:, :, 3])
    factor = cv2.merge([alpha, alpha, alpha, np.full_like(alpha, 255)])
    return np.asarray(cv2.multiply(np.ascontiguousarray(rgba), factor, scale=1 / 255))


def _halve(rgba: Rgba, times: int) -> Rgba:
    for _ in range(times):
        height, width = rgba.shape[:2]
        if min(height, width) < 16:
            break
        size = (round(width / 2), round(height / 2))
        rgba = np.asarray(cv2.resize(rgba, size, interpolation=cv2.INTER_AREA))
    return rgba
