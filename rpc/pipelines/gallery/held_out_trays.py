"""Trays of val and test that are looked at once; then each way to name them is numbers alone.

Key: K SKUs by label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpc.checkout import Checkout
from rpc.checkout.questions import judge_seen
from rpc.checkout.seen import Seen
from rpc.data.dataset import Dataset
from rpc.data.store import Split, Store
from rpc.pipelines.gallery.counting import Counting, choose_counting, items_of, seen_by_counter
from rpc.pipelines.gallery.held_out_figures import count_accuracy, naming_accuracy
from rpc.pipelines.gallery.trays import (
    SeenTray,
    compared_again,
    gallery_counts,
    see_trays,
    true_labels,
    tune,
)
from rpc.recognition.ensemble.gallery_classifier import GalleryClassifier
from rpc.recognition.ensemble.gallery_tuning import Tuning
from rpc.recognition.second_look import ObservedItems, SecondLook
from rpc.retrieval.gallery.comparison import Comparison
from rpc.retrieval.gallery.fusion import Fusion
from rpc.retrieval.gallery.open_set import OpenSet


@dataclass(frozen=True, eq=False)
class Trays:
    """The trays of a split and what was observed on each.

    Attributes:
        dataset: the truth.
        seen: boxes, descriptors, the recogniser's answers.
        items: what second looks observed so far.
    """

    dataset: Dataset
    seen: list[SeenTray]
    items: list[ObservedItems]

    @classmethod
    def looked_at(
        cls, store: Store, split: Split, checkout: Checkout, classifier: GalleryClassifier
    ) -> Trays:
        """Look at all trays of a split, once."""
        dataset = store.split(split)
        paths = [store.image_path(split, image) for image in dataset.images]
        seen = see_trays(paths, checkout, classifier, f"looking at {split} trays")
        return cls(dataset, seen, items_of(seen, paths))


@dataclass(frozen=True)
class Method:
    """A way to name items.

    Attributes:
        open_set: the gallery's rule.
        fusion: with the recogniser; None asks the gallery alone.
        looks: at what is in doubt.
    """

    open_set: OpenSet
    fusion: Fusion | None = None
    looks: Sequence[SecondLook] = ()


@dataclass(frozen=True, eq=False)
class MeasuredTrays:
    """Trays to choose on and trays to report, of a store with held-out SKUs.

    Attributes:
        val: a method's counting rule and doubt are chosen on these.
        test: its figures are of these.
        classifier: of the gallery.
        new: (K,) held-out SKUs.
    """

    val: Trays
    test: Trays
    classifier: GalleryClassifier
    new: NDArray[np.bool_]

    def compared(self, comparison: Comparison) -> MeasuredTrays:
        """The same, crops and exemplars compared in another way."""
        classifier = self.classifier.with_comparison(comparison)
        val, test = (
            replace(trays, seen=compared_again(trays.seen, classifier))
            for trays in (self.val, self.test)
        )
        return MeasuredTrays(val, test, classifier, self.new)

    def chosen(self, *, fused: bool = False) -> Tuning:
        """Open-set rule, and fusion where it is wanted, on val."""
        boxes = [tray.found.boxes for tray in self.val.seen]
        labels = true_labels(self.val.dataset, self.classifier, boxes)
        return tune(self.val.seen, labels, self.classifier, fused=fused)

    def rows(
        self, name: str, method: Method, looks: Mapping[str, Sequence[SecondLook]]
    ) -> dict[str, dict[str, Any]]:
        """A method without a second look, then with each kind of them."""
        kinds = {f"{name}, {kind}": replace(method, looks=some) for kind, some in looks.items()}
        return {one: self.row(way) for one, way in {name: method, **kinds}.items()}

    def row(self, method: Method) -> dict[str, Any]:
        """One method: its counting rule and doubt from val, its figures of test.

        Names are those in the light of the other items on the tray.
        """
        classifier, dataset = self.classifier, self.test.dataset
        counting = choose_counting(self.val.dataset, classifier, self._seen(self.val, method))
        rule = counting.rule
        seen = [one.by_rule(rule) for one in self._seen(self.test, method)]
        found = [one.detections for one in seen]
        predicted = rule.counts(found, len(classifier.taxonomy))
        truth = gallery_counts(dataset, classifier)
        right = (predicted == truth).all(axis=1)
        passes = np.array([_passes(one, counting, classifier) for one in seen])
        return {
            **counting.to_settings(),
            "cAcc": count_accuracy(predicted, truth, self.new),
            "ACD": float(np.abs(predicted - truth).sum(axis=1).mean()),
            "passing": {"trays": int(passes.sum()), "right": int(right[passes].sum())},
            "naming": naming_accuracy(
                [one.probabilities for one in seen if one.probabilities is not None],
                true_labels(dataset, classifier, [one.boxes for one in found]),
                self.new,
            ),
        }

    def _seen(self, trays: Trays, method: Method) -> list[Seen]:
        return seen_by_counter(
            trays.seen, trays.items, self.classifier, method.open_set, method.fusion, method.looks
        )

    def sizes(self) -> Mapping[str, int]:
        """How many test trays there are, with held-out SKUs on them and without."""
        counts = gallery_counts(self.test.dataset, self.classifier)
        has_new = counts[:, self.new].sum(axis=1) > 0
        with_new = int(has_new.sum())
        return {
            "all": len(has_new),
            "with_new_skus": with_new,
            "old_only": len(has_new) - with_new,
        }


def _passes(seen: Seen, counting: Counting, classifier: GalleryClassifier) -> bool:
    """Whether a tray passes without a question."""
    judged = judge_seen(seen, counting.rule, counting.doubt, classifier.taxonomy)
    return judged is not None and judged.judgement.passes
