"""The best of several masks: saliency first, then what else costs time, judged by the box."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from synth.exemplar.methods.grabcut import GrabCutSegmenter
from synth.exemplar.methods.saliency import SaliencySegmenter
from synth.exemplar.quality import judge_mask
from synth.exemplar.segmenter import SoftMask
from synth.exemplar.window import is_whole_frame


@dataclass(frozen=True)
class CombinedSegmenter:
    """Saliency on a narrow crop; where its mask fits the box badly, other ways are tried too.

    They are: saliency on a wider crop, GrabCut that starts from the saliency, GrabCut alone. Of
    those tried, the mask with the highest score (`quality.judge_mask`) less its handicap is taken.

    Attributes:
        narrow: the first try.
        wide: the second.
        grabcut: the third and fourth.
        enough: a score from here on ends the search.
        wide_handicap: taken off the second score: a wide crop is the one that finds turntables.
        grabcut_handicap: taken off the third and fourth. GrabCut follows changes of colour, which
            the score counts: masks of pale products that lack a sixth of the area scored 0.9.
            From 0.15 to 0.3 the same masks are chosen.
    """

    narrow: SaliencySegmenter = field(default_factory=SaliencySegmenter)
    wide: SaliencySegmenter = field(default_factory=lambda: SaliencySegmenter(margin=0.25))
    grabcut: GrabCutSegmenter = field(default_factory=GrabCutSegmenter)
    enough: float = 0.85
    wide_handicap: float = 0.08
    grabcut_handicap: float = 0.2

    @classmethod
    def on(cls, device: str) -> CombinedSegmenter:
        """With the default settings, its network on a device (see `SaliencySegmenter`)."""
        default = cls()
        return replace(
            default,
            narrow=replace(default.narrow, device=device),
            wide=replace(default.wide, device=device),
        )

    def __call__(self, rgb: NDArray[np.uint8], box: Sequence[float]) -> SoftMask:
        """Soft mask (H, W) of a photo (H, W, 3)."""
        if is_whole_frame(box, *rgb.shape[:2]):  # nothing to judge by
            return self.narrow(rgb, box)
        best, best_score = np.zeros(rgb.shape[:2], dtype=np.float32), -np.inf
        for soft, handicap in self._candidates(rgb, box):
            score = judge_mask(rgb, soft > 0.5, box).score - handicap
            if score > best_score:
                best, best_score = soft, score
            if best_score >= self.enough:
                break
        return best

    def _candidates(
        self, rgb: NDArray[np.uint8], box: Sequence[float]
    ) -> Iterator[tuple[SoftMask, float]]:
        """Masks with their handicaps, the cheapest first."""
        narrow = self.narrow(rgb, box)
        yield narrow, 0.0
        wide = self.wide(rgb, box)
        yield wide, self.wide_handicap
        prior = np.asarray((narrow + wide) / 2, np.float32)
        yield self.grabcut(rgb, box, prior=prior), self.grabcut_handicap
        yield self.grabcut(rgb, box), self.grabcut_handicap
