"""The SKUs most confused with each other, look-alikes side by side: for a heat map."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rpc.data import Taxonomy

MOST_SKUS: Final = 16  # more cannot be read on a phone


def look_alikes(
    pairs: Sequence[Mapping[str, Any]], taxonomy: Taxonomy, most: int = MOST_SKUS
) -> dict[str, Any]:
    """Rows and columns of a heat map of confusions.

    Families (where the file names none, super-categories) come by falling confusions of their
    members, each with those of its SKUs that are confused at all, as long as there is room. Of a
    family that is too large alone, the SKUs confused most are taken.

    Args:
        pairs: rows of `rpc.reporting.evaluation.tables.confusions`.
        taxonomy: the K SKUs.
        most: SKUs at most.

    Returns:
        `skus` (names for people, S of them), `families` (S, "" where there is none) and `times`
        (S, S): how often an item of the row's SKU was read as the column's.
    """
    times = {(_label(pair["truth"], taxonomy), _label(pair["predicted"], taxonomy)): pair["times"]
             for pair in pairs}  # fmt: skip
    of_sku: Counter[int] = Counter()
    for (true, read), number in times.items():
        of_sku[true] += number
        of_sku[read] += number
    members: dict[str, list[int]] = defaultdict(list)
    for label, _ in of_sku.most_common():
        members[_family(taxonomy, label)].append(label)
    chosen: list[int] = []
    for labels in sorted(members.values(), key=lambda group: -sum(of_sku[one] for one in group)):
        if not chosen or len(chosen) + len(labels) <= most:
            chosen += sorted(labels[:most])
    return {
        "skus": [category.title or category.name for category in map(taxonomy.category, chosen)],
        "families": [_family(taxonomy, label) for label in chosen],
        "times": [[times.get((true, read), 0) for read in chosen] for true in chosen],
    }


def _label(sku: Mapping[str, Any], taxonomy: Taxonomy) -> int:
    return taxonomy.label(sku["category_id"])


def _family(taxonomy: Taxonomy, label: int) -> str:
    category = taxonomy.category(label)
    return category.family or category.supercategory
