"""The second look that compares: exemplar pictures laid on items whose name is in doubt.

Key: N items, crops of H x W pixels, K SKUs; the last column of probabilities is 'none of them'.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from rpc.features.local.picture_evidence import ComparedCrop, PictureEvidence
from rpc.features.text.word_evidence import with_evidence
from rpc.recognition.box_classifier import FloatArray, Rgb

LIKELY: Final = 8  # SKUs whose pictures are compared with an item: those of the look before


class LocalLook:
    """Lays pictures of the likely SKUs on doubtful items.

    Args:
        compare: an item with pictures of the K SKUs.
        likely: how many SKUs are asked, the likeliest first.
    """

    def __init__(self, compare: PictureEvidence, likely: int = LIKELY) -> None:
        if likely < 2:
            raise ValueError(f"pictures: expected two SKUs to compare, or more, got {likely}")
        self.compare, self.likely = compare, likely

    def observe(self, crop: Rgb) -> ComparedCrop:
        """A crop (H, W, 3) that pictures can be laid on."""
        return ComparedCrop.of(crop)

    def judge(self, observed: Sequence[ComparedCrop], probabilities: FloatArray) -> FloatArray:
        """Probabilities (N, K + 1) in the light of the pictures that lie on N crops."""
        likely = np.argsort(-probabilities[:, :-1], axis=1, kind="stable")[:, : self.likely]
        evidence = [
            self.compare.evidence_on(crop, labels.tolist())
            for crop, labels in zip(observed, likely, strict=True)
        ]
        return with_evidence(probabilities, np.array(evidence).reshape(probabilities.shape))
