"""The gate: which products of a rendered scene moved, vanished or changed, and what appeared.

Thresholds were chosen on drawn trays and on scenes of two stores, where camera changes alone must
pass, and proved on a third store's: tools/benchmark/render_gate.py repeats it on any scenes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.structures.masks import BoolMask, mask_to_box
from synth.render.colours import Rgb
from synth.render.gate.colour_change import ColourChange, colour_changes
from synth.render.gate.strays import strays
from synth.render.gate.structure import Structure, Views, structure, views

Reason = Literal["moved", "structure", "colour", "encoder", "stray"]
REASONS: Final[tuple[Reason, ...]] = ("moved", "structure", "colour", "encoder", "stray")
# Pictures to unit vectors (N, D); `rpc.features.backbones.embedding.Embedder` is one.
Embed = Callable[[Sequence[Rgb]], NDArray[np.float32]]


@dataclass(frozen=True)
class Thresholds:
    """Where a difference becomes a fault.

    Attributes:
        fine, coarse, inside: least likeness of edges, see `Structure`.
        shift: fraction of an item's size, and `gain` the likeness won, from which it has moved.
        still: likeness of edges at the fine scale from which it has not moved, whatever a search
            at the coarse scale says: a board of another colour changes outlines.
        tone, tint, pattern: change of colour beyond the tray's, see `ColourChange`; each by its
            own, squared and summed, is a fault from 1 on; more is allowed where few others
            say how colours change.
        encoder: least cosine of an encoder's vectors before and after.
        doubt: likeness of edges at the fine scale below which the encoder is asked.
        stray, spot: strength of a new thing on the board, and the fraction of the image from
            which it counts.
        smallest: pixels; of an item of which less is in sight only the colour is judged.
    """

    fine: float = 0.55
    coarse: float = 0.7
    inside: float = 0.5
    shift: float = 0.015
    gain: float = 0.01
    still: float = 0.85
    tone: float = 0.3
    tint: float = 0.2
    pattern: float = 0.3
    encoder: float = 0.65
    doubt: float = 0.7
    stray: float = 0.1
    spot: float = 0.0002
    smallest: int = 150


@dataclass(frozen=True)
class ItemView:
    """Measurements of one item, and its fault; None where it has none."""

    structure: Structure
    colour: ColourChange
    cosine: float | None
    size: int
    area: int
    reason: Reason | None


@dataclass(frozen=True)
class Verdict:
    """The gate's verdict on a rendered scene.

    Attributes:
        items: one view an item in sight, by the item's row; items out of sight are left out.
        strays: (H, W), true where something new is on the board.
    """

    items: dict[int, ItemView]
    strays: BoolMask

    @property
    def faulty(self) -> list[int]:
        """Rows of the items that are not what they were."""
        return [row for row, view in self.items.items() if view.reason is not None]

    @property
    def reasons(self) -> list[Reason]:
        """One a faulty item, and one for all that is new on the board."""
        found = [view.reason for view in self.items.values() if view.reason is not None]
        return found + (["stray"] if self.strays.any() else [])

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.reasons


def judge(
    scene: Rgb,
    rendered: Rgb,
    masks: Sequence[BoolMask],
    thresholds: Thresholds = Thresholds(),
    embed: Embed | None = None,
) -> Verdict:
    """Compare a scene with its rendering, product by product.

    Args:
        scene: (H, W, 3).
        rendered: (H, W, 3), of the same size.
        masks: (H, W) each, what is in sight of the M items.
        thresholds: what is a fault.
        embed: an encoder that is asked about items in doubt; None for none.

    Raises:
        ValueError: the images or masks differ in size.
    """
    if scene.shape != rendered.shape or any(mask.shape != scene.shape[:2] for mask in masks):
        raise ValueError(
            f"expected scene, rendering and masks of one size, got {scene.shape}, {rendered.shape}"
        )
    before, after = views(scene), views(rendered)
    rows = [row for row, mask in enumerate(masks) if mask.any()]
    seen = [masks[row] for row in rows]
    colours = colour_changes(before, after, seen)
    pair, others = _Pair(scene, rendered, before, after), len(rows) - 1
    items = {
        row: _view(pair, mask, colour, others, thresholds, embed)
        for row, mask, colour in zip(rows, seen, colours, strict=True)
    }
    covered = np.any(seen, axis=0) if seen else np.zeros(scene.shape[:2], bool)
    return Verdict(items, _spots(strays(before, after, covered), covered.shape, thresholds))


@dataclass(frozen=True)
class _Pair:
    """A scene, its rendering, and what is compared of them."""

    scene: Rgb
    rendered: Rgb
    before: Views
    after: Views


def _view(
    pair: _Pair,
    mask: BoolMask,
    colour: ColourChange,
    others: int,
    limits: Thresholds,
    embed: Embed | None,
) -> ItemView:
    box = mask_to_box(mask)
    assert box is not None, "items out of sight were left out"
    size, area = max(box[2] - box[0], box[3] - box[1]), int(mask.sum())
    found = structure(pair.before, pair.after, mask)
    reason: Reason | None = None
    if area >= limits.smallest:
        reason = _reason_of_edges(found, size, limits)
    if reason is None and _changed_colour(colour, others, limits):
        reason = "colour"
    cosine = None
    in_doubt = area >= limits.smallest and found.fine < limits.doubt
    if reason is None and embed is not None and in_doubt:
        vectors = embed([_crop(pair.scene, mask, box), _crop(pair.rendered, mask, box)])
        cosine = float(vectors[0] @ vectors[1])
        if cosine < limits.encoder:
            reason = "encoder"
    return ItemView(found, colour, cosine, size, area, reason)


def _reason_of_edges(found: Structure, size: int, limits: Thresholds) -> Reason | None:
    found_elsewhere = found.shift > max(1.0, limits.shift * size) and found.gain > limits.gain
    if found_elsewhere and found.fine < limits.still:
        return "moved"
    likeness = (found.fine, found.coarse, found.inside)
    least = (limits.fine, limits.coarse, limits.inside)
    faulty = any(value < limit for value, limit in zip(likeness, least, strict=True))
    return "structure" if faulty else None


def _changed_colour(colour: ColourChange, others: int, limits: Thresholds) -> bool:
    change = (colour.tone / limits.tone, colour.tint / limits.tint, colour.pattern / limits.pattern)
    slack = 1 + 1 / max(others, 0.5)
    return sum(part * part for part in change) > slack**2


def _crop(rgb: Rgb, mask: BoolMask, box: tuple[int, int, int, int]) -> Rgb:
    """An item alone on grey."""
    window = slice(box[1], box[3]), slice(box[0], box[2])
    crop = rgb[window].copy()
    crop[~mask[window]] = 127
    return crop


def _spots(strength: NDArray[np.float32], shape: tuple[int, ...], limits: Thresholds) -> BoolMask:
    """Places of strong new things that are large enough, at the image's size."""
    strong = (strength > limits.stray).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(strong)
    large = stats[:, cv2.CC_STAT_AREA] >= max(4, limits.spot * strong.size)
    large[0] = False
    spots = (large[labels] if count > 1 else strong).astype(np.uint8)
    return np.asarray(cv2.resize(spots, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST) > 0)
