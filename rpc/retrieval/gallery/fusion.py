"""A gallery's answer and a trained recogniser's, joined.

The recogniser knows some of the gallery's SKUs well and the others not at all: shown a product that
came after its training, it names an old one, often with confidence. So it speaks for each SKU that
it knows, and for all others says the same constant, `novelty`.

Key: N crops, K SKUs of the gallery, J SKUs of the recogniser; the last column of probabilities is
'none of them'.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.retrieval.gallery.open_set import softmax

FloatArray = NDArray[np.float64]
LEAST: Final = 1e-6  # probability: no expert may forbid what the other one sees
WEIGHTS: Final = tuple(round(0.05 * n, 2) for n in range(20))
NOVELTIES: Final = (1e-4, 1e-3, 0.01, 0.03, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
OLD: Final = 0
NEW: Final = 1
NEITHER: Final = 2


@dataclass(frozen=True)
class Fusion:
    """How much the recogniser counts.

    Attributes:
        weight: 0 is the gallery alone; 1 is the recogniser alone, which then never names a SKU that
            it does not know unless `novelty` says so.
        novelty: the recogniser's constant for SKUs that it does not know, above 0 and at most 1.
            See `choose_fusion`.

    Raises:
        ValueError: a value is out of its range.
    """

    weight: float = 0.0
    novelty: float = 0.1

    def __post_init__(self) -> None:
        for name in ("weight", "novelty"):
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not 0 <= value <= 1 or (name == "novelty" and value == 0):
                raise ValueError(f"fusion: {name}: expected 0 to 1, got {value!r:.40}")
            object.__setattr__(self, name, float(value))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Fusion:
        """The rule of `to_dict`; other fields, such as where it was chosen, are passed over.

        Raises:
            ValueError: a field is missing or out of its range.
        """
        try:
            return cls(values["weight"], values["novelty"])
        except KeyError as error:
            raise ValueError(f"fusion: the field {error} is missing") from error

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def join(
        self, gallery: FloatArray, recogniser: FloatArray, known: NDArray[np.int64]
    ) -> FloatArray:
        """Probabilities (N, K + 1) of both experts: a weighted product, row by row.

        log p = (1 - weight) log p_gallery + weight log p_recogniser, then each row sums to 1
        (logarithmic opinion pool: Genest & Zidek, Statistical Science 1986).

        Args:
            gallery: (N, K + 1).
            recogniser: (N, J + 1).
            known: (K,) the recogniser's label of each SKU of the gallery; -1 where it knows none.

        Raises:
            ValueError: shapes do not fit, or a label is not one of the recogniser's.
        """
        if gallery.ndim != 2 or recogniser.ndim != 2 or len(gallery) != len(recogniser):
            raise ValueError(
                f"fusion: expected (N, SKUs + 1) twice, got {gallery.shape} and {recogniser.shape}"
            )
        if known.shape != (gallery.shape[1] - 1,):
            raise ValueError(f"fusion: expected {gallery.shape[1] - 1} labels, got {known.shape}")
        if len(known) and not -1 <= known.min() <= known.max() < recogniser.shape[1] - 1:
            raise ValueError(f"fusion: expected labels -1 to {recogniser.shape[1] - 2}")
        probabilities = np.full(gallery.shape, self.novelty)
        probabilities[:, :-1][:, known >= 0] = recogniser[:, known[known >= 0]]
        probabilities[:, -1] = recogniser[:, -1]
        mixed = (1 - self.weight) * np.log(np.maximum(gallery, LEAST))
        mixed += self.weight * np.log(np.maximum(probabilities, LEAST))
        return softmax(mixed)


def known_labels(gallery: tuple[str, ...], recogniser: tuple[str, ...]) -> NDArray[np.int64]:
    """The recogniser's label (K,) of each SKU of the gallery, by name; -1 where it knows none."""
    place = {name: label for label, name in enumerate(recogniser)}
    return np.array([place.get(name, -1) for name in gallery], dtype=np.int64)


def choose_fusion(
    gallery: FloatArray,
    recogniser: FloatArray,
    known: NDArray[np.int64],
    labels: NDArray[np.int64],
) -> Fusion:
    """The fusion under which the truth (N,) is likeliest on validation crops.

    Three kinds of crops count alike, however many there are of each: SKUs that both experts know,
    SKUs that only the gallery knows, and crops of neither. (Counted one by one, the few new
    products are given up for the many old ones. Seen on val trays of store24, four SKUs cut from
    the recogniser's answers, chosen on one half and judged on the other: 95% of the old and 2% of
    the new ones named right; counted alike, 90% and 69%; by the gallery alone, 56% and 59%.)

    Weight and novelty are tried on a grid; of equal ones, the smaller weight, which trusts the
    gallery, then the smaller novelty. Where no crop shows a SKU that the recogniser does not know,
    novelty cannot be tried: it is what 95% of the recogniser's right answers exceed, so that an
    answer less sure than those speaks for a new product.

    Args:
        gallery: (N, K + 1).
        recogniser: (N, J + 1).
        known: see `Fusion.join`.
        labels: (N,) true SKU in the gallery; K for what is in none of them.

    Raises:
        ValueError: no crop, or shapes do not fit.
    """
    if len(labels) == 0:
        raise ValueError("fusion: expected one crop or more to choose on, got none")
    kinds = kinds_of(labels, known)
    novelties = NOVELTIES if (kinds == NEW).any() else (_unsure(recogniser, known, labels),)
    rows = np.arange(len(labels))

    def cost(fusion: Fusion) -> float:
        joined = fusion.join(gallery, recogniser, known)[rows, labels]
        surprise = -np.log(np.maximum(joined, LEAST))
        return float(np.mean([surprise[kinds == kind].mean() for kind in np.unique(kinds)]))

    tried = [Fusion(w, n) for w, n in itertools.product(WEIGHTS, novelties)]
    return min(tried, key=lambda f: (round(cost(f), 9), f.weight, f.novelty))


def kinds_of(labels: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.int64]:
    """OLD, NEW or NEITHER (N,): known to both experts, to the gallery alone, to none."""
    skus = len(known)
    kinds = np.full(len(labels), NEITHER, dtype=np.int64)
    inside = labels < skus
    kinds[inside] = np.where(known[labels[inside]] >= 0, OLD, NEW)
    return kinds


def _unsure(recogniser: FloatArray, known: NDArray[np.int64], labels: NDArray[np.int64]) -> float:
    """The value that 95% of the recogniser's right answers exceed; one in J where none is right."""
    old = kinds_of(labels, known) == OLD
    truth = known[labels[old]]
    right = recogniser[old, :-1].argmax(axis=1) == truth
    sure = recogniser[old][right, truth[right]]
    if len(sure) == 0:
        return 1.0 / max(int(recogniser.shape[1]) - 1, 1)
    return float(np.clip(np.quantile(sure, 0.05), LEAST, 1.0))
