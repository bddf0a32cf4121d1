"""Boxes that fit the items of other images: image ids shifted, or given by place in a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from rpc.data.suspicion import Suspicion, share_text
from rpc.metrics.suspicions.orders import NONE, Meant
from rpc.metrics.suspicions.sample import BoxSample, IntArray, is_beyond_chance, xywh_corners

LEAST_BOXES: Final = 4
LEAST_WRONG: Final = 0.2  # share of the boxes that lie on no item
EXPLAINED: Final = 0.4  # share of these that another image's items explain
SHIFTS: Final = (-1, 1, -2, 2, -3, 3)


def boxes_of_other_images(
    sample: BoxSample,
    rows: IntArray,
    ways: Iterable[Meant],
    items_of: Callable[[IntArray], BoxSample],
) -> Suspicion | None:
    """Boxes that lie on no item of their image, but on those of the image that the id meant.

    Args:
        sample: boxes of S images.
        rows: (S,) which images of the data set these are.
        ways: how image ids may have been mistaken, see `rpc.metrics.suspicions.orders`.
        items_of: the items of S images of the data set, by their rows (-1: none).
    """
    off = ~sample.as_given
    count = int(off.sum())
    if count < max(LEAST_BOXES, LEAST_WRONG * len(sample)):
        return None
    corners = xywh_corners(sample.boxes)
    best, hits, tried, chance = "", 0, 0, 1.0
    for said, meant in ways:
        tried += 1
        targets = meant[rows]
        if (targets == NONE).mean() > 0.5:
            continue
        beside = sample.against(items_of(targets))
        found = int((off & beside.on_items(corners)).sum())
        if found > hits:
            best, hits, chance = said, found, beside.chance(corners)
    enough = hits >= max(LEAST_BOXES, EXPLAINED * count) and hits >= 3 * chance * count
    if not enough or not is_beyond_chance(hits, count, chance, tried):
        return None
    return Suspicion(
        "image_ids_mistaken",
        f"{share_text(count, len(sample), 'boxes looked at')} lie on no item of their image; "
        f"{hits:,} of these lie on one, read as {best}",
        "give each result the id that its image has in the ground truth and score them again",
        count=hits,
        of=len(sample),
    )


def boxes_on_no_item(sample: BoxSample) -> Suspicion | None:
    """Almost no box lies on an item, and nothing else explains it."""
    on = int(sample.as_given.sum())
    if len(sample) < 50 or on >= 0.05 * len(sample):
        return None
    return Suspicion(
        "boxes_on_no_item",
        f"only {share_text(on, len(sample), 'boxes looked at')} lie on an item (IoU of 0.5), and "
        "no other form, scale or numbering of the images explains it",
        "look whether the results are of these images",
        count=len(sample) - on,
        of=len(sample),
    )


def boxes_out_of_the_image(
    boxes: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    rows: IntArray,
    sizes: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> list[Suspicion]:
    """Boxes that reach far out of their image, and boxes below a pixel.

    Args:
        boxes: (M, 4) x, y, width, height.
        rows: (M,) the image, 0 to N - 1.
        sizes: (N, 2) width and height in pixels.
    """
    found = []
    limits = sizes.take(rows, axis=0)
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    beyond = (low < -0.1 * limits) | (high > 1.1 * limits)
    below = boxes[:, 2:] < 1
    out, small = (int(np.count_nonzero(one[:, 0] | one[:, 1])) for one in (beyond, below))
    if out >= max(3, 0.2 * len(boxes)):
        found.append(
            Suspicion(
                "boxes_out_of_the_image",
                f"{share_text(out, len(boxes), 'boxes')} reach out of their image by more than a "
                "tenth of its side",
                "look whether they are [x, y, width, height] in pixels of the same photos",
                count=out,
                of=len(boxes),
            )
        )
    if small >= max(3, 0.1 * len(boxes)):
        found.append(
            Suspicion(
                "boxes_below_a_pixel",
                f"{share_text(small, len(boxes), 'boxes')} are less than a pixel wide or high",
                "boxes from 0 to 1 must be multiplied by the photo's width and height",
                count=small,
                of=len(boxes),
            )
        )
    return found
