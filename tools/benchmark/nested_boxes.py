"""How often an item's box lies in another item's box: on trays, and on composed scenes.

    python tools/benchmark/nested_boxes.py STORE/instances_test.json SCENES/instances.json --out F

Of each item: the largest share of its box that lies in the box of another, larger item of its tray.
Written: of each file the trays, the items, and the share of items above each limit.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.dataset import read_dataset
from rpc.reporting.provenance import code_version
from rpc.structures.boxes import as_boxes, box_areas, intersection_areas

LIMITS: Final = (0.5, 0.7, 0.8, 0.85, 0.9, 0.95)


def main() -> None:
    """Measure each file, print a line, write one JSON file."""
    made = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    made.add_argument("files", nargs="+", type=Path, metavar="INSTANCES.json")
    made.add_argument("--out", type=Path, default=Path("out/nested_boxes.json"))
    args = made.parse_args()
    rows = {f"{path.parent.name}/{path.stem}": nested(path) for path in args.files}
    for name, row in rows.items():
        print(name, json.dumps(row))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    result = {"files": rows, "code": code_version()}
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def nested(path: Path) -> dict[str, object]:
    """Trays, items, and the share of items that lie in others by more than each limit."""
    dataset = read_dataset(path)
    shares: list[NDArray[np.float64]] = []
    for image in dataset.images:
        items = dataset.annotations_of(image.id)
        boxes = as_boxes(np.array([item.bbox for item in items], np.float64).reshape(-1, 4))
        areas = box_areas(boxes)
        inside = intersection_areas(boxes, boxes) / np.maximum(areas, 1e-9)[:, None]
        np.fill_diagonal(inside, 0)
        inside[areas[:, None] > areas[None]] = 0  # of the smaller one in the larger one alone
        shares.append(inside.max(axis=1, initial=0))
    every = np.concatenate(shares)
    above = {str(limit): round(float((every > limit).mean()), 5) for limit in LIMITS}
    return {"trays": len(dataset.images), "items": len(every), "above": above}


if __name__ == "__main__":
    main()
