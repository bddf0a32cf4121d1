"""The sign of DDT's axis on a store's exemplars: whole, and cut so that products fill them.

A set a SKU. Of each layer: on how many sets P is higher in the true boxes than outside by the sign
of skewness, of the border gap, of the largest coefficient, and of the rule in use. 'Clear' sets
are those whose two ends differ by 0.3 deviations or more, whichever way; sets without a cell
outside the boxes do not count. CorLoc of DDT+ by the rule in use, and by skewness alone.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from numpy.typing import NDArray

from rpc.cli.leave import run
from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.files import write_json
from rpc.data.store import Store
from rpc.features.backbones.feature_maps import FeatureMaps
from rpc.metrics.corloc import corloc
from rpc.reporting.provenance import code_version, library_versions, machine
from rpc.retrieval.colocalisation.colocalise import Colocaliser
from rpc.retrieval.colocalisation.colocalised_set import default_layers
from rpc.retrieval.colocalisation.ddt import CommonAxis, fit_axes
from rpc.retrieval.colocalisation.photo_sets import PhotoSet, store_sets

CLEAR = 0.3
WAYS = ("skewness", "border gap", "largest coefficient", "rule in use")
WEIGHTS = (0.0, 1.0, 2.0, 3.0, 4.0, 8.0)  # of the border gap, to choose from
Rgb = NDArray[np.uint8]
Box = tuple[float, float, float, float]


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and write the counts."""
    args = _parser().parse_args(argv)
    layers = (*default_layers(args.backbone), "last", "finer")
    network = FeatureMaps(
        args.backbone, layers, weights=args.weights, short_side=args.side, least_side=args.side
    )
    rows: list[dict[str, Any]] = []
    for root in args.data:
        sets, _ = store_sets(Store.open(root))
        for share in (0.0, *args.shares):
            found = [look(one, network, args.photos, share) for one in sets[:: args.every]]
            row = {"store": Path(root).resolve().name, "share": share, **summary(found, layers)}
            rows.append(row)
            print(row, flush=True)
    if args.out is not None:
        content = {"features": network.identity, "rows": rows, "code": code_version()}
        content |= {"libraries": library_versions(), "machine": machine()}
        print(write_json(args.out, content, indent=1))
    return 0


def look(photos: PhotoSet, network: FeatureMaps, most: int, share: float) -> dict[str, Any]:
    """One set: of each layer which signs are right, and boxes that are right by two rules."""
    rng = np.random.default_rng(photos.category.id)
    maps, sizes, boxes = [], [], []
    for row in evenly_spaced(len(photos.photos), most):
        rgb, box = photos.photos[row].read(), photos.photos[row].truths[0]
        if share:
            rgb, box = close_up(rgb, box, share, rng)
        maps.append(network(rgb))
        sizes.append(rgb.shape[:2])
        boxes.append(box)
    axes = fit_axes(maps)
    layers = [_signs(axis, [m[row] for m in maps], sizes, boxes) for row, axis in enumerate(axes)]
    old = tuple(_turned(axis, axis.skewness < 0) for axis in axes)
    return {
        "layers": layers,
        "corloc": [_corloc(Colocaliser(use[:2]), maps, sizes, boxes) for use in (old, axes)],
    }


def close_up(
    rgb: Rgb, box: Box, share: float, rng: np.random.Generator
) -> tuple[Rgb, tuple[float, float, float, float]]:
    """A window of the photo that the box fills to a share, at a place by chance; and the box there.

    Where the photo is too small for the window, the share is larger.
    """
    height, width = rgb.shape[:2]
    starts, ends = [], []
    for low, high, side in ((box[0], box[2], width), (box[1], box[3], height)):
        window = min(side, (high - low) / share**0.5)
        least, most = max(0.0, high - window), min(low, side - window)
        start = rng.uniform(min(least, most), most)
        starts.append(int(start))
        ends.append(int(np.ceil(start + window)))
    cut = np.ascontiguousarray(rgb[starts[1] : ends[1], starts[0] : ends[0]])
    x, y = starts
    return cut, (box[0] - x, box[1] - y, box[2] - x, box[3] - y)


