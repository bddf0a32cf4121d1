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

from rpc.retrieval.open_set import softmax

FloatArray = NDArray[np.float64]
LEAST: Final = 1e-6  # probability: no expert may forbid what the other one sees
WEIGHTS: Final = tuple(round(0.05 * n, 2) for n in range(20))
NOVELTIES: Final = (1e-5, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)


@dataclass(frozen=True)
class Fusion:
    """How much the recogniser counts.

    Attributes:
        weight: 0 is the gallery alone; 1 is the recogniser alone, which then never names a SKU that
            it does not know unless `novelty` says so.
        novelty: the recogniser's constant for SKUs that it does not know, above 0 and at most 1.
            Unless some of them were there to choose it on: about what it says at random.

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
        told = np.full(gallery.shape, self.novelty)
        told[:, :-1][:, known >= 0] = recogniser[:, known[known >= 0]]
        told[:, -1] = recogniser[:, -1]
        mixed = (1 - self.weight) * np.log(np.maximum(gallery, LEAST))
        mixed += self.weight * np.log(np.maximum(told, LEAST))
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

    Weight and novelty are tried on a grid; of equal ones, the smaller weight, which trusts the
    gallery, then the smaller novelty. Where no crop shows a SKU that the recogniser does not know,
    novelty cannot be chosen: it is one in J.

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
    inside = labels[labels < len(known)]
    fresh = bool((known[inside] < 0).any())
    novelties = NOVELTIES if fresh else (1 / max(recogniser.shape[1] - 1, 1),)
    rows = np.arange(len(labels))

    def cost(fusion: Fusion) -> float:
        joined = fusion.join(gallery, recogniser, known)[rows, labels]
        return float(-np.log(np.maximum(joined, LEAST)).mean())

    tried = [Fusion(w, n) for w, n in itertools.product(WEIGHTS, novelties)]
    return min(tried, key=lambda f: (round(cost(f), 9), f.weight, f.novelty))
