"""Evidence for each SKU by exemplar pictures that are laid on a crop.

A picture of an exemplar is laid on the crop by the key points of their print
(`rpc.features.local.alignment`). Two things are then evidence:

- **Print.** A key point of the crop that agrees with a SKU's picture makes that SKU likelier, the
  more so the fewer of the SKUs that are asked have it too: the layout of a whole family tells
  nothing within the family, an emblem does. For a point i with m(i, k) = 1 where SKU k has it, and
  p(i) the mean over all SKUs asked, it is log(1 + m(i, k) / p(i) * s / (1 - s)), s the share of
  points that come from the pack rather than from chance, summed over i: the formula of words
  (`rpc.features.text.word_evidence`).
- **Colour.** Where pictures of at least two SKUs lie on a place, how much better than their mean
  each fits the crop's colour there (`rpc.features.local.colour_difference`). Look-alikes fit alike
  but where they differ, so that only those places count.

Both sums are of places that are not independent, so each has a strength, and what the crop shows
may be a side that no picture shows, so the whole is bounded as words are. Nothing laid on the crop
is no evidence at all. docs/pictures.md has the comparison with other forms.

Key: K SKUs, P key points of a crop, A SKUs of which a picture was laid on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rpc.features.encodings.root_sift import root_sift
from rpc.features.local.alignment import Alignment, align
from rpc.features.local.colour_difference import Cells, colour_cells, colour_costs, colour_leads
from rpc.features.local.key_points import KeyPoints, Rgb, key_points, mutual_pairs, scaled
from rpc.features.text.word_evidence import bounded_evidence

FloatArray = NDArray[np.float64]

SIDE: Final = 288  # px: longest side that pictures are compared at
MOST: Final = 500  # key points of a picture
RATIO: Final = 0.85  # of distances: see `mutual_pairs`
COLOURED: Final = 3  # pictures of a SKU whose colours are compared: those that agree most
LEAST_COLOURED: Final = 6  # points that must agree for it
REMEMBERED: Final = 128  # SKUs whose pictures stay prepared, half a megabyte each


@dataclass(frozen=True)
class PictureSettings:
    """How much places count.

    Attributes:
        print_strength: of the sum over key points.
        share: s above: of the points that agree, those that come from the pack.
        colour_strength: of the sum over cells.
        unseen: the chance that a side that no picture shows looks like another SKU's.

    Raises:
        ValueError: a value is out of its range.
    """

    print_strength: float = 0.1
    share: float = 0.3
    colour_strength: float = 0.03
    unseen: float = 0.1

    def __post_init__(self) -> None:
        strong = min(self.print_strength, self.colour_strength) >= 0
        if not (strong and 0 < self.share < 1 and 0 < self.unseen < 1):
            raise ValueError(
                f"pictures: expected strengths of at least 0 and shares from 0 to 1, got {self}"
            )


@dataclass(frozen=True, eq=False)
class Prepared:
    """A picture ready to be compared.

    Attributes:
        key_points: where its print is.
        cells: its colours.
    """

    key_points: KeyPoints
    cells: Cells


def prepared(rgb: Rgb) -> Prepared:
    """A picture (H, W, 3) ready to be compared."""
    picture = scaled(rgb, SIDE)
    return Prepared(key_points(picture, MOST), colour_cells(picture))


@dataclass(frozen=True, eq=False)
class LaidSku:
    """The pictures of one SKU on a crop.

    Attributes:
        points: (P,) the crop's key points that the picture has which agrees most.
        cost: (h, w) differences of colour by cell, see `_colour`; None where no picture tells.
    """

    points: NDArray[np.bool_]
    cost: FloatArray | None


@dataclass(frozen=True, eq=False)
class ComparedCrop:
    """A crop, and what was laid on it so far.

    Attributes:
        own: its print and colours.
        roots: (P, 128) RootSIFT of its key points.
        skus: by label, those whose pictures were compared; None where none could be laid on it.
    """

    own: Prepared
    roots: NDArray[np.floating]
    skus: dict[int, LaidSku | None] = field(default_factory=dict)

    @classmethod
    def of(cls, rgb: Rgb) -> ComparedCrop:
        """A crop (H, W, 3) that nothing was laid on yet."""
        own = prepared(rgb)
        return cls(own, root_sift(own.key_points.sift.astype(np.float32)))


class PictureEvidence:
    """Compares crops with the exemplar pictures of likely SKUs.

    Args:
        pictures_of: the pictures (H, W, 3) of a SKU by label; asked when they are needed.
        photos: how many there are of each of K SKUs.
        settings: how much they count.
    """

    def __init__(
        self,
        pictures_of: Callable[[int], Sequence[Rgb]],
        photos: Sequence[int],
        settings: PictureSettings | None = None,
    ) -> None:
        self.settings = settings or PictureSettings()
        self.photos = np.array(photos, dtype=np.float64)
        self._shown = np.append(self.photos / (self.photos + 1), 0.0)  # none of them: no picture
        self._known = lru_cache(REMEMBERED)(
            lambda label: [prepared(picture) for picture in pictures_of(label)]
        )

    def evidence(self, crop: Rgb, labels: Sequence[int]) -> FloatArray:
        """Log-likelihood (K + 1,) of each SKU, and of a product that is none of them.

        Zeros where no picture can be laid on the crop. Only differences have a meaning.

        Args:
            crop: (H, W, 3) of one product.
            labels: of the SKUs whose pictures are compared: the likely ones.
        """
        return self.evidence_on(ComparedCrop.of(crop), labels)

    def evidence_on(self, crop: ComparedCrop, labels: Sequence[int]) -> FloatArray:
        """As `evidence`, of a crop that remembers the pictures that were laid on it before."""
        fit = np.zeros(len(self._shown))
        laid = {label: self._on(crop, label) for label in labels}
        there = {label: one for label, one in laid.items() if one is not None}
        if not there:
            return fit
        points = np.array([one.points for one in there.values()])
        prints = _print(points, len(labels), self.settings.share)
        fit[list(there)] = self.settings.print_strength * prints
        costs = {label: one.cost for label, one in there.items() if one.cost is not None}
        if len(costs) > 1:
            leads = colour_leads(np.array(list(costs.values())))
            fit[list(costs)] += self.settings.colour_strength * leads
        if not fit.any():
            return fit
        return bounded_evidence(fit, self._shown, self.settings.unseen)

    def _on(self, crop: ComparedCrop, label: int) -> LaidSku | None:
        """A SKU's pictures on a crop; None where none can be laid on it."""
        if label not in crop.skus:
            laid = self._laid(crop.own, crop.roots, label)
            crop.skus[label] = LaidSku(laid[0][1], _colour(crop.own, laid)) if laid else None
        return crop.skus[label]

    def _laid(self, own: Prepared, roots: NDArray[np.floating], label: int) -> list[_Laid]:
        """The SKU's pictures that can be laid on the crop, those that agree most first."""
        found: list[_Laid] = []
        for picture in self._known(label):
            there = picture.key_points
            pairs = mutual_pairs(root_sift(there.sift.astype(np.float32)), roots, RATIO)
            laid = align(there.points[pairs[:, 0]], own.key_points.points[pairs[:, 1]])
            if laid is not None:
                agree = np.zeros(len(roots), dtype=np.bool_)
                agree[pairs[laid.agree, 1]] = True
                found.append((picture, agree, laid))
        return sorted(found, key=lambda one: -one[2].count)


_Laid = tuple[Prepared, NDArray[np.bool_], Alignment]  # a picture, the crop's points (P,), its map


def _print(points: NDArray[np.bool_], asked: int, share: float) -> FloatArray:
    """Evidence (A,) of key points (A, P) that agree, of so many SKUs that were asked."""
    mean = (points.sum(axis=0) + 0.5) / (asked + 1)
    gains: FloatArray = np.log1p(share / (1 - share) * points / mean).sum(axis=1)
    return gains


def _colour(own: Prepared, laid: Sequence[_Laid]) -> FloatArray | None:
    """Differences (h, w) of a crop and the picture that fits best at each place; None for none."""
    clear = [one for one in laid if one[2].count >= LEAST_COLOURED][:COLOURED]
    found = [
        colour_costs(own.cells, picture.cells, map_, own.key_points.points[agree])
        for picture, agree, map_ in clear
    ]
    known = [cost for cost in found if cost is not None]
    return np.fmin.reduce(known) if known else None