def _signs(
    axis: CommonAxis,
    maps: Sequence[Any],
    sizes: Sequence[tuple[int, int]],
    boxes: Sequence[Box],
) -> dict[str, Any]:
    values, there = [], []
    for features, (height, width), (x1, y1, x2, y2) in zip(maps, sizes, boxes, strict=True):
        indicator = axis.indicator(features)
        y, x = (
            (np.arange(n) + 0.5) * px / n
            for n, px in zip(indicator.shape, (height, width), strict=True)
        )
        inside = ((y >= y1) & (y < y2))[:, None] & ((x >= x1) & (x < x2))[None]
        values.append(indicator.ravel())
        there.append(inside.ravel())
    cells, object_cells = np.concatenate(values), np.concatenate(there)
    ends = [
        cells[where].mean() if where.any() else np.nan for where in (object_cells, ~object_cells)
    ]
    apart = (ends[0] - ends[1]) / axis.variance**0.5
    largest = axis.axis[np.abs(axis.axis).argmax()]
    signs = (axis.skewness, axis.border_gap, largest, 1.0)
    return {
        "share": float(object_cells.mean()),
        "apart": abs(float(apart)),
        "rectified": min(float(m.min()) for m in maps) >= 0,
        "evidence": [
            float(np.sign(apart)) * (axis.skewness + w * axis.border_gap) for w in WEIGHTS
        ],
        "right": dict(zip(WAYS, (bool(s * apart > 0) for s in signs), strict=True)),
    }


def _turned(axis: CommonAxis, turn: bool) -> CommonAxis:
    return replace(axis, axis=-axis.axis) if turn else axis


def _corloc(colocaliser: Colocaliser, maps: Any, sizes: Any, boxes: Any) -> float:
    found = [
        colocaliser.find(m[: len(colocaliser.axes)], *size).box
        for m, size in zip(maps, sizes, strict=True)
    ]
    return corloc(found, [[box] for box in boxes]).rate


def summary(found: Sequence[dict[str, Any]], layers: Sequence[Any]) -> dict[str, Any]:
    """Counts over the sets of a store."""
    by_layer = {}
    for row, layer in enumerate(layers):
        sets = [one["layers"][row] for one in found if np.isfinite(one["layers"][row]["apart"])]
        clear = [one for one in sets if one["apart"] >= CLEAR]
        by_layer[str(layer)] = {
            "rectified": all(one["rectified"] for one in sets),
            "share": round(float(np.mean([one["share"] for one in sets])), 3),
            "sets": len(sets),
            "clear": len(clear),
            "right": {way: sum(one["right"][way] for one in sets) for way in WAYS},
            "least_evidence_of_clear": {
                str(weight): round(
                    float(min((one["evidence"][row] for one in clear), default=0)), 2
                )
                for row, weight in enumerate(WEIGHTS)
            },
            "right_of_clear_by_weight": {
                str(weight): int(sum(one["evidence"][row] > 0 for one in clear))
                for row, weight in enumerate(WEIGHTS)
            },
            "right_of_clear": {way: sum(one["right"][way] for one in clear) for way in WAYS},
        }
    old, new = np.mean([one["corloc"] for one in found], axis=0).tolist()
    return {
        "sets": len(found),
        "layers": by_layer,
        "corloc by skewness": round(old, 4),
        "corloc by the rule in use": round(new, 4),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, nargs="+", required=True, metavar="ROOT", help="stores")
    add("--backbone", default="efficientnet_lite0", help="(default: %(default)s)")
    add("--weights", type=Path, metavar="FILE", help="of the backbone")
    add("--shares", type=float, nargs="*", default=[0.5, 0.7, 0.9], help="of the close-ups")
    add("--photos", type=int, default=12, metavar="N", help="of a SKU (default: %(default)s)")
    add("--every", type=int, default=1, metavar="N", help="take every Nth SKU (default: all)")
    add("--side", type=int, default=288, metavar="PX", help="shorter side (default: %(default)s)")
    add("--out", type=Path, metavar="FILE", help="write the JSON there")
    return parser


if __name__ == "__main__":
    run(main)
