"""From what was measured on every mask to the list of cut-outs: quality, pose, scale, by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rpc.data.cutouts import Cutout
from rpc.data.exemplars import Exemplar
from synth.exemplar.cut import Measures
from synth.exemplar.doubts import usual_edges
from synth.exemplar.journal import Entry
from synth.exemplar.overrides import Overrides
from synth.exemplar.pose import Views, pose_weights
from synth.exemplar.quality import consistency
from synth.exemplar.scale import common_scale, size_factors


@dataclass(frozen=True)
class Piece:
    """A cut-out that is on disk: its exemplar, the photo's name, and what was measured."""

    exemplar: Exemplar
    source: str
    entry: Entry
    measures: Measures


@dataclass(frozen=True)
class Weak:
    """A SKU without a sure cut-out.

    Attributes:
        category_id: its id.
        name: of the SKU.
        why: what is wrong with its best one.
        usable: a doubtful cut-out is used all the same.
    """

    category_id: int
    name: str
    why: str
    usable: bool


def assemble(
    pieces: Sequence[Piece],
    names: Mapping[int, str],
    overrides: Overrides,
    quality_cut: float,
    sizes_mm: Mapping[int, float],
    lost: Mapping[int, str],
) -> tuple[tuple[Cutout, ...], tuple[Weak, ...]]:
    """Decide of every cut-out whether, how often and how large it is drawn.

    A SKU whose masks are all below the quality cut keeps its best one if that reaches half the
    cut: a doubtful mask is better than a product that training never sees.

    Args:
        pieces: the cut-outs on disk, in the order of the exemplars.
        names: SKU by category id, of all SKUs that have exemplars.
        overrides: decisions by hand.
        quality_cut: masks below it are not used.
        sizes_mm: longest side by category id, where known.
        lost: by category id, what was wrong with a photo that gave no cut-out.

    Returns:
        The cut-outs, and the SKUs that have no sure one, in the order of their ids.
    """
    trust, doubts = judge_doubts(pieces)
    quality = piece_quality(pieces) * trust
    by_hand = np.array([overrides.drops(p.entry.file, p.source) for p in pieces], dtype=bool)
    skus = np.array([p.exemplar.category_id for p in pieces], dtype=np.int64)
    good = _good(skus, quality, by_hand, quality_cut)
    weak = _weak_skus(names, skus, doubts, quality, quality_cut, good, by_hand, lost)
    ratio, weight = pose_weights(_views(pieces, skus, good))
    scale = _scales(pieces, skus, good, sizes_mm) if good.any() else np.ones(len(pieces))
    cutouts = []
    for i, piece in enumerate(pieces):
        reason = "hand" if by_hand[i] else "" if good[i] else "quality"
        if not reason and weight[i] == 0:
            reason = "pose"
        cutouts.append(
            Cutout(
                file=piece.entry.file,
                source=piece.source,
                category_id=piece.exemplar.category_id,
                camera=piece.exemplar.camera,
                view=piece.exemplar.view,
                width=piece.entry.size[0],
                height=piece.entry.size[1],
                area=piece.measures.area,
                quality=round(float(quality[i]), 4),
                pose_ratio=round(float(ratio[i]), 4),
                weight=0.0 if reason else round(float(weight[i]), 4),
                scale=round(float(scale[i]), 6),
                keep=not reason,
                reason=reason,
            )
        )
    return tuple(cutouts), weak


def judge_doubts(pieces: Sequence[Piece]) -> tuple[NDArray[np.float64], list[str]]:
    """The trust (N,) 0 to 1 that the doubts leave, and the worst doubt of each in words."""
    found = [(p.exemplar.category_id, p.measures.doubts) for p in pieces if p.measures.doubts]
    usual = usual_edges([sku for sku, _ in found], [doubts.edges for _, doubts in found])
    judged = [
        (1.0, "") if p.measures.doubts is None else p.measures.doubts.judge(usual) for p in pieces
    ]
    return np.array([trust for trust, _ in judged]), [told for _, told in judged]


