"""The use case: tray photo in, shopping list out; detector, recogniser and rule are arguments.

Key: H x W pixels of a photo, N detections, K SKUs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rpc.counting import CountingRule
from rpc.data.taxonomy import Taxonomy
from rpc.structures import Detections, ShoppingList


class FindsItems(Protocol):
    """Photo (H, W, 3) uint8 RGB to detections."""

    def predict(self, rgb: NDArray[np.uint8]) -> Detections:
        """All detections, before any counting rule."""
        ...


class NamesItems(Protocol):
    """Photo and boxes to probabilities of each SKU, and of 'no single product'."""

    def probabilities(
        self, rgb: NDArray[np.uint8], boxes: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """(N, K + 1), each row summing to 1."""
        ...


@dataclass(frozen=True)
class Checkout:
    """A checkout counter.

    Attributes:
        detector: finds items; with a recogniser, its own labels are passed over.
        taxonomy: the SKUs.
        recogniser: names what was found; None where the detector does.
        rule: what counts; None where none was chosen yet.
        floor: detections with a lower score are not worth a look by the recogniser.
    """

    detector: FindsItems
    taxonomy: Taxonomy
    recogniser: NamesItems | None = None
    rule: CountingRule | None = None
    floor: float = 0.1

    def detect(self, rgb: NDArray[np.uint8]) -> Detections:
        """Named detections of a photo, before the counting rule; best score first."""
        found = self.detector.predict(rgb)
        if self.recogniser is None:
            return found
        found = found.select(found.scores >= self.floor)
        return name_items(found, self.recogniser.probabilities(rgb, found.boxes))

    def counted(self, rgb: NDArray[np.uint8]) -> Detections:
        """The detections that count as items.

        Raises:
            ValueError: there is no counting rule.
        """
        if self.rule is None:
            raise ValueError(
                "checkout: no counting rule: its training saw no validation trays; give a threshold"
            )
        return self.rule.apply(self.detect(rgb))

    def shopping_list(self, rgb: NDArray[np.uint8]) -> ShoppingList:
        """Each SKU on the tray and its count."""
        return ShoppingList.from_labels(self.counted(rgb).labels.tolist())

    def with_rule(self, rule: CountingRule) -> Checkout:
        """The same counter with another rule."""
        return replace(self, rule=rule)


def name_items(found: Detections, probabilities: NDArray[np.float64]) -> Detections:
    """Give each detection its likeliest SKU; the score becomes detector's score times probability.

    Args:
        found: N detections; their labels are passed over.
        probabilities: (N, K + 1); the last column, 'no single product', takes score away.

    Raises:
        ValueError: another shape than that.
    """
    if probabilities.ndim != 2 or len(probabilities) != len(found) or probabilities.shape[1] < 2:
        raise ValueError(
            f"probabilities: expected ({len(found)}, SKUs + 1), got {probabilities.shape}"
        )
    named = probabilities[:, :-1]
    labels = named.argmax(axis=1)
    scores = found.scores * named.max(axis=1)
    return Detections(found.boxes, scores, labels).select(np.argsort(-scores, kind="stable"))
