"""The object that photos share, found without labels: OUT/colocalise.json, boxes.json, sheets."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, get_args

from rpc.data.class_sets.object_sets import Mark
from rpc.data.file_group import file_group, remove_with_group
from rpc.data.files import DataError, write_json
from rpc.data.images import write_image
from rpc.features.backbones.feature_maps import FeatureMaps
from rpc.metrics.corloc import corloc
from rpc.pictures.colocalised import Rgb as Tile
from rpc.pictures.colocalised import draw_found, sheet
from rpc.reporting.provenance import code_version, library_versions, machine
from rpc.retrieval.colocalisation.box_track import smooth_boxes
from rpc.retrieval.colocalisation.colocalise import Colocaliser
from rpc.retrieval.colocalisation.colocalised_set import colocalise_set, default_layers
from rpc.retrieval.colocalisation.data_sets import DataSplit, data_sets
from rpc.retrieval.colocalisation.photo_sets import Box, PhotoSet, folder_set, video_set
from rpc.retrieval.colocalisation.truth_file import with_truths
from rpc.runs.folder_lock import writes_into
from rpc.runs.progress import bar
from rpc.runs.settings import require_at_least
from rpc.structures import encode_rle

VERSION: Final = 1
ON_A_SHEET: Final = 24
SHOWN: Final = 5  # sets named in a warning
Method = Literal["ddt", "ddt+"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)


@dataclass(frozen=True)
class ColocalisationRequest:
    """Photos that share an object: exactly one of `photos`, `data` and `video`.

    Attributes:
        out: folder of the results.
        photos: a folder of one kind of object.
        data: a store or another data set; each SKU's or class's photos are a set.
        video: of one object.
        truth: COCO file with true boxes of `photos`, or of frames of `video`.
        split: of `data`.
        one_set: all photos of the split as one set.
        leave_out: marks of objects of PASCAL VOC that do not count, see `read_voc_sets`.
        method: one layer ("ddt") or two.
        backbone: name of the network.
        weights: file of its weights; None takes the published ones.
        short_side: px that larger photos are shrunk to.
        frames: of the video, at most.
        smooth: chosen frames on either side that vote on a box of a video; 0 for none.
        sheet: photos to draw.
        device: that the network runs on, see `rpc.runs.devices`.

    Raises:
        DataError: a number is too small.
    """

    out: Path
    photos: Path | None = None
    data: Path | None = None
    video: Path | None = None
    truth: Path | None = None
    split: DataSplit = "train"
    one_set: bool = False
    leave_out: tuple[Mark, ...] = ()
    method: Method = "ddt+"
    backbone: str = "efficientnet_lite0"
    weights: Path | None = None
    short_side: int = 800
    frames: int = 60
    smooth: int = 0
    sheet: int = 48
    device: str = "auto"

    def __post_init__(self) -> None:
        require_at_least("--short-side", self.short_side, 64)
        require_at_least("--frames", self.frames, 2)
        require_at_least("--smooth", self.smooth, 0)
        require_at_least("--sheet", self.sheet, 0)
        if sum(source is not None for source in (self.photos, self.data, self.video)) != 1:
            raise DataError("expected one of --photos, --data and --video")
        if self.data is not None and self.truth is not None:
            raise DataError("--truth is for --photos and --video; a data set has its own boxes")
        if self.data is None and self.leave_out:
            raise DataError("--leave-out is for --data with PASCAL VOC")

    @property
    def source(self) -> Path:
        """The folder or file with the photos."""
        source = self.photos or self.data or self.video
        assert source is not None
        return source


@writes_into(lambda request, *_, **__: request.out)
def colocalise(request: ColocalisationRequest) -> Path:
    """Find the object of every set, write and draw the boxes; the path of colocalise.json.

    Raises:
        DataError: photos are missing or damaged, a set has no common object, or an
            unknown device.
    """
    sets, notes, video = _sets(request)
    layers = default_layers(request.backbone)[: METHODS.index(request.method) + 1]
    network = FeatureMaps(
        request.backbone,
        layers,
        weights=request.weights,
        short_side=request.short_side,
        device=request.device,
    )
    started = time.monotonic()
    smooth = request.smooth if video else 0
    results, tiles = _colocalise(sets, network, request.sheet, smooth)
    seconds = time.monotonic() - started
    rows: list[dict[str, Any]] = []
    for result in results:
        rows.append(result.to_dict(1 + sum(len(row["images"]) for row in rows)))
    photos = [photo for row in rows for photo in row["images"]]
    known = [photo["right"] for photo in photos if photo["right"] is not None]
    rates = [row["corloc"] for row in rows if row["corloc"] is not None]
    content = {
        "version": VERSION,
        "method": request.method,
        "features": network.identity,
        "source": request.source.resolve().name,
        "split": request.split if request.data else None,
        "corloc": sum(known) / len(known) if known else None,
        "corloc_of_sets": sum(rates) / len(rates) if rates else None,
        "smoothed": smooth,
        "photos": len(photos),
        "seconds": round(seconds, 1),
        "left_out": list(request.leave_out),
        "notes": notes,
        "warnings": _warnings(rows),
        "video": video,
        "sets": rows,
        "code": code_version(),
        "libraries": library_versions(),
        "machine": machine(),
    }
    with file_group(request.out):
        write_json(request.out / "boxes.json", _coco(results, rows))
        _write_sheets(request.out, tiles)
        return write_json(request.out / "colocalise.json", content, indent=1)


def _sets(
    request: ColocalisationRequest,
) -> tuple[list[PhotoSet], list[str], dict[str, Any] | None]:
    """The sets, notes for the user, and facts of the video if it is one."""
    if request.video is not None:
        found, frames = video_set(request.video, request.frames)
        if request.truth is not None:
            found = with_truths(found, request.truth, frames=True)
        return [found], [], {"frames": list(frames.numbers), "rate": frames.rate}
    if request.data is not None:
        sets, notes = data_sets(
            request.data, request.split, as_one=request.one_set, leave_out=request.leave_out
        )
        return sets, notes, None
    found = folder_set(request.source)
    return [with_truths(found, request.truth) if request.truth else found], [], None


def _warnings(rows: Sequence[dict[str, Any]]) -> list[str]:
    """A line where the two ends of an axis could not be told without a contradiction."""
    divided = [row["name"] for row in rows if any(one["disagree"] for one in row["signs"])]
    if not divided:
        return []
    names = ", ".join(divided[:SHOWN]) + (", ..." if len(divided) > SHOWN else "")
    return [
        f"what is object and what is background is not sure in {len(divided)} of {len(rows)} sets "
        f"({names}): skewness and border gap disagree, as where the object fills most of the "
        "photos or lies at their edge; look at the sheets"
    ]


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
        score = corloc(self.boxes, self.truths)
        overlaps = [float(iou) if iou >= 0 else None for iou in score.overlaps]
        known = [iou for iou in overlaps if iou is not None]
        return {
            "name": self.photos.category.name,
            "category_id": self.photos.category.id,
            "corloc": score.rate if known else None,
            "mean_iou": sum(known) / len(known) if known else None,
            "share_of_variance": self.colocaliser.axes[0].share,
            "signs": [
                {
                    "rule": axis.rule,
                    "skewness": round(axis.skewness, 4),
                    "border_gap": round(axis.border_gap, 4),
                    "disagree": axis.signs_disagree,
                }
                for axis in self.colocaliser.axes
            ],
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
    paths = [
        write_image(out / f"sheet_{1 + i // ON_A_SHEET:03d}.jpg", sheet(tiles[i : i + ON_A_SHEET]))
        for i in range(0, len(tiles), ON_A_SHEET)
    ]
    for old in out.glob("sheet_[0-9][0-9][0-9].jpg"):
        if old not in paths:
            remove_with_group(old)
    return paths
