"""One image and one annotated item, as a data set's JSON lists them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rpc.data.files import DataError
from rpc.data.levels import LEVELS, Level

Box = tuple[float, float, float, float]

_IMAGE_FIELDS = frozenset({"id", "file_name", "width", "height", "level"})
_ANNOTATION_FIELDS = frozenset(
    {"id", "image_id", "category_id", "bbox", "area", "visible", "segmentation", "iscrowd"}
)


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """One image of a data set.

    Attributes:
        id: any integer; RPC's are not consecutive.
        file_name: relative to the split's image folder.
        width: pixels, after the photo's EXIF orientation is applied.
        height: pixels, likewise.
        level: clutter level of a checkout image; None on exemplars.
        extra: other fields of the file (`camera`, `view`, ...), kept and written back.
    """

    id: int
    file_name: str
    width: int
    height: int
    level: Level | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise DataError(
                f"image {self.id}: expected a size above 0, got {self.width}x{self.height}"
            )
        if self.level is not None and self.level not in LEVELS:
            raise DataError(
                f"image {self.id}: level: expected one of {', '.join(LEVELS)}, got {self.level!r}"
            )

    @classmethod
    def from_coco(cls, entry: Mapping[str, Any]) -> ImageInfo:
        """The record of a checked entry of COCO's `images`."""
        return cls(
            id=entry["id"],
            file_name=entry["file_name"],
            width=entry["width"],
            height=entry["height"],
            level=entry.get("level"),
            extra={key: value for key, value in entry.items() if key not in _IMAGE_FIELDS},
        )

    def to_coco(self) -> dict[str, Any]:
        """The entry of COCO's `images`."""
        entry: dict[str, Any] = {
            "id": self.id,
            "file_name": self.file_name,
            "width": self.width,
            "height": self.height,
        }
        if self.level is not None:
            entry["level"] = self.level
        return entry | dict(self.extra)


@dataclass(frozen=True, slots=True)
class Annotation:
    """One item on an image.

    Attributes:
        id: unique in its data set.
        image_id: the image it lies on.
        category_id: the file's id of its SKU.
        bbox: x1, y1, x2, y2 in pixels (the JSON file holds x, y, width, height).
        area: pixels, as the file says it.
        visible: fraction of the item that is not hidden, 0 to 1; None where unknown.
        segmentation: COCO's polygons or RLE, untouched; None where the file has none.
        extra: other fields of the file (`point_xy`, ...), kept and written back.
    """

    id: int
    image_id: int
    category_id: int
    bbox: Box
    area: float
    visible: float | None = None
    segmentation: Any = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        x1, y1, x2, y2 = self.bbox
        # Written so that NaN, which compares false with everything, is refused as well.
        if not (x1 < x2 and y1 < y2 and math.isfinite(x2 - x1) and math.isfinite(y2 - y1)):
            raise DataError(
                f"annotation {self.id}: bbox: expected x1 < x2 and y1 < y2, got {self.bbox}"
            )

    @classmethod
    def from_coco(cls, entry: Mapping[str, Any], box: Sequence[float]) -> Annotation:
        """The record of a checked entry of COCO's `annotations`, with its box as xyxy."""
        x1, y1, x2, y2 = box
        area, segmentation = entry.get("area"), entry.get("segmentation")
        return cls(
            id=entry["id"],
            image_id=entry["image_id"],
            category_id=entry["category_id"],
            bbox=(x1, y1, x2, y2),
            area=(x2 - x1) * (y2 - y1) if area is None else area,
            visible=entry.get("visible"),
            # RPC ships no masks and writes [[]] for "none"; COCO tools write [].
            segmentation=None if segmentation in ([], [[]]) else segmentation,
            extra={key: entry[key] for key in entry if key not in _ANNOTATION_FIELDS},
        )

    def to_coco(self) -> dict[str, Any]:
        """The entry of COCO's `annotations`: its box as x, y, width, height."""
        x1, y1, x2, y2 = self.bbox
        entry: dict[str, Any] = {
            "id": self.id,
            "image_id": self.image_id,
            "category_id": self.category_id,
            "bbox": [_number(n) for n in (x1, y1, x2 - x1, y2 - y1)],
            "area": self.area,
            "iscrowd": 0,  # a crowd cannot be counted and is refused; pycocotools wants the field
            "segmentation": [] if self.segmentation is None else self.segmentation,
        }
        if self.visible is not None:
            entry["visible"] = self.visible
        return entry | dict(self.extra)


def _number(value: float) -> int | float:
    """The pixel value as COCO writes it: whole numbers without a fraction."""
    rounded = round(float(value), 6)
    return int(rounded) if rounded.is_integer() else rounded
