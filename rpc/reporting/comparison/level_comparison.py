"""One level of a comparison: each result against the first, on the same images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from rpc.metrics.checkout import Counts
from rpc.metrics.paired import holm, paired_intervals, paired_test
from rpc.metrics.specs import METRICS

TESTED: Final = ("cAcc", "ACD")  # by `rpc.metrics.paired_test`


def compare_level(
    rows: Sequence[Mapping[str, Any]],
    names: Sequence[str],
    counts: Sequence[Counts | None],
    gt_counts: Counts,
    resamples: int,
    seed: int,
) -> list[dict[str, Any]]:
    """The results but the first, each held against the first.

    Args:
        rows: each result's figures.
        names: of the results.
        counts: each result's shopping lists (N, K) of the level's images; None where its figures
            do not come from one set of lists: then there is no interval and no test.
        gt_counts: (N, K) what is there.
        resamples: for the intervals.
        seed: likewise.

    Returns:
        Entries of `comparison.json`, one for each result but the first.
    """
    tested = _tested(counts, gt_counts, resamples, seed)
    return [
        {
            "name": name,
            "differences": {
                key: _difference(rows[0][key], row[key], intervals.get(key)) for key in METRICS
            },
            "carts": carts,
        }
        for name, row, (intervals, carts) in zip(names[1:], rows[1:], tested, strict=True)
    ]


def _tested(
    counts: Sequence[Counts | None], gt_counts: Counts, resamples: int, seed: int
) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Intervals and carts of each result but the first; nothing where it cannot be tested."""
    first, *others = counts
    found: list[tuple[dict[str, Any], dict[str, Any] | None]] = [({}, None) for _ in others]
    places = [(place, one) for place, one in enumerate(others) if one is not None]
    if first is None or not places:
        return found
    lists = [one for _, one in places]
    intervals = paired_intervals(first, lists, gt_counts, seed=seed, resamples=resamples)
    carts = [_carts(first, one, gt_counts) for one in lists]
    if len(carts) > 1:
        for name in TESTED:
            for cart, p in zip(carts, holm([cart["p"][name] for cart in carts]), strict=True):
                cart.setdefault("p_holm", {})[name] = p
    for (place, _), ends, cart in zip(places, intervals, carts, strict=True):
        found[place] = (asdict(ends), cart)
    return found


def _carts(first: Counts, other: Counts, gt_counts: Counts) -> dict[str, Any]:
    test = paired_test(first, other, gt_counts)
    return {
        "both_right": test.both,
        "only_baseline_right": test.only_a,
        "only_this_right": test.only_b,
        "neither_right": test.neither,
        "unequal": test.unequal,
        "p": {name: getattr(test, f"p_{name}") for name in TESTED},
    }


def _difference(
    baseline: float | None, other: float | None, interval: Sequence[float] | None
) -> dict[str, Any] | None:
    """Other minus baseline; None where one was not measured."""
    if baseline is None or other is None:
        return None
    return {"value": other - baseline, "interval": None if interval is None else list(interval)}
