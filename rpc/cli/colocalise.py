"""Find what a set of photos has in common (DDT, DDT+): a box on each, without any label.

Sets: the photos of a folder, each SKU's exemplars in a store, or the frames of a video. Writes
boxes.json (COCO), colocalise.json and sheets: photo with the found box (red) and true ones (green)
beside the indicator map as heat.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rpc.runs.progress import bar

if TYPE_CHECKING:
    from rpc.features.backbones.feature_maps import FeatureMaps
    from rpc.reporting.pictures.colocalised import Rgb as Tile
    from rpc.retrieval.colocalisation.colocalise import Colocaliser
    from rpc.retrieval.colocalisation.photo_sets import Box, PhotoSet

VERSION: Final = 1
ON_A_SHEET: Final = 24
METHODS: Final = ("ddt", "ddt+")


def main(argv: list[str] | None = None) -> int:
    """Co-localise what the command line asks for; print how much was found."""
    args = _parser().parse_args(argv)
    from rpc.data.files import DataError, write_json
    from rpc.features.backbones.feature_maps import FeatureMaps
    from rpc.reporting.provenance import code_version, library_versions, machine
    from rpc.retrieval.colocalisation.colocalised_set import default_layers

    for name, value, least in (
        ("--short-side", args.short_side, 64),
        ("--frames", args.frames, 2),
        ("--smooth", args.smooth, 0),
        ("--sheet", args.sheet, 0),
    ):
        if value < least:
            raise DataError(f"{name} {value}: expected {least} or more")
    sets, notes, video = _sets(args)
    layers = default_layers(args.backbone)[: METHODS.index(args.method) + 1]
    network = FeatureMaps(args.backbone, layers, weights=args.weights, short_side=args.short_side)
    started = time.monotonic()
    results, tiles = _colocalise(sets, network, args.sheet, args.smooth if video else 0)
    seconds = time.monotonic() - started
    rows: list[dict[str, Any]] = []
    for result in results:
        rows.append(result.to_dict(1 + sum(len(row["images"]) for row in rows)))
    photos = [photo for row in rows for photo in row["images"]]
    known = [photo["right"] for photo in photos if photo["right"] is not None]
    content = {
        "version": VERSION,
        "method": args.method,
        "features": network.identity,
        "source": Path(args.photos or args.data or args.video).resolve().name,
        "split": args.split if args.data else None,
        "corloc": sum(known) / len(known) if known else None,
        "photos": len(photos),
        "seconds": round(seconds, 1),
        "notes": notes,
        "video": video,
        "sets": rows,
        "code": code_version(),
        "libraries": library_versions(),
        "machine": machine(),
    }
    write_json(args.out / "boxes.json", _coco(results, rows))
    path = write_json(args.out / "colocalise.json", content, indent=1)
    for sheet in _write_sheets(args.out, tiles):
        print(sheet)
    for note in notes:
        print(note)
    boxed = sum(photo["box"] is not None for photo in photos)
    print(f"{path}: a box on {boxed} of {len(photos)} photos in {len(rows)} sets")
    if known:
        print(f"CorLoc (IoU > 0.5): {100 * sum(known) / len(known):.1f} % of {len(known)} photos")
    return 0


def _sets(args: argparse.Namespace) -> tuple[list[PhotoSet], list[str], dict[str, Any] | None]:
    """The sets, notes for the user, and facts of the video if it is one."""
    from rpc.data.store import Store
    from rpc.retrieval.colocalisation.photo_sets import folder_set, store_sets, video_set

    if args.video is not None:
        frames_set, frames = video_set(args.video, args.frames)
        return [frames_set], [], {"frames": list(frames.numbers), "rate": frames.rate}
    if args.data is not None:
        sets, few = store_sets(Store.open(args.data), args.split, as_one=args.one_set)
        return sets, few, None
    return [folder_set(args.photos)], [], None


@dataclass
class Boxed:
    """A set with what was found on its photos, row by row.

    `sizes` are heights and widths, `presences` the scores by which noise is found, `masks` COCO's
    RLE with its area, None where there is no box.
    """

    photos: PhotoSet
    colocaliser: Colocaliser
    names: list[str] = field(default_factory=list)
    sizes: list[tuple[int, int]] = field(default_factory=list)
    boxes: list[Sequence[float] | None] = field(default_factory=list)
    truths: list[tuple[Box, ...]] = field(default_factory=list)
    presences: list[float] = field(default_factory=list)
    masks: list[tuple[dict[str, Any], int] | None] = field(default_factory=list)

    def to_dict(self, first_id: int) -> dict[str, Any]:
        """The set's part of colocalise.json; its photos have ids from `first_id` on."""
        from rpc.metrics.corloc import corloc

        score = corloc(self.boxes, self.truths)
        axis = self.colocaliser.axes[0]
        overlaps = [float(iou) if iou >= 0 else None for iou in score.overlaps]
        known = [iou for iou in overlaps if iou is not None]
        return {
            "name": self.photos.category.name,
            "category_id": self.photos.category.id,
            "corloc": score.rate if known else None,
            "mean_iou": sum(known) / len(known) if known else None,
            "share_of_variance": axis.share,
            "inside_out": axis.border_gap < 0,
            "images": [
                {
                    "id": first_id + row,
                    "file_name": self.names[row],
                    "box": None if box is None else [float(value) for value in box],
                    "presence": round(self.presences[row], 4),
                    "iou": overlaps[row],
                    "right": None if overlaps[row] is None else bool(score.right[row]),
                }
                for row, box in enumerate(self.boxes)
            ],
        }


