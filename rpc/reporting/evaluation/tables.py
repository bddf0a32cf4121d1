"""Where the errors are: by SKU, by cart, and by pair of SKUs. Rows are plain dicts, for JSON.

Key: N images, K SKUs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpc.counting import ItemFates, item_fates
from rpc.counting.matching import match_items, truth_of
from rpc.data import Dataset, Taxonomy
from rpc.reporting.evaluation.reading import Boxes
from rpc.structures import Detections

Counts = NDArray[np.int64]
Row = dict[str, Any]


def sku_table(pred_counts: Counts, gt_counts: Counts, taxonomy: Taxonomy) -> list[Row]:
    """One row a SKU, by label: items there, items predicted, missed and extra over all carts.

    Missed and extra do not cancel out between carts. `carts` is how many carts are wrong in it.

    Args:
        pred_counts: (N, K).
        gt_counts: (N, K).
        taxonomy: the K SKUs.
    """
    over = pred_counts - gt_counts
    columns = {
        "truth": gt_counts.sum(axis=0),
        "predicted": pred_counts.sum(axis=0),
        "missed": np.maximum(-over, 0).sum(axis=0),
        "extra": np.maximum(over, 0).sum(axis=0),
        "carts": (over != 0).sum(axis=0),
    }
    return [
        sku_name(taxonomy, label) | {name: int(values[label]) for name, values in columns.items()}
        for label in range(len(taxonomy))
    ]


def cart_table(pred_counts: Counts, gt_counts: Counts, dataset: Dataset) -> list[Row]:
    """The carts that are wrong, worst first; equal ones in the order of the data set.

    Args:
        pred_counts: (N, K), in the order of the data set's images.
        gt_counts: (N, K), likewise.
        dataset: N images, K SKUs.

    Returns:
        Rows with `image_id`, `file_name`, `level`, `items` (true ones), `wrong` (missed plus
        extra), and `missed` and `extra`: the SKUs with their counts.
    """
    over = pred_counts - gt_counts
    wrong = np.abs(over).sum(axis=1)
    worst = np.argsort(-wrong, kind="stable")[: int((wrong > 0).sum())]
    return [
        {
            "image_id": dataset.images[row].id,
            "file_name": dataset.images[row].file_name,
            "level": dataset.images[row].level,
            "items": int(gt_counts[row].sum()),
            "wrong": int(wrong[row]),
            "missed": _named(np.maximum(-over[row], 0), dataset.taxonomy),
            "extra": _named(np.maximum(over[row], 0), dataset.taxonomy),
        }
        for row in worst.tolist()
    ]


def confusions(counted: Sequence[Detections], dataset: Dataset) -> list[Row]:
    """Pairs of SKUs taken for each other, most frequent first.

    A pair is an item whose place (IoU of at least 0.5) holds a counted box of another SKU.

    Args:
        counted: what counts as items on each of the data set's images, in its order.
        dataset: the true items.

    Returns:
        Rows with `truth`, `predicted` (the SKUs) and `times`.
    """
    pairs: Counter[tuple[int, int]] = Counter()
    for image, one in zip(dataset.images, counted, strict=True):
        truth = truth_of(dataset, image.id)
        for box, item in match_items(one, truth).confused:
            pairs[int(truth.labels[item]), int(one.labels[box])] += 1
    return [
        {
            "truth": sku_name(dataset.taxonomy, true),
            "predicted": sku_name(dataset.taxonomy, named),
            "times": times,
        }
        for (true, named), times in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def fate_table(boxes: Boxes, dataset: Dataset) -> Row:
    """The fates of all true items and of the boxes too many, see `rpc.counting.ItemFates`.

    Args:
        boxes: how the data set's images were counted.
        dataset: the true items.

    Returns:
        A row of the numbers of `ItemFates`, and `items`: how many true ones there are.
    """
    total = ItemFates()
    for image, found, counted in zip(
        dataset.images, boxes.results.detections, boxes.counted, strict=True
    ):
        total += item_fates(found, counted, truth_of(dataset, image.id), boxes.rule)
    return {"items": total.items, **asdict(total)}


def sku_name(taxonomy: Taxonomy, label: int) -> Row:
    """How rows name a SKU: `category_id`, `name` and, where it has one, `title`."""
    category = taxonomy.category(label)
    title = {"title": category.title} if category.title else {}
    return {"category_id": category.id, "name": category.name, **title}


def _named(counts: Counts, taxonomy: Taxonomy) -> list[Row]:
    return [
        sku_name(taxonomy, label) | {"count": int(counts[label])}
        for label in np.flatnonzero(counts).tolist()
    ]
