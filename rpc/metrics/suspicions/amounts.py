"""Too many boxes or too few: written twice, not suppressed, missing for some images, cut off.

Key: N images, M boxes.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from rpc.data.suspicion import Suspicion, share_text
from rpc.data.suspicious_items import mixed
from rpc.metrics.suspicions.sample import IntArray
from rpc.structures.boxes import FloatArray

ONE_PLACE: Final = 0.7  # IoU: two items of one SKU do not lie so on each other
LIMITS: Final = (10, 20, 50, 100, 200, 256, 300, 500, 512, 1000)  # usual limits of detectors


def boxes_listed_twice(rows: IntArray, labels: IntArray, boxes: FloatArray) -> Suspicion | None:
    """The same box with the same SKU on the same image, again.

    Args:
        rows: (M,) the image.
        labels: (M,) the SKU.
        boxes: (M, 4).
    """
    numbers = np.sort(mixed(rows, labels, boxes))
    twice = int((numbers[1:] == numbers[:-1]).sum())
    if twice < max(3, 0.02 * len(rows)):
        return None
    return Suspicion(
        "boxes_listed_twice",
        f"{share_text(twice, len(rows), 'boxes')} are there already with the same image, SKU and "
        "place: each counts as an item of its own",
        "remove the copies; look whether results were appended to an older file",
        count=twice,
        of=len(rows),
    )


def boxes_on_one_place(
    rows: IntArray, labels: IntArray, boxes: FloatArray, twice_in_truth: float
) -> Suspicion | None:
    """Boxes that count although a better one of the same SKU lies on the same place.

    Args:
        rows: (M,) the image, of boxes that count.
        labels: (M,) the SKU.
        boxes: (M, 4) x1, y1, x2, y2.
        twice_in_truth: the share of items that lie so on another of their SKU.
    """
    share = share_on_one_place(rows, labels, boxes)
    count = round(share * len(rows))
    if count < 5 or share < 0.1 + 2 * twice_in_truth:
        return None
    return Suspicion(
        "boxes_on_one_place",
        f"{share_text(count, len(rows), 'boxes looked at')} count although another of the same SKU "
        f"lies on the place (IoU of {ONE_PLACE} or more): items are counted several times",
        "drop duplicates (--suppress, or the detector's own non-maximum suppression)",
        count=count,
        of=len(rows),
    )


def share_on_one_place(rows: IntArray, labels: IntArray, boxes: FloatArray) -> float:
    """Share of boxes (M, 4) x1, y1, x2, y2 that lie on an earlier one of their SKU and image."""
    if not len(rows):
        return 0.0
    again = np.zeros(len(rows), dtype=np.bool_)
    for cell in np.unique(np.stack([rows, labels]), axis=1).T:
        at = np.flatnonzero((rows == cell[0]) & (labels == cell[1]))
        if len(at) > 1:
            again[at[1:]] = _overlaps(boxes[at])[1:]
    return float(again.mean())


def _overlaps(boxes: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which boxes (M,) of one cell lie on an earlier one."""
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    inter = (high - low).clip(0).prod(axis=2)
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    union = areas[:, None] + areas[None] - inter
    near = inter >= ONE_PLACE * np.maximum(union, 1e-9)
    return np.asarray(np.tril(near, -1).any(axis=1))


def images_without_boxes(boxes: IntArray, items: IntArray) -> Suspicion | None:
    """Far more images without any box than the number of boxes on the others lets expect.

    Args:
        boxes: (N,) how many each image has, of any score.
        items: (N,) likewise.
    """
    there = items > 0
    number, bare = int(there.sum()), there & (boxes == 0)
    count = int(bare.sum())
    if not boxes.any() or count < max(3, 0.1 * number):
        return None
    mean = float(boxes[there & (boxes > 0)].mean())
    rate = max(mean - 1, 0.05) if mean < 2 else mean  # of a Poisson number without its zeros
    expected = number * math.exp(-rate)
    if count < 3 * expected + 3:
        return None
    rows = np.flatnonzero(bare)
    tail = bool(there[: rows[0]].any() and (boxes[rows[0] :] == 0).all())
    return Suspicion(
        "images_without_boxes",
        f"{share_text(count, number, 'images with items')} have no box of any score, and the "
        f"others have {mean:.1f}" + (", all of them at the end of the list" if tail else ""),
        "look whether the results are of all of these images: those without boxes count as empty "
        "lists",
        count=count,
        of=number,
    )


def boxes_cut_off(
    boxes: IntArray, lowest: FloatArray, items: IntArray, threshold: float
) -> Suspicion | None:
    """A limit of boxes an image that takes away boxes that would count.

    Args:
        boxes: (N,) how many each image has.
        lowest: (N,) their lowest score; any number for an image without boxes.
        items: (N,) how many items each image has.
        threshold: the score from which a box counts.
    """
    most = int(boxes.max(initial=0))
    full = boxes == most
    # The numbers of images with ever more boxes fade out, where nothing is cut.
    if most < 2 or full.sum() < 2 * (boxes == most - 1).sum():
        return None
    hurt = full & (items > most)
    if most in LIMITS:
        hurt |= full & (lowest >= threshold) & (items != most)
    count = int(hurt.sum())
    if count < max(3, 0.05 * len(boxes)) or count < 0.5 * full.sum():
        return None
    return Suspicion(
        "boxes_cut_off",
        f"no image has more than {most} boxes, and {share_text(count, len(boxes), 'images')} have "
        f"just {most} where more would count",
        "raise the detector's limit of boxes an image",
        count=count,
        of=len(boxes),
    )
