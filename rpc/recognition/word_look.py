"""The second look that reads: words and barcodes on items whose name is in doubt.

Key: N items, crops of H x W pixels, K SKUs; the last column of probabilities is 'none of them'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from rpc.features.text.barcodes import codes_by_sku
from rpc.features.text.sku_words import SkuWords
from rpc.features.text.word_evidence import EvidenceSettings, WordEvidence, with_evidence
from rpc.recognition.box_classifier import FloatArray, Rgb
from rpc.structures.readings import PackText, ReadsPacks

TOLD: Final = 0.999  # probability of a SKU whose barcode was read: two packs may lie in a box


class WordLook:
    """Reads doubtful items and compares them with what was read on the exemplars.

    A legible barcode of a SKU decides; one that no SKU has says nothing, as shops sell what a
    gallery lacks under the same roof as what it holds.

    Args:
        read: the reader.
        names: of the K SKUs by label; one that is a barcode counts as the SKU's.
        words: of each.
        settings: how much they count; None takes the defaults.
    """

    def __init__(
        self,
        read: ReadsPacks,
        names: Sequence[str],
        words: Sequence[SkuWords],
        settings: EvidenceSettings | None = None,
    ) -> None:
        if len(names) != len(words):
            raise ValueError(f"words: expected those of {len(names)} SKUs, got {len(words)}")
        self.read = read
        self.evidence = WordEvidence(words, settings)
        place = {name: label for label, name in enumerate(names)}
        codes = codes_by_sku(
            {name: some.codes for name, some in zip(names, words, strict=True)},
            {name: (name,) for name in names},
        )
        self.label_of_code = {code: place[name] for code, name in codes.items()}

    def observe(self, crop: Rgb) -> PackText:
        """Text and barcodes on a crop (H, W, 3)."""
        return self.read(crop)

    def judge(self, observed: Sequence[PackText], probabilities: FloatArray) -> FloatArray:
        """Probabilities (N, K + 1) in the light of what was read on N crops."""
        evidence = [self.evidence.evidence(text.readings) for text in observed]
        better = with_evidence(probabilities, np.array(evidence).reshape(probabilities.shape))
        for row, text in enumerate(observed):
            told = {self.label_of_code[code] for code in text.codes if code in self.label_of_code}
            if len(told) == 1:
                better[row] *= 1 - TOLD
                better[row, told.pop()] += TOLD
        return better
