"""The best of several masks: saliency first, then what else costs time, judged by the box."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synth.exemplar.grabcut import GrabCutSegmenter
from synth.exemplar.quality import judge_mask
from synth.exemplar.saliency import SaliencySegmenter
from synth.exemplar.segment import SoftMask
from synth.exemplar.window import is_whole_frame


@dataclass(frozen=True)
class CombinedSegmenter:
    """Saliency on a narrow crop; where its mask fits the box badly, other ways are tried too.

    They are: saliency on a wider crop, GrabCut that starts from the saliency, GrabCut alone. The
    mask with the highest score (`quality.judge_mask`) is taken, the earlier one when in doubt.

    Attributes:
        narrow: the first try.
        wide: the second.
        grabcut: the third and fourth.
        enough: a score from here on ends the search.
        gain: how much better the second mask must be.
        grabcut_gain: how much better GrabCut's masks must be. GrabCut follows changes of colour,
            which the score counts, so it looks better than it is on pale products.
    """

    narrow: SaliencySegmenter = field(default_factory=SaliencySegmenter)
    wide: SaliencySegmenter = field(default_factory=lambda: SaliencySegmenter(margin=0.25))
    grabcut: GrabCutSegmenter = field(default_factory=GrabCutSegmenter)
    enough: float = 0.85
    gain: float = 0.08
    grabcut_gain: float = 0.2

    def __call__(self, rgb: NDArray[np.uint8], box: Sequence[float]) -> SoftMask:
        """Soft mask (H, W) of a photo (H, W, 3)."""
        best, score = np.zeros(rgb.shape[:2], dtype=np.float32), -1.0
        if is_whole_frame(box, *rgb.shape[:2]):  # nothing to judge by
            return self.narrow(rgb, box)
        for soft, gain in self._candidates(rgb, box):
            judged = judge_mask(rgb, soft > 0.5, box).score
            if judged > score + gain:
                best, score = soft, judged
            if score >= self.enough:
                break
        return best

    def _candidates(
        self, rgb: NDArray[np.uint8], box: Sequence[float]
    ) -> Iterator[tuple[SoftMask, float]]:
        narrow = self.narrow(rgb, box)
        yield narrow, 0.0
        wide = self.wide(rgb, box)
        yield wide, self.gain
        prior = (narrow + wide) / 2
        yield self.grabcut(rgb, box, prior=prior), self.grabcut_gain
        yield self.grabcut(rgb, box), self.grabcut_gain
