"""The counting rule of a gallery's counter, and its doubt: chosen on labelled trays.

Key: K SKUs of the gallery by label, N boxes of a tray.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rpc.checkout.seen import Seen, see
from rpc.counting import CountingRule
from rpc.counting.doubt.doubt import Doubt
from rpc.counting.doubt.learn import Labelled, learn_doubt
from rpc.data.dataset import Dataset
from rpc.data.images import read_image
from rpc.pipelines.gallery.trays import SeenTray, gallery_counts, probabilities, true_items
from rpc.pipelines.labelled_trays import labelled, rule_of_photos
from rpc.recognition.ensemble.gallery_classifier import GalleryClassifier
from rpc.recognition.second_look import ObservedItems, SecondLook, looked_again
from rpc.retrieval.gallery.fusion import Fusion
from rpc.retrieval.gallery.open_set import OpenSet
from rpc.runs.progress import bar


@dataclass(frozen=True)
class Counting:
    """The choice for one way to name.

    Attributes:
        rule: what counts, and how much likelier a SKU is that lies on the tray already.
        doubt: how sure the counter is.
    """

    rule: CountingRule
    doubt: Doubt

    def to_settings(self) -> dict[str, Any]:
        """As a gallery keeps them."""
        return {"counting": self.rule.to_dict(), "doubt": self.doubt.to_dict()}


def items_of(trays: Sequence[SeenTray], paths: Sequence[Path]) -> list[ObservedItems]:
    """The items of trays, for second looks: a photo is read where one is observed, once a look."""
    return [
        ObservedItems(partial(read_image, path), tray.found.boxes)
        for tray, path in zip(trays, paths, strict=True)
    ]


def seen_by_counter(
    trays: Sequence[SeenTray],
    items: Sequence[ObservedItems],
    classifier: GalleryClassifier,
    open_set: OpenSet,
    fusion: Fusion | None,
    looks: Sequence[SecondLook],
) -> list[Seen]:
    """The trays as a counter sees them before its rule: named, doubtful items looked at again.

    Args:
        trays: what was observed on each.
        items: of each; they remember what the looks observed, for the next way to name.
        classifier: of the gallery.
        open_set: names.
        fusion: asks the recogniser as well; None asks the gallery alone.
        looks: at items whose name is in doubt.
    """
    seen = []
    with bar("looking again at what is in doubt") as progress:
        for done, (tray, ones) in enumerate(zip(trays, items, strict=True), start=1):
            table = probabilities(tray, open_set, fusion, classifier.known)
            seen.append(see(tray.found, looked_again(looks, ones, table)))
            progress(done, len(trays))
    return seen


def choose_counting(
    dataset: Dataset, classifier: GalleryClassifier, seen: Sequence[Seen]
) -> Counting:
    """Gain of repeats, counting rule and doubt from labelled trays, in this order.

    Args:
        dataset: the truth of the trays; items that the gallery lacks are none of its SKUs.
        classifier: of the gallery.
        seen: what its counter sees on each, before any rule.
    """
    truths = true_items(dataset, classifier)
    counts = gallery_counts(dataset, classifier)
    rule, named = rule_of_photos(truths, seen, counts)
    photos = labelled(truths, named, rule)
    return Counting(rule, learn_doubt(photos, Labelled(), len(classifier.taxonomy)))
