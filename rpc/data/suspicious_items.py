"""Likely mistakes in annotations: items listed twice, boxes of the whole photo, SKUs never seen."""

from __future__ import annotations

from itertools import chain
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from rpc.data.dataset import Dataset
from rpc.data.suspicion import Suspicion, share_text

WHOLE_PHOTO = 0.9  # share of a tray's photo that no single item of several covers
MOST_UNSEEN = 0.5  # share of SKUs; a small split may well lack some

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def suspicious_items(dataset: Dataset, *, trays: bool = True) -> list[Suspicion]:
    """All suspicions about the true items of a data set.

    Args:
        dataset: N images with their items.
        trays: whether the images show several items each; exemplars do not.
    """
    rows, labels = dataset.places()
    flat = chain.from_iterable(map(attrgetter("bbox"), dataset.annotations))
    boxes = np.fromiter(flat, np.float64, 4 * len(rows)).reshape(-1, 4)
    sizes = np.array([(image.width, image.height) for image in dataset.images], np.float64)
    found = [
        # Whether an id is 0 alone matters; an id may have more than 64 bits.
        annotation_id_0(np.fromiter((one.id != 0 for one in dataset.annotations), np.int64)),
        items_listed_twice(rows, labels, boxes),
    ]
    if trays:
        found += [
            items_of_the_whole_photo(rows, boxes, sizes.reshape(-1, 2)),
            skus_never_seen(labels, dataset.taxonomy.names),
        ]
    return [one for one in found if one is not None]


def annotation_id_0(ids: IntArray) -> Suspicion | None:
    """An item with the annotation id 0, which pycocotools never finds.

    Args:
        ids: (G,) of the annotations.
    """
    if not (ids == 0).any():
        return None
    return Suspicion(
        "annotation_id_0",
        "an item has the annotation id 0, which pycocotools takes for 'no match': it never finds "
        "this item, and its mAP is too low; here the item counts like any other",
        "number annotations from 1 on before other tools score them",
        count=1,
        of=len(ids),
    )


def items_listed_twice(rows: IntArray, labels: IntArray, boxes: FloatArray) -> Suspicion | None:
    """Items of the same SKU with the same box on the same image: each may be found once only.

    Args:
        rows: (G,) the image.
        labels: (G,) the SKU.
        boxes: (G, 4) in any form.
    """
    numbers = np.sort(mixed(rows, labels, boxes))
    twice = int((numbers[1:] == numbers[:-1]).sum())
    if not twice:
        return None
    return Suspicion(
        "items_listed_twice",
        f"{share_text(twice, len(rows), 'items')} are there already with the same image, SKU and "
        "box: they count as items, and a counter that finds each product once misses them",
        "remove the copies, or merge the files without taking one twice",
        count=twice,
        of=len(rows),
    )


def items_of_the_whole_photo(
    rows: IntArray, boxes: FloatArray, sizes: FloatArray
) -> Suspicion | None:
    """Boxes that cover nearly the whole photo of a tray with more items.

    Args:
        rows: (G,) the image, 0 to N - 1.
        boxes: (G, 4) x1, y1, x2, y2 in pixels.
        sizes: (N, 2) width and height.
    """
    if not len(rows):
        return None
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    whole = areas >= WHOLE_PHOTO * sizes.prod(axis=1)[rows]
    whole &= np.bincount(rows, minlength=len(sizes))[rows] > 1
    count = int(whole.sum())
    if not count:
        return None
    return Suspicion(
        "items_of_the_whole_photo",
        f"{share_text(count, len(rows), 'items')} have a box of {100 * WHOLE_PHOTO:.0f} % of the "
        "photo or more, beside other items",
        "look whether the box is the tray's rather than an item's",
        count=count,
        of=len(rows),
    )


def skus_never_seen(labels: IntArray, names: tuple[str, ...]) -> Suspicion | None:
    """Most SKUs are on no image: the figures do not speak of them.

    Args:
        labels: (G,) the SKUs of the items.
        names: of the K SKUs.
    """
    unseen = np.flatnonzero(np.bincount(labels, minlength=len(names)) == 0)
    if not len(labels) or len(unseen) <= MOST_UNSEEN * len(names):
        return None
    return Suspicion(
        "skus_never_seen",
        f"{share_text(len(unseen), len(names), 'SKUs')} are on no image, such as "
        f"{names[unseen[0]]!r:.60}: no figure speaks of them",
        "look whether this is the whole file, and whether its categories are those of these images",
        count=len(unseen),
        of=len(names),
    )


def mixed(rows: IntArray, labels: IntArray, boxes: FloatArray) -> IntArray:
    """One number (M,) for each box, its image and its SKU: the same for the same ones alone.

    Numbers of different boxes agree with a chance of one in 10^19 for a pair.
    """
    parts = [rows.astype(np.uint64), labels.astype(np.uint64)]
    parts += list((boxes + 0.0).T.copy().view(np.uint64))  # + 0.0: no negative zeros
    number = np.zeros(len(rows), dtype=np.uint64)
    for part in parts:
        number = (number ^ part) * np.uint64(0x9E3779B97F4A7C15)
        number ^= number >> np.uint64(32)
    return number.view(np.int64)
