"""Files of a middling detector on RPC-like trays, for timing evaluators: the same for a seed.

Key: N images, G items and M boxes of all images together.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rpc.data.files import write_json
from rpc.data.levels import LEVELS

SIDE = 1815  # pixels of a tray photo, as RPC's


@dataclass(frozen=True)
class Shape:
    """How much there is.

    Attributes:
        images: trays, one level after the other.
        items: on each tray.
        detections: boxes on each tray: one for each item, the others around them.
        skus: to choose from.
        seed: of all that is drawn.
    """

    images: int
    items: int = 12
    detections: int = 30
    skus: int = 200
    seed: int = 0


def main(argv: list[str] | None = None) -> int:
    """Write the files of one shape, to score them by hand."""
    args = vars(_parser().parse_args(argv))
    folder = args.pop("out")
    for path in write_files(folder, Shape(**args)):
        print(path)
    return 0


def write_files(folder: Path, shape: Shape) -> tuple[Path, Path]:
    """Write `gt.json`, with all that rpctool wants, and `results.json`; returns both paths."""
    rng = np.random.default_rng([shape.seed, shape.images])
    image_ids = np.cumsum(rng.integers(1, 4, shape.images)).tolist()  # not consecutive, as RPC's
    rows = np.repeat(np.arange(shape.images), shape.items)
    skus = rng.integers(1, shape.skus + 1, len(rows))
    again = (rng.random(len(rows)) < 0.5) & (np.arange(len(rows)) % shape.items > 0)
    skus[again] = skus[np.flatnonzero(again) - 1]  # a tray holds several of one SKU
    places = np.c_[rng.integers(0, 1400, (len(rows), 2)), rng.integers(150, 400, (len(rows), 2))]
    truth = _truth(image_ids, rows, skus, places, shape)
    found = _found(rng, rows, skus, places.astype(float), shape)
    results = [
        {"image_id": image_ids[row], "category_id": sku, "bbox": box, "score": score}
        for row, sku, box, score in zip(*(column.tolist() for column in found), strict=True)
    ]
    return write_json(folder / "gt.json", truth), write_json(folder / "results.json", results)


def _found(
    rng: np.random.Generator, rows: Any, skus: Any, places: Any, shape: Shape
) -> tuple[Any, Any, Any, Any]:
    """Rows, SKUs, boxes and scores (M,): a good box an item, weak ones beside, tray by tray."""
    g, extra = len(rows), shape.detections - shape.items
    near = np.repeat(np.arange(shape.images) * shape.items, extra)
    near += rng.integers(0, shape.items, len(near))
    named = np.r_[
        np.where(rng.random(g) < 0.01, rng.integers(1, shape.skus + 1, g), skus),
        np.where(
            rng.random(len(near)) < 0.5,
            skus[near],
            rng.integers(1, shape.skus + 1, len(near)),
        ),
    ]
    boxes = np.r_[
        places + rng.normal(0, 8, places.shape), places[near] + rng.normal(0, 40, (len(near), 4))
    ]
    boxes[:, 2:] = np.maximum(boxes[:, 2:], 10)
    is_sure = rng.random(g) < 0.985
    scores = np.r_[
        np.where(is_sure, 1 - rng.beta(1, 30, g), 0.6 * rng.random(g)),
        rng.beta(0.3, 6, len(near)),
    ]
    of = np.r_[rows, rows[near]]
    order = np.argsort(of, kind="stable")
    return of[order], named[order], boxes[order].round(2), scores[order].round(6)


def _truth(image_ids: list[int], rows: Any, skus: Any, places: Any, shape: Shape) -> dict[str, Any]:
    columns = zip(rows.tolist(), skus.tolist(), places.tolist(), strict=True)
    return {
        "info": {},
        "licenses": [],
        "categories": [
            {"id": n, "name": f"{n}_sku", "supercategory": f"class {n % 17}"}
            for n in range(1, shape.skus + 1)
        ],
        "__raw_Chinese_name_df": [
            {"sku_name": f"{n}_sku", "category_id": n, "name": "", "clas": ""}
            for n in range(1, shape.skus + 1)
        ],
        "images": [
            {
                "id": number,
                "file_name": f"20180827-{row:06d}.jpg",
                "width": SIDE,
                "height": SIDE,
                "level": LEVELS[row * len(LEVELS) // len(image_ids)],
            }
            for row, number in enumerate(image_ids)
        ],
        "annotations": [
            {
                "id": number,
                "image_id": image_ids[row],
                "category_id": sku,
                "bbox": [x, y, w, h],
                "area": w * h,
                "iscrowd": 0,
                "segmentation": [[]],
                "point_xy": [x + w / 2, y + h / 2],
            }
            for number, (row, sku, (x, y, w, h)) in enumerate(columns, start=1)
        ],
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="for both files")
    parser.add_argument("--images", type=int, default=100, help="trays (default: %(default)s)")
    for name, value in list(asdict(Shape(1)).items())[1:]:
        parser.add_argument(f"--{name}", type=int, default=value, help="(default: %(default)s)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
