"""Labelled trays as a counter sees them, beside their truth: choices are made on these.

Key: K SKUs; truths are detections with the counter's labels and a score of 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rpc.checkout import Checkout
from rpc.checkout.seen import Seen
from rpc.counting import CountingRule, choose_rule, truth_of
from rpc.counting.doubt.decisions import decisions, outcomes
from rpc.counting.doubt.learn import Labelled
from rpc.counting.repeats import choose_gain
from rpc.data.dataset import Dataset
from rpc.data.entry_photo import read_entry_photo
from rpc.runs.progress import bar
from rpc.structures import Detections


def look_at(dataset: Dataset, paths: Sequence[Path], checkout: Checkout) -> list[Seen]:
    """All that a counter sees on the images of a data set, before any rule."""
    found = []
    with bar("reading trays") as progress:
        for done, (image, path) in enumerate(zip(dataset.images, paths, strict=True), start=1):
            rgb = read_entry_photo(path, (image.width, image.height))
            found += checkout.look([rgb])
            progress(done, len(paths))
    return found


def truths_of(dataset: Dataset) -> list[Detections]:
    """The true items of every image, with the data set's labels."""
    return [truth_of(dataset, image.id) for image in dataset.images]


def repeat_gain(truths: Sequence[Detections], seen: Sequence[Seen]) -> float:
    """How much likelier a SKU is that lies on the tray already; 0 where the detector names."""
    boxes = [one.named_boxes for one in seen]
    known = [one for one in boxes if one is not None]
    if len(known) < len(boxes):
        return 0.0
    return choose_gain(known, [(one.boxes, one.labels) for one in truths])


def rule_with_repeats(
    seen: Sequence[Seen], counts: NDArray[np.int64], gain: float, foreign_odds: float = 1.0
) -> tuple[CountingRule, list[Seen]]:
    """The counting rule of trays that are named in the light of repeats, and these trays.

    Args:
        seen: what a counter sees on each of N trays, before any rule.
        counts: the truth (N, K).
        gain: of repeats, see `rpc.counting.repeats`.
        foreign_odds: see `CountingRule.foreign_odds`.
    """
    named = [one.with_foreign_odds(foreign_odds).with_repeats(gain) for one in seen]
    chosen = choose_rule([one.detections for one in named], counts)
    return replace(chosen.rule, repeat_gain=gain, foreign_odds=foreign_odds), named


def rule_of_photos(
    truths: Sequence[Detections],
    seen: Sequence[Seen],
    counts: NDArray[np.int64],
    foreign_odds: Sequence[float] = (1.0,),
) -> tuple[CountingRule, list[Seen]]:
    """Counting rule, repeats and foreign odds of labelled photos, and these photos by them.

    Of the odds, the first is taken unless another one is better by more than chance would have it
    on few trays: as in `choose_rule`, odds within one tray of the best cAcc are as good as the
    best, and of these odds within one item of the lowest ACD.

    Args:
        truths: the true items of N photos.
        seen: what a counter sees on each, before any rule.
        counts: the truth (N, K).
        foreign_odds: to choose from, see `CountingRule.foreign_odds`.
    """
    tried = []
    for odds in foreign_odds:
        gain = repeat_gain(truths, [one.with_foreign_odds(odds) for one in seen])
        rule, named = rule_with_repeats(seen, counts, gain, odds)
        wrong = np.abs(rule.counts([one.detections for one in named], counts.shape[1]) - counts)
        tried.append((rule, named, wrong.sum(axis=1)))
    right = np.array([(wrong == 0).sum() for _, _, wrong in tried])
    items = np.array([wrong.sum() for _, _, wrong in tried])
    good = right >= right.max() - 1
    best = int(np.argmax(good & (items <= items[good].min() + 1)))
    return tried[best][:2]


def labelled(truths: Sequence[Detections], seen: Sequence[Seen], rule: CountingRule) -> Labelled:
    """Decisions on trays, and what became of them.

    Raises:
        ValueError: what was seen has no probabilities.
    """
    made, became = [], []
    for truth, one in zip(truths, seen, strict=True):
        if one.probabilities is None:
            raise ValueError("doubt: the detector names items itself: expected a recogniser's rows")
        decided = decisions(one.detections, one.probabilities, rule)
        made.append(decided)
        became.append(outcomes(decided, one.detections, truth))
    return Labelled(tuple(made), tuple(became))
