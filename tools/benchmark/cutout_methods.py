"""Ways to cut-outs beside the truth: box and area of the masks, and processor seconds a photo.

On a fixed sample of a store's exemplars. Each way is tried with the product's box given, as a
store has it, and without (the whole photo as the box). Areas are compared where the annotations
hold the mask's own area (rendered stores), not the box's.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import cv2
import numpy as np

from rpc.cli.leave import run
from rpc.data.exemplars import Exemplar
from rpc.data.files import write_json
from rpc.data.images import image_size, read_image, write_image
from rpc.data.store import Store
from rpc.reporting.provenance import code_version, library_versions, machine
from rpc.runs.progress import bar
from rpc.structures import box_areas, box_iou, mask_to_box
from synth.exemplar import METHODS, make_segmenter
from synth.exemplar.cut import MAX_SIDE, crop_around, find_mask
from synth.exemplar.segmenter import SetSegmenter

WRONG_AREA = 0.2  # a mask whose area is off by more is no good for training
TILE = 160  # px


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and write the rates."""
    args = _parser().parse_args(argv)
    cv2.setNumThreads(1)
    import torch

    torch.set_num_threads(1)
    result: dict[str, Any] = {
        "settings": {"skus": args.skus, "photos": args.photos},
        "code": code_version(),
        "libraries": library_versions(),
        "machine": machine(),
        "stores": {},
    }
    for root in args.data:
        store = Store.open(root)
        name = store.root.resolve().name
        result["stores"][name] = {}
        for given in (True, False):
            key = "box given" if given else "no box"
            result["stores"][name][key] = {}
            for method in args.methods:
                with bar(f"{name} {method}, {key}") as progress:
                    sheet = args.sheets / f"{name}_{method}_{key}.jpg" if args.sheets else None
                    row = measure(store, method, given, args.skus, args.photos, sheet, progress)
                result["stores"][name][key][method] = row
                print(f"{name:10} {key:10} {method:9} {_text(row)}", flush=True)
    if args.out is not None:
        print(write_json(args.out, result, indent=1))
    return 0


def measure(
    store: Store,
    method: str,
    box_given: bool,
    skus: int,
    photos: int,
    sheet: Path | None = None,
    progress: Any = None,
) -> dict[str, Any]:
    """Rates of one way on some SKUs of a store.

    Returns:
        `photos`; `mean_iou` of the mask's box with the true one and the share `iou_90` above 0.9;
        `area_error`, the median of |area / true area - 1|, and the share `area_wrong` above 0.2
        (None where true areas are unknown); photos `missed`, whose
        mask is empty or nowhere on the product; processor `seconds` a photo, and for
        ways that learn from a SKU's photos first, `learning` seconds for each of these photos.
    """
    by_sku: dict[int, list[tuple[Exemplar, float]]] = {}
    for exemplar, area in zip(store.exemplars(), _areas(store), strict=True):
        by_sku.setdefault(exemplar.category_id, []).append((exemplar, area))
    sample = [by_sku[key] for key in _evenly_spaced(sorted(by_sku), skus)]
    shown = {id(e): _shown(e, box_given) for mine in sample for e, _ in mine}
    segmenter = make_segmenter(method)
    areas_known = any(
        abs(area / box_areas([e.box])[0] - 1) > 0.01 for mine in sample for e, area in mine
    )
    overlaps, errors, tiles = [], [], []
    seconds = learning = 0.0
    with tempfile.TemporaryDirectory() as folder:
        segmenters: Any = None
        if isinstance(segmenter, SetSegmenter):
            everything = [shown[id(e)] for mine in sample for e, _ in mine]
            started = time.process_time()
            segmenters = segmenter.prepare(everything, Path(folder), MAX_SIDE, lambda e: str(e))
            learning = (time.process_time() - started) / len(everything)
        chosen = [pair for mine in sample for pair in _evenly_spaced(mine, photos)]
        for done, (exemplar, area) in enumerate(chosen, start=1):
            rgb, seen = read_image(exemplar.path), shown[id(exemplar)]
            one = segmenter if segmenters is None else segmenters[exemplar.category_id]
            started = time.process_time()
            crop, inner, zoom = crop_around(rgb, seen.box)
            mask, _ = find_mask(crop, inner, one)
            seconds += time.process_time() - started
            box = mask_to_box(mask)
            shift = np.array([seen.box[0], seen.box[1]] * 2) - np.array(inner[:2] * 2) / zoom
            overlap = 0.0
            if box is not None:
                overlap = float(box_iou([np.array(box) / zoom + shift], [exemplar.box])[0, 0])
            overlaps.append(overlap)
            errors.append(abs(float(mask.sum()) / zoom**2 / area - 1))
            tiles.append(_tile(crop, mask))
            if progress is not None:
                progress(done, len(chosen))
    if sheet is not None:
        _write_sheet(sheet, tiles)
    return {
        "photos": len(overlaps),
        "mean_iou": round(float(np.mean(overlaps)), 4),
        "iou_90": round(float(np.mean(np.array(overlaps) > 0.9)), 4),
        "area_error": round(float(np.median(errors)), 4) if areas_known else None,
        "area_wrong": round(float(np.mean(np.array(errors) > WRONG_AREA)), 4)
        if areas_known
        else None,
        "missed": int((np.array(overlaps) == 0).sum()),
        "seconds": round(seconds / len(overlaps), 3),
        "learning": round(learning, 3),
    }


