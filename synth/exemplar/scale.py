"""How large a cut-out is in a scene: real relative sizes per SKU.

A rig is fixed: a product that is twice as large has twice the length on its photo. So one factor
for the whole store keeps the relative sizes. Nothing in the exemplars says how large products are
on the tray; the default makes the middle SKU `TYPICAL_SIDE` px in a scene 1000 px wide.
Real sizes, or factors measured on trays, correct single SKUs (`sizes.csv`, `set_scales`).
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rpc.data.cutouts import CutoutSet
from rpc.data.files import DataError

TYPICAL_SIDE = 130.0  # px in a scene 1000 px wide: square root of the middle SKU's largest area


def common_scale(category_ids: ArrayLike, areas: ArrayLike) -> float:
    """Scene px (1000 px wide) per photo px, one for the store.

    Args:
        category_ids: (N,) of the usable cut-outs.
        areas: (N,) mask areas in square photo px, above 0.

    Raises:
        ValueError: there are none.
    """
    ids, area = np.asarray(category_ids), np.asarray(areas, dtype=np.float64)
    if not len(ids):
        raise ValueError("scale: expected at least one cut-out")
    largest = [float(area[ids == sku].max()) for sku in np.unique(ids)]
    return TYPICAL_SIDE / float(np.median(np.sqrt(largest)))


def size_factors(
    category_ids: ArrayLike, lengths: ArrayLike, areas: ArrayLike, sizes_mm: Mapping[int, float]
) -> dict[int, float]:
    """Factor on the common scale for each SKU whose real size is known.

    The product's longest side is compared with the long side of its largest mask. The middle of
    the known SKUs keeps the common scale, so that those without a size stay comparable.

    Args:
        category_ids: (N,) of the usable cut-outs.
        lengths: (N,) long sides of the smallest rotated rectangles around the masks, photo px.
        areas: (N,) mask areas, photo px.
        sizes_mm: longest side in mm by category id.
    """
    ids = np.asarray(category_ids)
    length, area = np.asarray(lengths, dtype=np.float64), np.asarray(areas, dtype=np.float64)
    mm_per_px = {}
    for sku, size in sizes_mm.items():
        mine: NDArray[np.int64] = np.flatnonzero(ids == sku)
        if len(mine):
            mm_per_px[sku] = size / float(length[mine[area[mine].argmax()]])
    if not mm_per_px:
        return {}
    middle = float(np.median(list(mm_per_px.values())))
    return {sku: value / middle for sku, value in mm_per_px.items()}


def set_scales(cutouts: CutoutSet, factors: Mapping[int, float]) -> CutoutSet:
    """`cutouts` with the scale of each category multiplied by its factor; others unchanged.

    Raises:
        DataError: a factor is not a finite number above 0, or its category has no cut-out.
    """
    known = {cutout.category_id for cutout in cutouts.cutouts}
    for category_id, factor in factors.items():
        if category_id not in known:
            raise DataError(f"scale: category {category_id} has no cut-out in {cutouts.root}")
        if not (math.isfinite(factor) and factor > 0):
            raise DataError(
                f"scale of category {category_id}: expected a number above 0, got {factor}"
            )
    changed = tuple(
        replace(cutout, scale=cutout.scale * factors.get(cutout.category_id, 1.0))
        for cutout in cutouts.cutouts
    )
    return replace(cutouts, cutouts=changed)


def read_sizes(path: str | Path, names: Mapping[str, int]) -> dict[int, float]:
    """Longest side in mm by category id, from a CSV `sku,height_mm[,width_mm]` with a header.

    Args:
        path: the file; SKUs that are not listed keep the store's common scale.
        names: category id by SKU name.

    Raises:
        DataError: a column is missing, a SKU is unknown or listed twice, or a size is not a
            number above 0.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    rows = csv.DictReader(text.splitlines())
    if not {"sku", "height_mm"} <= set(rows.fieldnames or ()):
        raise DataError(
            f"{path}: expected the header sku,height_mm,width_mm; got {rows.fieldnames}"
        )
    sizes: dict[int, float] = {}
    for row in rows:
        where = f"{path}: line {rows.line_num}"
        sku = (row["sku"] or "").strip()
        if sku not in names:
            raise DataError(f"{where}: {sku!r:.80} is not a SKU of this store")
        if names[sku] in sizes:
            raise DataError(f"{where}: {sku!r:.80} is listed twice")
        sizes[names[sku]] = max(_millimetres(where, row, ("height_mm", "width_mm")))
    return sizes


def _millimetres(where: str, row: Mapping[str, str | None], columns: Sequence[str]) -> list[float]:
    """The sizes of a row; the first column must be given, others may be empty."""
    values = []
    for column in columns:
        text = (row.get(column) or "").strip()
        if not text and column != columns[0]:
            continue
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value > 0):
            raise DataError(f"{where}: {column}: expected millimetres above 0, got {text!r:.40}")
        values.append(value)
    return values
