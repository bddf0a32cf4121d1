"""The use case: tray photo in, shopping list out; detector, recogniser and rule are arguments.

Key: H x W pixels of a photo, N detections, K SKUs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Protocol, overload

import numpy as np
from numpy.typing import NDArray

from rpc.checkout.receipt import Receipt, make_receipt
from rpc.checkout.seen import Seen, see
from rpc.counting import CountingRule
from rpc.counting.doubt.doubt import Doubt
from rpc.data.files import DataError
from rpc.data.images import Photo, read_photo
from rpc.data.taxonomy import Taxonomy
from rpc.recognition.box_classifier import BoxClassifier, batch_probabilities
from rpc.structures import Detections, ShoppingList

Rgb = NDArray[np.uint8]
AT_ONCE: Final = 8  # photos of a list that are in memory and go through the networks together


class FindsItems(Protocol):
    """Photos (H, W, 3) uint8 RGB to detections."""

    def predict(self, rgb: Rgb) -> Detections:
        """All detections, before any counting rule."""
        ...

    def predict_batch(self, photos: Sequence[Rgb]) -> list[Detections]:
        """All detections of each photo."""
        ...


@dataclass(frozen=True, repr=False)
class Checkout:
    """A checkout counter; `rpc.load` makes one from files.

    Example:
        >>> counter = rpc.load()
        >>> receipts = counter(["examples/ministore/val/val_00003_easy.jpg"])
        >>> len(receipts)
        1

    Attributes:
        detector: finds items; with a recogniser, its own labels are passed over.
        taxonomy: the SKUs.
        recogniser: names what was found; None where the detector does.
        rule: what counts; None where none was chosen yet.
        floor: detections with a lower score are not worth a look by the recogniser.
        name: of the model, for people.
        device: that its networks run on.
        notes: lines for people about what it does without, such as a package.
        doubt: how sure it is of what it counts, and from when on a tray passes; None where none was
            fitted.
    """

    detector: FindsItems
    taxonomy: Taxonomy
    recogniser: BoxClassifier | None = None
    rule: CountingRule | None = None
    floor: float = 0.1
    name: str = "model"
    device: str = "cpu"
    notes: tuple[str, ...] = ()
    doubt: Doubt | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"Checkout({self.name}, {len(self.taxonomy)} SKUs, on {self.device})"

    @overload
    def __call__(self, photo: Photo) -> Receipt: ...

    @overload
    def __call__(self, photo: list[Any] | tuple[Any, ...]) -> list[Receipt]: ...

    def __call__(self, photo: Photo | list[Any] | tuple[Any, ...]) -> Receipt | list[Receipt]:
        """Count what lies on a tray, or on each of a list of trays.

        Args:
            photo: a path, the bytes of a file, a PIL image or an RGB array (H, W, 3) uint8; or a
                list or tuple of these. A file's EXIF orientation is applied.

        Returns:
            A receipt; for a list, a list of receipts in its order.

        Raises:
            DataError: a photo can not be read or is something else, or there is no counting rule.
        """
        if not isinstance(photo, list | tuple):
            return self._receipts([photo], ["photo"])[0]
        receipts = []
        for start in range(0, len(photo), AT_ONCE):
            some = photo[start : start + AT_ONCE]
            receipts += self._receipts(some, [f"photo {start + n}" for n in range(len(some))])
        return receipts

    def look(self, photos: Sequence[Rgb]) -> list[Seen]:
        """Find and name once: the detections of each photo, before the counting rule."""
        found = self.detector.predict_batch(photos)
        if self.recogniser is None:
            return [Seen(one) for one in found]
        found = [one.select(one.scores >= self.floor) for one in found]
        rows = batch_probabilities(self.recogniser, photos, [one.boxes for one in found])
        return [
            see(one, probabilities).by_rule(self.rule)
            for one, probabilities in zip(found, rows, strict=True)
        ]

    def detect(self, rgb: Rgb) -> Detections:
        """Named detections of a photo, before the counting rule; best score first."""
        return self.look([rgb])[0].detections

    def counted(self, rgb: Rgb) -> Detections:
        """The detections that count as items.

        Raises:
            DataError: there is no counting rule.
        """
        return self._needed_rule().apply(self.detect(rgb))

    def shopping_list(self, rgb: Rgb) -> ShoppingList:
        """Each SKU on the tray and its count.

        Raises:
            DataError: there is no counting rule.
        """
        return ShoppingList.from_labels(self.counted(rgb).labels.tolist())

    def with_rule(self, rule: CountingRule) -> Checkout:
        """The same counter with another rule."""
        return replace(self, rule=rule)

    def with_threshold(self, threshold: float) -> Checkout:
        """The same counter, with another score from which a box counts.

        Raises:
            DataError: not 0 to 1.
        """
        named_apart = self.recogniser is not None
        base = self.rule or CountingRule(counts_by="item_score" if named_apart else "score")
        try:
            return self.with_rule(replace(base, threshold=threshold))
        except ValueError as error:
            raise DataError(str(error)) from error

    def receipt_of(self, seen: Seen, photo: Photo) -> Receipt:
        """The receipt of what `look` has seen on a photo.

        Raises:
            DataError: there is no counting rule.
        """
        return make_receipt(seen, self._needed_rule(), self.taxonomy, photo, self.doubt)

    def _receipts(self, photos: Sequence[Photo], names: Sequence[str]) -> list[Receipt]:
        self._needed_rule()  # told before anything is read
        pictures = [read_photo(photo, name) for photo, name in zip(photos, names, strict=True)]
        seen = self.look(pictures)
        return [
            self.receipt_of(one, Path(photo) if isinstance(photo, str) else photo)
            for one, photo in zip(seen, photos, strict=True)
        ]

    def _needed_rule(self) -> CountingRule:
        if self.rule is None:
            raise DataError(
                f"{self.name}: holds no counting rule: its training saw no validation trays; "
                "give a threshold"
            )
        return self.rule


def name_items(found: Detections, probabilities: NDArray[np.float64]) -> Detections:
    """Give each detection its likeliest SKU; see `rpc.checkout.seen.see`.

    Raises:
        ValueError: `probabilities` is not (N, K + 1).
    """
    return see(found, probabilities).detections
