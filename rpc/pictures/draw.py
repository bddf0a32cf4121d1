"""An annotated tray: the photo with its boxes, and the shopping list beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rpc.counting.matching import Matching, match_items
from rpc.data import Taxonomy
from rpc.pictures.lettering import Lettering
from rpc.pictures.palette import (
    CONFUSED,
    EXTRA,
    FAINT,
    MISSED,
    PAPER,
    QUESTION,
    RIGHT,
    sku_colours,
)
from rpc.pictures.panel import WIDTH, Line, draw_panel, least_height
from rpc.pictures.tags import Box, Mark, TagPainter
from rpc.structures import Detections
from rpc.structures.boxes import FloatArray

PHOTO_SIDE: Final = 1000  # px: smaller photos are enlarged, or their tags would hide the items
PANEL_MOST: Final = 2000  # px: 50 SKUs; more are summed up
TEXT: Final = 15
LEGEND: Final = (
    ("right", RIGHT),
    ("missed: is there, was not read (dashed)", MISSED),
    ("extra: was read, is not there", EXTRA),
    ("confused: read as another SKU", CONFUSED),
)
ASKED: Final = (("? please look: not sure (dashed: not counted)", QUESTION),)


def draw_tray(
    rgb: NDArray[np.uint8],
    detections: Detections,
    taxonomy: Taxonomy,
    *,
    truth: Detections | None = None,
    title: str = "Shopping list",
    font: str | Path | None = None,
    asked: Collection[int] = (),
    near: FloatArray | None = None,
) -> NDArray[np.uint8]:
    """Draw what was counted on a tray and the shopping list; with the truth, also what is wrong.

    Without truth, boxes have the colour and the number of their line in the list. With it, right
    boxes are green, missed items dashed red, extra ones orange, confused ones magenta, and the
    list says where a count is wrong.

    Args:
        rgb: the photo (H, W, 3).
        detections: what counts as items (after the counting rule), in pixels of the photo.
        taxonomy: the SKUs.
        truth: the true items, see `truth_of`; or None.
        title: heading of the list.
        font: a font file for the names. Without one, names in letters that no font here has are
            drawn as `#id` and their plain letters.
        asked: rows of the detections that a cashier is asked about: drawn in amber with a '?'.
        near: (M, 4) boxes that nearly count and are asked about: amber and dashed.

    Returns:
        A picture (H', W', 3), the photo at the left, its longer side 1000 px.

    Raises:
        ValueError: the photo is not (H, W, 3) uint8, or a label is no SKU.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        raise ValueError(f"rgb: expected (H, W, 3) uint8, got {rgb.shape} {rgb.dtype}")
    lettering = Lettering(font)
    lines = _list(detections, truth, taxonomy, lettering)
    photo, scale = _scaled(rgb)
    marks = (
        [*_plain_marks(detections, scale, lines, asked), *_near_marks(near, scale)]
        if truth is None
        else _marks_with_truth(detections, truth, match_items(detections, truth), scale, lines)
    )
    painter = TagPainter(ImageDraw.Draw(photo), photo.size, lettering, TEXT)
    for mark in marks:
        painter.outline(mark)
    for mark in marks:
        painter.tag(mark)
    questions = len(asked) + (0 if near is None else len(near))
    legend = LEGEND if truth is not None else ASKED if questions else ()
    panel = draw_panel(
        max(photo.height, min(least_height(len(lines), len(legend)), PANEL_MOST)),
        list(lines.values()),
        lettering,
        title=lettering.plain(title),
        verdict=_verdict(lines, truth, questions),
        legend=legend,
    )
    return _side_by_side(photo, panel)


def _list(
    detections: Detections, truth: Detections | None, taxonomy: Taxonomy, lettering: Lettering
) -> dict[int, Line]:
    """The lines of the list by label."""
    read = Counter(detections.labels.tolist())
    there = Counter([] if truth is None else truth.labels.tolist())
    colours = sku_colours(read | there)
    return {
        label: Line(
            number=number,
            name=lettering.name(taxonomy.category(label)),
            colour=colours[label] if truth is None else FAINT,  # there, colours say right or wrong
            count=read[label],
            truth=None if truth is None else there[label],
        )
        for number, label in enumerate(sorted(colours), start=1)
    }


def _plain_marks(
    detections: Detections, scale: float, lines: dict[int, Line], asked: Collection[int]
) -> list[Mark]:
    """A mark for each box; those that are asked about come last, over the others."""
    rows = zip(detections.boxes.tolist(), detections.labels.tolist(), strict=True)
    marks = {
        row: Mark(
            _at(box, scale),
            f"{'? ' * (row in asked)}{lines[label].number}  {lines[label].name}",
            QUESTION if row in asked else lines[label].colour,
        )
        for row, (box, label) in enumerate(rows)
    }
    return [marks[row] for row in sorted(marks, key=lambda row: row in asked)]


def _near_marks(near: FloatArray | None, scale: float) -> list[Mark]:
    boxes = [] if near is None else near.tolist()
    return [Mark(_at(box, scale), "? an item", QUESTION, dashed=True) for box in boxes]


def _marks_with_truth(
    detections: Detections,
    truth: Detections,
    matching: Matching,
    scale: float,
    lines: dict[int, Line],
) -> list[Mark]:
    """Marks, the right ones first: what is wrong is drawn over them."""
    boxes, items = detections.boxes.tolist(), truth.boxes.tolist()
    read = [lines[label] for label in detections.labels.tolist()]
    there = [lines[label] for label in truth.labels.tolist()]
    right = [
        Mark(_at(boxes[row], scale), str(read[row].number), RIGHT, width=2)
        for row, _ in matching.right
    ]
    confused = [
        Mark(_at(boxes[row], scale), f"{read[row].number}, is {there[item].name}", CONFUSED)
        for row, item in matching.confused
    ]
    extra = [
        Mark(_at(boxes[row], scale), f"extra: {read[row].name}", EXTRA) for row in matching.extra
    ]
    missed = [
        Mark(_at(items[row], scale), f"missed: {there[row].name}", MISSED, dashed=True)
        for row in matching.missed
    ]
    return right + confused + extra + missed


def _verdict(lines: dict[int, Line], truth: Detections | None, questions: int) -> str:
    if truth is None:
        kinds = f"{len(lines)} SKUs" if len(lines) != 1 else "1 SKU"
        return f"{kinds}, {questions} to look at" if questions else kinds
    missed = sum(max((line.truth or 0) - line.count, 0) for line in lines.values())
    extra = sum(max(line.count - (line.truth or 0), 0) for line in lines.values())
    return f"wrong: {missed} missed, {extra} extra" if missed or extra else "every count is right"


def _scaled(rgb: NDArray[np.uint8]) -> tuple[Image.Image, float]:
    """The photo with `PHOTO_SIDE` as its longer side, and the factor."""
    height, width = rgb.shape[:2]
    scale = PHOTO_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return Image.fromarray(cv2.resize(rgb, size, interpolation=how)), scale


def _at(box: list[float], scale: float) -> Box:
    x1, y1, x2, y2 = (value * scale for value in box)
    return x1, y1, x2, y2


def _side_by_side(photo: Image.Image, panel: Image.Image) -> NDArray[np.uint8]:
    picture = Image.new("RGB", (photo.width + WIDTH, max(photo.height, panel.height)), PAPER)
    picture.paste(photo, (0, 0))
    picture.paste(panel, (photo.width, 0))
    return np.asarray(picture).copy()
