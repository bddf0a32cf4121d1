"""The words on a crop as evidence for each SKU: bounded, and none where nothing was read.

A piece of text (`rpc.features.text.grams`) that is on a SKU's exemplar photos makes that SKU
likelier, the more so the fewer SKUs share it: a brand on a whole family's packs tells nothing
within the family, the flavour's word does. For a piece g with presence m(g, k) in SKU k (0 to 1,
the reader's confidence) and mean presence p(g) over all SKUs,

    x(k) = strength * sum over the pieces read: confidence * log(1 + m(g, k) / p(g) * s / (1 - s))

where s is the share of pieces that come from the pack rather than from chance. The pieces of one
word are not independent, and what an item shows may be a side that no exemplar shows: there, a
word of another SKU of the same brand may stand. So x is not added as it is. With c(k) = n / (n + 1)
the chance that one of n photos shows the side that is seen, and q the chance that an unseen side
has the words of the SKU that they fit best, the evidence is

    e(k) = log(c(k) * exp(x(k)) + (1 - c(k)) * (q * exp(max x) + 1 - q)).

Two SKUs' evidence can therefore differ by little where each has one photo (2.4 for q = 0.1), and by
more the more photos there are. docs/words.md has the comparison with other formulas.

Key: K SKUs, N crops.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rpc.features.text.grams import gram_confidences
from rpc.features.text.sku_words import SkuWords
from rpc.structures.readings import Reading

FloatArray = NDArray[np.float64]
MOST: Final = 30.0  # of x: e to the power of it is still a number of ordinary size


@dataclass(frozen=True)
class EvidenceSettings:
    """How much words count.

    Attributes:
        strength: of the sum over pieces, which overlap.
        share: s above: of the pieces that are read, those that come from the pack.
        unseen: q above: the chance that a side that no exemplar shows has another SKU's words.

    Raises:
        ValueError: a value is out of its range.
    """

    strength: float = 0.8
    share: float = 0.3
    unseen: float = 0.1

    def __post_init__(self) -> None:
        if not (self.strength > 0 and 0 < self.share < 1 and 0 < self.unseen < 1):
            raise ValueError(
                f"words: expected a strength above 0 and shares from 0 to 1, got {self}"
            )


class WordEvidence:
    """Compares the words on crops with those of the SKUs' exemplars.

    Args:
        skus: the words of each of K SKUs, by label.
        settings: how much they count.
    """

    def __init__(self, skus: Sequence[SkuWords], settings: EvidenceSettings | None = None) -> None:
        self.settings = settings or EvidenceSettings()
        presence: dict[str, dict[int, float]] = {}  # by piece, of the SKUs that have it
        for row, sku in enumerate(skus):
            for gram, sure in gram_confidences(sku.readings).items():
                presence.setdefault(gram, {})[row] = sure
        odds = self.settings.share / (1 - self.settings.share)
        self._gains: dict[str, tuple[NDArray[np.int64], FloatArray]] = {}
        for gram, found in presence.items():
            present = np.array(list(found.values()))
            mean = (present.sum() + 0.5) / (len(skus) + 1)
            self._gains[gram] = np.array(list(found)), np.log1p(odds * present / mean)
        photos = np.array([sku.photos for sku in skus], dtype=np.float64)
        self._shown = np.append(photos / (photos + 1), 0.0)  # c above, (K + 1,)

    def evidence(self, readings: Sequence[Reading]) -> FloatArray:
        """Log-likelihood (K + 1,) of each SKU, and of a product that is none of them.

        Zeros where nothing was read, or nothing that any SKU has. Only differences have a meaning.
        """
        fit = np.zeros(len(self._shown))
        for gram, sure in gram_confidences(readings).items():
            if gram in self._gains:
                rows, gains = self._gains[gram]
                fit[rows] += sure * gains
        if not fit.any():
            return fit
        return bounded_evidence(self.settings.strength * fit, self._shown, self.settings.unseen)


def bounded_evidence(fit: FloatArray, shown: FloatArray, unseen: float) -> FloatArray:
    """Evidence e(k) as above, (K + 1,), of sums x(k) that may count too much.

    Args:
        fit: x above, (K + 1,).
        shown: c above, (K + 1,): the chance that a SKU's photos show the side that is seen.
        unseen: q above.
    """
    fit = np.minimum(fit, MOST)
    elsewhere = unseen * np.exp(fit.max()) + 1 - unseen
    return np.asarray(np.log(shown * np.exp(fit) + (1 - shown) * elsewhere))


def with_evidence(probabilities: FloatArray, evidence: FloatArray) -> FloatArray:
    """Probabilities (N, K + 1) in the light of evidence (N, K + 1); rows still sum to 1.

    A row without evidence (all of it equal) stays as it is, to the last bit.
    """
    flat = (evidence == evidence[:, :1]).all(axis=1, keepdims=True)
    power = probabilities * np.exp(evidence - evidence.max(axis=1, keepdims=True, initial=-np.inf))
    total = power.sum(axis=1, keepdims=True)
    usable = ~flat & (total > 0)
    return np.where(usable, power / np.where(usable, total, 1.0), probabilities)
