"""CorLoc on a store's exemplars: SCDA's box, photo by photo, beside DDT and DDT+ over a set.

Sets: each SKU, and all photos as one. With a folder of other photos mixed into each SKU's set:
how well the share of positive cells tells them (area under the ROC curve).
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from numpy.typing import NDArray

from rpc.cli.leave import run
from rpc.data.files import write_json
from rpc.data.images import read_image
from rpc.data.photo_files import find_photos
from rpc.data.store import Store
from rpc.features.backbones.feature_maps import FeatureMaps
from rpc.metrics.corloc import corloc
from rpc.metrics.roc import roc_auc
from rpc.reporting.provenance import code_version, library_versions, machine
from rpc.retrieval.colocalisation.colocalise import Colocaliser
from rpc.retrieval.colocalisation.colocalised_set import default_layers
from rpc.retrieval.descriptors.selection import object_mask, resized_mask
from rpc.runs.progress import bar
from rpc.structures import mask_to_box

Maps = tuple[NDArray[np.float32], ...]
PLACE = {"SCDA": (0,), "DDT": (1,), "DDT+": (1, 2)}  # rows of the layers


@dataclass(frozen=True, eq=False)
class Seen:
    """One photo: its SKU (0: noise), size, true boxes and maps."""

    sku: int
    height: int
    width: int
    truths: tuple[Any, ...]
    maps: Maps


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and write the rates."""
    args = _parser().parse_args(argv)
    layers = ("last", *default_layers(args.backbone))
    network = FeatureMaps(
        args.backbone, layers, short_side=args.short_side, least_side=args.least_side
    )
    result: dict[str, Any] = {
        "features": network.identity,
        "settings": {"every": args.every, "noise_a_set": args.noise_photos},
        "code": code_version(),
        "libraries": library_versions(),
        "machine": machine(),
        "stores": {},
    }
    noise = _noise(args.noise, args.noise_photos * 64) if args.noise else []
    for root in args.data:
        store = Store.open(root)
        name = store.root.resolve().name
        started = time.process_time()
        with bar(name) as progress:
            photos = look(store, network, args.every, progress)
        rows = rate(photos)
        rows["network_seconds"] = round((time.process_time() - started) / len(photos), 3)
        if noise:
            rows["noise"] = find_noise(photos, noise, args.noise_photos, network)
        result["stores"][name] = rows
        print(name, rows, flush=True)
    if args.out is not None:
        print(write_json(args.out, result, indent=1))
    return 0


def look(store: Store, network: FeatureMaps, every: int, progress: Any = None) -> list[Seen]:
    """Every so-manieth photo of a store's exemplars through the network."""
    dataset = store.split("train")
    images = dataset.images[::every]
    photos = []
    for done, image in enumerate(images, start=1):
        rgb = read_image(store.image_path("train", image))
        items = dataset.annotations_of(image.id)
        truths = tuple(item.bbox for item in items)
        photos.append(Seen(items[0].category_id, *rgb.shape[:2], truths, network(rgb)))
        if progress is not None:
            progress(done, len(images))
    return photos


def rate(photos: Sequence[Seen]) -> dict[str, Any]:
    """CorLoc, photos with a box, mean IoU and seconds a photo beyond the network, by method."""
    skus = sorted({photo.sku for photo in photos})
    by_sku = [[photo for photo in photos if photo.sku == sku] for sku in skus]
    rows: dict[str, Any] = {"photos": len(photos), "skus": len(skus)}
    for method, sets in (
        ("SCDA", {"photo by photo": [list(photos)]}),
        ("DDT", {"a set a SKU": by_sku, "one set": [list(photos)]}),
        ("DDT+", {"a set a SKU": by_sku, "one set": [list(photos)]}),
    ):
        for kind, groups in sets.items():
            started = time.process_time()
            boxes = [box for group in groups for box in _boxes(method, group)]
            seconds = time.process_time() - started
            ordered = [photo for group in groups for photo in group]
            score = corloc(boxes, [photo.truths for photo in ordered])
            reached = corloc(boxes, [photo.truths for photo in ordered], strict=False)
            rows[f"{method}, {kind}"] = {
                "corloc": round(score.rate, 4),
                "corloc_or_equal": round(reached.rate, 4),
                "found": score.found,
                "mean_iou": round(float(score.overlaps.mean()), 4),
                "seconds": round(seconds / len(photos), 4),
            }
    return rows


def find_noise(
    photos: Sequence[Seen], noise: Sequence[Path], number: int, network: FeatureMaps
) -> dict[str, Any]:
    """Mean area under the ROC curve of `presence`, with `number` foreign photos in each set."""
    areas, boxless, foreign = [], 0, 0
    for row, sku in enumerate(sorted({photo.sku for photo in photos})):
        own = [photo.maps[1:2] for photo in photos if photo.sku == sku]
        others = [network(read_image(p))[1:2] for p in noise[row * number : (row + 1) * number]]
        maps = own + others
        colocaliser = Colocaliser.fit(maps)
        found = [colocaliser.find(m, 64, 64) for m in maps]
        there = np.arange(len(maps)) < len(own)
        areas.append(roc_auc([f.presence for f in found], there))
        boxless += sum(f.box is None for f in found[len(own) :])
        foreign += len(others)
    return {
        "roc_auc": round(float(np.mean(areas)), 4),
        "sets": len(areas),
        "foreign_photos": foreign,
        "foreign_photos_without_a_box": boxless,
    }


def _boxes(method: str, group: Sequence[Seen]) -> list[Any]:
    if method == "SCDA":
        masks = [(object_mask(photo.maps[0]), photo.height, photo.width) for photo in group]
        return [mask_to_box(resized_mask(*one)) for one in masks]
    layers = [tuple(photo.maps[row] for row in PLACE[method]) for photo in group]
    colocaliser = Colocaliser.fit(layers)
    return [
        colocaliser.find(maps, photo.height, photo.width).box
        for maps, photo in zip(layers, group, strict=True)
    ]


def _noise(folder: Path, most: int) -> list[Path]:
    paths = list(find_photos(folder, "photos of other things", recursive=True).photos)
    return [paths[i * len(paths) // most] for i in range(most)] if len(paths) > most else paths


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--data", type=Path, nargs="+", required=True, metavar="ROOT", help="stores")
    add("--backbone", default="efficientnet_lite0", help="(default: %(default)s)")
    add("--every", type=int, default=1, metavar="N", help="take every Nth photo (default: all)")
    add("--short-side", type=int, default=800, metavar="PX", help="at most (default: %(default)s)")
    add("--least-side", type=int, default=64, metavar="PX", help="at least (default: %(default)s)")
    add("--noise", type=Path, metavar="DIR", help="foreign photos, in folders")
    add("--noise-photos", type=int, default=6, help="of them in a set (default: %(default)s)")
    add("--out", type=Path, metavar="FILE", help="write the JSON there")
    return parser


if __name__ == "__main__":
    run(main)