def piece_quality(pieces: Sequence[Piece]) -> NDArray[np.float64]:
    """Quality (N,) 0 to 1: of the mask alone times its consistency with the neighbour views."""
    quality = np.array([p.measures.score for p in pieces], dtype=np.float64)
    groups: dict[tuple[int, int], list[int]] = {}
    for i, piece in enumerate(pieces):
        exemplar = piece.exemplar
        if exemplar.camera is not None and exemplar.view is not None and not piece.entry.by_hand:
            groups.setdefault((exemplar.category_id, exemplar.camera), []).append(i)
    for rows in groups.values():
        quality[rows] *= consistency(
            [pieces[i].measures.photo_area for i in rows],
            [pieces[i].measures.box_area for i in rows],
            [pieces[i].exemplar.view or 0 for i in rows],  # no group holds one without a view
        )
    return quality


def _good(
    skus: NDArray[np.int64],
    quality: NDArray[np.float64],
    by_hand: NDArray[np.bool_],
    cut: float,
) -> NDArray[np.bool_]:
    """Which cut-outs (N,) are good enough, and not dropped by hand."""
    good = np.asarray((quality >= cut) & ~by_hand)
    for sku in np.setdiff1d(skus, skus[good]):
        rest = np.flatnonzero((skus == sku) & ~by_hand & (quality >= cut / 2))
        if len(rest):
            good[rest[quality[rest].argmax()]] = True
    return good


def _weak_skus(
    names: Mapping[int, str],
    skus: NDArray[np.int64],
    doubts: Sequence[str],
    quality: NDArray[np.float64],
    cut: float,
    good: NDArray[np.bool_],
    by_hand: NDArray[np.bool_],
    lost: Mapping[int, str],
) -> tuple[Weak, ...]:
    """The SKUs (category id: name) without a cut-out that reaches the quality cut."""
    weak = []
    for sku in sorted(set(names) - set(skus[good & (quality >= cut)].tolist())):
        mine = np.flatnonzero(skus == sku)
        free = mine[~by_hand[mine]]
        if not len(mine):
            why = lost.get(sku, "it has no photo")
        elif not len(free):
            why = "all its cut-outs are dropped by hand"
        else:
            best = int(free[quality[free].argmax()])
            why = f"the best mask has quality {quality[best]:.2f}"
            why += f": {doubts[best]}" * bool(doubts[best])
        weak.append(Weak(sku, names[sku], why, usable=bool(good[mine].any())))
    return tuple(weak)


def _views(pieces: Sequence[Piece], skus: NDArray[np.int64], good: NDArray[np.bool_]) -> Views:
    unit = photo_units(pieces)
    return Views(
        category_id=skus,
        camera=[p.exemplar.camera for p in pieces],
        area=np.array([p.measures.photo_area for p in pieces]) * unit**2,
        width=np.array([p.measures.box_width for p in pieces]) * unit,
        height=np.array([p.measures.box_height for p in pieces]) * unit,
        short_side=np.array([p.measures.short_side for p in pieces]) * unit,
        trusted=good,
    )


def photo_units(pieces: Sequence[Piece]) -> NDArray[np.float64]:
    """Factor (N,) that makes lengths of one SKU comparable between photos.

    Photos of a rig differ in their number of pixels only. Photos without a camera number are taken
    from any distance: there every mask of a SKU is brought to the SKU's median long side.
    """
    unit = np.array([1000.0 / p.measures.photo_side for p in pieces])
    length = np.array([p.measures.long_side for p in pieces]) * unit
    skus = np.array([p.exemplar.category_id for p in pieces], dtype=np.int64)
    free = np.array([p.exemplar.camera is None for p in pieces], dtype=bool)
    for sku in np.unique(skus[free]):
        mine = free & (skus == sku)
        unit[mine] *= np.median(length[mine]) / length[mine]
    return unit


def _scales(
    pieces: Sequence[Piece],
    skus: NDArray[np.int64],
    good: NDArray[np.bool_],
    sizes_mm: Mapping[int, float],
) -> NDArray[np.float64]:
    """Scene px (1000 px wide) per PNG px (N,)."""
    unit = photo_units(pieces)
    area = np.array([p.measures.photo_area for p in pieces]) * unit**2
    length = np.array([p.measures.long_side for p in pieces]) * unit
    common = common_scale(skus[good], area[good])
    factors = size_factors(skus[good], length[good], area[good], sizes_mm)
    per_sku = np.array([factors.get(sku, 1.0) for sku in skus.tolist()])
    zoom = np.array([p.measures.zoom for p in pieces])
    return np.asarray(common * per_sku * unit / zoom)
