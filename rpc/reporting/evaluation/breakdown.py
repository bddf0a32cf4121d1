"""Where carts go wrong: by super-category and by how much is in the cart. Rows for JSON.

Key: N images, K SKUs.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any, Final

import numpy as np

from rpc.data import Taxonomy
from rpc.metrics import checkout_metrics, coverage_curve
from rpc.metrics.checkout import Counts
from rpc.metrics.specs import OF_SIZES, OF_SUPERCATEGORIES
from rpc.structures.boxes import FloatArray

Row = dict[str, Any]

BIN: Final = 5  # items
MOST_BINS: Final = 10
CURVE_POINTS: Final = 200  # more are not seen in a plot
ACCURACIES: Final = (0.95, 0.99)


def supercategory_table(pred_counts: Counts, gt_counts: Counts, taxonomy: Taxonomy) -> list[Row]:
    """One row a super-category, in the order of its first SKU; empty where no SKU has one.

    What belongs together is what the data set's file says; RPC's are not ranges of ids. SKUs
    without a super-category share the row of the name "".

    Returns:
        Rows with `supercategory`, `skus`, `truth`, `predicted`, `missed` and `extra` (items, SKU
        by SKU and cart by cart), `moved` (items missed while one of another SKU of the same
        super-category was extra in the same cart), `carts` (with such items, true or predicted),
        `right` (share of these carts that are right in all of its SKUs; null for no cart),
        `mCCD` and `mCIoU` over its SKUs.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for label, category in enumerate(taxonomy.categories):
        groups[category.supercategory].append(label)
    if set(groups) == {""}:
        return []
    return [
        {"supercategory": name, "skus": len(labels)}
        | _errors(pred_counts[:, labels], gt_counts[:, labels])
        for name, labels in groups.items()
    ]


def _errors(predicted: Counts, truth: Counts) -> Row:
    over = predicted - truth
    missed, extra = np.maximum(-over, 0), np.maximum(over, 0)
    seen = (predicted + truth).any(axis=1)
    metrics = checkout_metrics(predicted, truth)
    return {
        "truth": int(truth.sum()),
        "predicted": int(predicted.sum()),
        "missed": int(missed.sum()),
        "extra": int(extra.sum()),
        "moved": int(np.minimum(missed.sum(axis=1), extra.sum(axis=1)).sum()),
        "carts": int(seen.sum()),
        "right": float((over[seen] == 0).all(axis=1).mean()) if seen.any() else None,
        **{name: getattr(metrics, name) for name in OF_SUPERCATEGORIES},
    }


def size_table(pred_counts: Counts, gt_counts: Counts) -> list[Row]:
    """Carts by the number of true items: an empty tray alone, then in bins of five items.

    Where the fullest tray has more than 50 items the bins are wider, so that there are at most
    ten. Bins without a cart are left out.

    Returns:
        Rows with `items` ([lowest, highest] of the bin), `images`, `cAcc`, `ACD`, `signed`: items
        predicted minus true ones per cart, below 0 where more is missed than added; and `number`:
        share of the carts whose number of items is right, whatever the SKUs.
    """
    items, predicted = gt_counts.sum(axis=1), pred_counts.sum(axis=1)
    width = BIN * max(1, math.ceil(int(items.max(initial=0)) / (BIN * MOST_BINS)))
    place = -(-items // width)  # 0 for empty trays, 1 for 1 to width items, ...
    rows = []
    for number in np.unique(place).tolist():
        here = place == number
        metrics = checkout_metrics(pred_counts[here], gt_counts[here])
        rows.append(
            {
                "items": [(number - 1) * width + 1, number * width] if number else [0, 0],
                "images": metrics.images,
                **{name: getattr(metrics, name) for name in OF_SIZES},
                "signed": float((predicted[here] - items[here]).mean()),
                "number": float((predicted[here] == items[here]).mean()),
            }
        )
    return rows


def coverage_table(certainty: FloatArray, pred_counts: Counts, gt_counts: Counts) -> Row:
    """The coverage/accuracy curve of `rpc.metrics.coverage`.

    Returns:
        `area`; `at`: for 95 % and 99 % accuracy the largest `coverage` that has it and the
        `certainty` from which carts are kept then (null, with a coverage of 0, where no part has
        it); `curve`: [coverage, accuracy] rising, thinned out to about 200 points.
    """
    curve = coverage_curve(certainty, (pred_counts == gt_counts).all(axis=1))
    coverage, accuracy = curve.coverage, curve.accuracy
    count = len(coverage)
    shown = np.unique(np.linspace(0, count - 1, min(count, CURVE_POINTS)).round().astype(np.int64))
    at = {}
    for wanted in ACCURACIES:
        most = curve.most_at(wanted)
        at[f"{wanted:g}"] = {
            "coverage": 0.0 if most is None else float(coverage[most]),
            "certainty": None if most is None else float(curve.certainty[most]),
        }
    return {
        "area": curve.area,
        "at": at,
        "curve": [[float(coverage[i]), float(accuracy[i])] for i in shown.tolist()],
    }
