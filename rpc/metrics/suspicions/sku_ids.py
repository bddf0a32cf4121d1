"""Right boxes under other SKUs: ids shifted, permuted, or of another list.

Key: Q boxes that lie on an item, K SKUs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from rpc.data.suspicion import Suspicion, share_text
from rpc.metrics.suspicions.orders import NONE, Meant, other_meanings
from rpc.metrics.suspicions.sample import BoolArray, IntArray, is_beyond_chance

LEAST_BOXES: Final = 6
LEAST_WRONG: Final = 0.2  # share of the boxes on items
EXPLAINED: Final = 0.6  # share of the wrong ones that a known way explains, and of their SKUs
MOSTLY_WRONG: Final = 0.6  # share of the boxes on items, before any permutation is looked for
SWAPPED: Final = 0.8  # the same where SKUs swap in pairs, as look-alikes do
PERMUTED: Final = 0.7  # share of the wrong ones that a permutation explains on other images
# Share of the wrong boxes that one way may explain by chance: look-alikes have neighbouring ids.
LOOK_ALIKES: Final = 0.5
LOOK_ALIKES_OF_FEW: Final = 0.35
NAMED: Final = 3  # SKUs of a permutation that are named
ALMOST_NONE: Final = 0.1
TO_DO: Final = "map the results' category ids to those of the ground truth and score them again"


def boxes_under_other_skus(
    named: IntArray,
    true: IntArray,
    images: IntArray,
    ids: Sequence[int],
    names: Sequence[str],
    more: Iterable[Meant] = (),
) -> Suspicion | None:
    """Boxes that lie on items whose SKU is another one, in a way that ids alone explain.

    Args:
        named: (Q,) label that the box is given.
        true: (Q,) label of the item that it lies on.
        images: (Q,) where.
        ids: of the K SKUs.
        names: likewise.
        more: other ways in which the ids may be meant, such as those of another file's list.
    """
    wrong = named != true
    count, of = int(wrong.sum()), len(named)
    if count < max(LEAST_BOXES, LEAST_WRONG * of) or len(ids) < 2:
        return None
    lead = f"{share_text(count, of, 'boxes on items')} have another SKU than the item"
    number = np.asarray(ids, dtype=np.int64)
    differences = Counter((number[true[wrong]] - number[named[wrong]]).tolist())
    shifts = [shift for shift, _ in differences.most_common(3)]
    ways = [*other_meanings(ids, names, shifts, ids_are="category ids", entries="SKUs"), *more]
    way, hits = best_meaning(ways, named[wrong], true[wrong])
    chance = LOOK_ALIKES if count >= 30 else LOOK_ALIKES_OF_FEW
    if (
        way is not None
        and hits >= EXPLAINED * count
        and _holds_for_most(way[1], named[wrong], true[wrong])
        and is_beyond_chance(hits, count, chance, len(ways))
    ):
        what = f"{lead}; {hits:,} of these fit {way[0]}"
        return Suspicion("category_ids_mistaken", what, TO_DO, hits, of)
    return _permuted(named, true, images, wrong, names, lead) or _none_fits(count, of, ids, lead)


def best_meaning(
    ways: Iterable[Meant], given: IntArray, meant: IntArray
) -> tuple[Meant | None, int]:
    """The way that explains the most of what is meant by what is given, and how many."""
    best, hits = None, 0
    for way in ways:
        found = int((way[1][given] == meant).sum())
        if found > hits:  # of equal ones the first: the plainest
            best, hits = way, found
    return best, hits


def _holds_for_most(meant: IntArray, named: IntArray, true: IntArray) -> bool:
    """Whether a way is the usual one for most of the SKUs; look-alikes are confused in pairs."""
    usual = _usual(named, true, len(meant))
    seen = usual != NONE
    return bool((usual[seen] == meant[seen]).mean() >= EXPLAINED)


def _usual(named: IntArray, true: IntArray, skus: int) -> IntArray:
    """The SKU (K,) on whose items the boxes of each SKU lie most often; -1 for none."""
    usual = np.full(skus, NONE, dtype=np.int64)
    pairs, numbers = np.unique(named * skus + true, return_counts=True)
    for pair in pairs[np.argsort(numbers, kind="stable")].tolist():
        usual[pair // skus] = pair % skus
    return usual


def _permuted(
    named: IntArray,
    true: IntArray,
    images: IntArray,
    wrong: BoolArray,
    names: Sequence[str],
    lead: str,
) -> Suspicion | None:
    """SKUs that took one another's places: learned on every other image, tested on the rest."""
    if wrong.mean() < MOSTLY_WRONG:
        return None
    half = images % 2 == 0
    usual = _usual(named[wrong & half], true[wrong & half], len(names))
    rest = wrong & ~half & (usual[named] != NONE)
    hits, tried = int((usual[named[rest]] == true[rest]).sum()), int(rest.sum())
    filled = usual[usual != NONE]
    if len(filled) and wrong.mean() < SWAPPED:
        back = usual[filled] == np.flatnonzero(usual != NONE)
        if back.mean() >= 0.5:
            return None
    one_to_one = len(filled) and len(np.unique(filled)) >= 0.8 * len(filled)
    chance = 1 / max(len(names) - 1, 2)
    if not one_to_one or hits < PERMUTED * tried or not is_beyond_chance(hits, tried, chance, 20):
        return None
    shown = np.unique(named[rest]).tolist()[:NAMED]
    pairs = ", ".join(f"{names[one]!r:.40} lies on {names[usual[one]]!r:.40}" for one in shown)
    what = f"{lead}; {hits:,} of {tried:,} that were tried fit SKUs in another order: {pairs}"
    return Suspicion("category_ids_mistaken", what, TO_DO, hits, tried)


def _none_fits(count: int, of: int, ids: Sequence[int], lead: str) -> Suspicion | None:
    if of - count > ALMOST_NONE * of or count < 20 or (of - count) * len(ids) > 2 * of:
        return None
    return Suspicion(
        "almost_no_right_sku",
        f"{lead}, and no shift or order of ids explains it",
        "look whether the results are of a model of other SKUs",
        count=count,
        of=of,
    )