def _colocalise(
    sets: list[PhotoSet], network: FeatureMaps, drawn: int, smooth: int
) -> tuple[list[Boxed], list[Tile]]:
    """The findings in each set, and tiles of about `drawn` photos to look at."""
    total = 2 * sum(len(photo_set.photos) for photo_set in sets)
    every = max(1, -(-total // 2 // max(1, drawn)))
    done = 0
    results: list[Boxed] = []
    tiles: list[Tile] = []
    with bar("co-localising") as progress:

        def step() -> None:
            nonlocal done
            done += 1
            progress(done, total)

        for photo_set in sets:
            before = sum(len(result.names) for result in results)
            rows = [i for i in range(len(photo_set.photos)) if (before + i) % every == 0]
            results.append(_one_set(photo_set, network, rows if drawn else [], tiles, step, smooth))
    return results, tiles


def _one_set(
    photos: PhotoSet,
    network: FeatureMaps,
    drawn: list[int],
    tiles: list[Tile],
    step: Callable[[], None],
    smooth: int,
) -> Boxed:
    """Co-localise a set; adds tiles of the photos `drawn`."""
    from rpc.data.files import DataError
    from rpc.reporting.pictures.colocalised import draw_found
    from rpc.retrieval.colocalisation.box_track import smooth_boxes
    from rpc.retrieval.colocalisation.colocalised_set import colocalise_set
    from rpc.structures import encode_rle

    colocaliser, results = colocalise_set(photos, network, step=step)
    boxed = Boxed(photos, colocaliser)
    for row, (photo, rgb, found) in enumerate(results):
        boxed.names.append(photo.name)
        boxed.sizes.append(rgb.shape[:2])
        boxed.boxes.append(found.box)
        boxed.truths.append(photo.truths)
        boxed.presences.append(found.presence)
        area = int(found.mask.sum())
        boxed.masks.append((encode_rle(found.mask), area) if area else None)
        if row in drawn:
            caption = f"{found.presence:.2f} {photos.category.name} {photo.name}"
            tiles.append(draw_found(rgb, found.indicator, found.box, photo.truths, caption))
    if not any(boxed.boxes):
        raise DataError(
            f"{photos.category.name}: no common object on its {len(boxed.boxes)} photos (all "
            "alike, or plain): add photos of the object before other backgrounds"
        )
    boxed.boxes = list(smooth_boxes(boxed.boxes, smooth))
    return boxed


def _coco(results: list[Boxed], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The boxes as COCO's object; `score` is the share of the photo's cells with the object."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for result, row in zip(results, rows, strict=True):
        for (height, width), mask, entry in zip(
            result.sizes, result.masks, row["images"], strict=True
        ):
            name = entry["file_name"]
            images.append({"id": entry["id"], "file_name": name, "width": width, "height": height})
            if entry["box"] is None:
                continue
            x1, y1, x2, y2 = entry["box"]
            annotation = {
                "id": len(annotations) + 1,
                "image_id": entry["id"],
                "category_id": row["category_id"],
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": (x2 - x1) * (y2 - y1),
                "iscrowd": 0,
                "score": entry["presence"],
            }
            if mask is not None:
                annotation |= {"segmentation": mask[0], "area": mask[1]}
            annotations.append(annotation)
    categories = [{"id": row["category_id"], "name": row["name"]} for row in rows]
    return {"images": images, "annotations": annotations, "categories": categories}


def _write_sheets(out: Path, tiles: list[Tile]) -> list[Path]:
    from rpc.data.images import write_image
    from rpc.reporting.pictures.colocalised import sheet

    paths = [
        write_image(out / f"sheet_{1 + i // ON_A_SHEET:03d}.jpg", sheet(tiles[i : i + ON_A_SHEET]))
        for i in range(0, len(tiles), ON_A_SHEET)
    ]
    for old in out.glob("sheet_[0-9][0-9][0-9].jpg"):
        if old not in paths:
            old.unlink()
    return paths


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--photos", type=Path, metavar="DIR", help="photos of one kind of object")
    source.add_argument("--data", type=Path, metavar="ROOT", help="a store: a set a SKU")
    source.add_argument("--video", type=Path, metavar="FILE", help="a video of one object")
    add("--out", type=Path, required=True, metavar="DIR", help="where the results go")
    add("--split", choices=("train", "val", "test"), default="train", help="of the store")
    add("--one-set", action="store_true", help="all photos of the split as one set")
    add("--method", choices=METHODS, default="ddt+", help="one layer or two (default: %(default)s)")
    add("--backbone", default="efficientnet_lite0", help="(default: %(default)s)")
    add("--weights", type=Path, metavar="FILE", help="of the backbone (default: the published)")
    add(
        "--short-side",
        type=int,
        default=800,
        metavar="PX",
        help="larger photos are shrunk to it (default: %(default)s px)",
    )
    add("--frames", type=int, default=60, help="of the video, at most (default: %(default)s)")
    add(
        "--smooth",
        type=int,
        default=2,
        metavar="N",
        help="chosen frames on either side that vote on a box (default: %(default)s)",
    )
    add("--sheet", type=int, default=48, metavar="N", help="photos to draw (default: %(default)s)")
    return parser