def _areas(store: Store) -> list[float]:
    """True areas in the order of `store.exemplars()`."""
    dataset = store.split("train")
    return [float(a.area) for image in dataset.images for a in dataset.annotations_of(image.id)]


def _shown(exemplar: Exemplar, box_given: bool) -> Exemplar:
    """The exemplar with the box that a segmenter is told."""
    if box_given:
        return exemplar
    width, height = image_size(exemplar.path)
    return replace(exemplar, box=(0.0, 0.0, float(width), float(height)))


def _evenly_spaced(items: Sequence[Any], number: int) -> list[Any]:
    if len(items) <= number:
        return list(items)
    return [items[i * len(items) // number] for i in range(number)]


def _tile(crop: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The crop with what is not in the mask in magenta, on a square tile."""
    picture = np.where(mask[..., None], crop, np.array([255, 0, 255], np.uint8))
    scale = TILE / max(crop.shape[:2])
    size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
    tile = np.zeros((TILE, TILE, 3), np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return tile


def _write_sheet(path: Path, tiles: list[np.ndarray], columns: int = 8, most: int = 48) -> None:
    chosen = _evenly_spaced(tiles, most)
    chosen += [np.zeros_like(chosen[0])] * (-len(chosen) % columns)
    rows = [np.hstack(chosen[i : i + columns]) for i in range(0, len(chosen), columns)]
    write_image(path, np.vstack(rows))


def _text(row: dict[str, Any]) -> str:
    area = "   areas unknown"
    if row["area_error"] is not None:
        area = (
            f"area off by {100 * row['area_error']:4.1f} %, {100 * row['area_wrong']:5.1f} % wrong"
        )
    return (
        f"IoU {row['mean_iou']:.3f}, {100 * row['iou_90']:5.1f} % above 0.9; {area}; "
        f"{row['seconds']:.2f} s + {row['learning']:.2f} s a photo"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, nargs="+", required=True, metavar="ROOT", help="stores")
    add("--methods", nargs="+", choices=METHODS, default=list(METHODS), help="(default: all)")
    add("--skus", type=int, default=8, help="SKUs of each store (default: %(default)s)")
    add("--photos", type=int, default=6, help="photos of each SKU (default: %(default)s)")
    add("--out", type=Path, metavar="FILE", help="write the JSON there")
    add("--sheets", type=Path, metavar="DIR", help="write sheets of the masks there")
    return parser


if __name__ == "__main__":
    run(main)
