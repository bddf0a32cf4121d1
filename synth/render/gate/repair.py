"""Faulty parts of a rendered scene, replaced by the scene's own pixels in the render's colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from rpc.structures.masks import BoolMask
from synth.render.colours import Floats, Rgb, from_log, from_opponent, to_opponent
from synth.render.gate.colour_change import change_of_tray, foretell
from synth.render.gate.image_gate import Verdict
from synth.render.gate.structure import OFFSET, Views, views

MOST: Final = 0.5  # of the items may be replaced; beyond it the image is the scene again
_AROUND: Final = 4  # px around a faulty item that are replaced with it
_FEATHER: Final = 1.5  # px, deviation of the seam's blur
_LOCAL: Final = 0.06  # of the longer side: how far the board's change of colour is looked up


def can_repair(verdict: Verdict) -> bool:
    """Whether enough of a rendering is right to say what its colours are."""
    return len(verdict.faulty) <= MOST * max(1, len(verdict.items))


def repair(scene: Rgb, rendered: Rgb, masks: Sequence[BoolMask], verdict: Verdict) -> Rgb:
    """The rendering with its faulty parts as the scene shows them, in the rendering's colours.

    Items take the change of colour of the tray's sound items (of all that is sound where there is
    no such item), the board takes that of the board nearby.

    Args:
        scene: (H, W, 3).
        rendered: (H, W, 3).
        masks: (H, W) each, what is in sight of the items.
        verdict: what the gate says of `rendered`.
    """
    region = _region(masks, verdict)
    if not region.any():
        return rendered
    before, after = views(scene), views(rendered)
    change = _change(before, after, masks, verdict, region)
    moved = from_log(from_opponent(to_opponent(scene, OFFSET) + change), OFFSET)
    seam = cv2.GaussianBlur(region.astype(np.float32), (0, 0), _FEATHER)[..., None]
    mixed = seam * moved + (1 - seam) * rendered
    return np.asarray(mixed.round().clip(0, 255), dtype=np.uint8)


def _region(masks: Sequence[BoolMask], verdict: Verdict) -> BoolMask:
    """Where pixels are replaced: around faulty items and new things, but on no sound item."""
    region = np.zeros(verdict.strays.shape, np.uint8)
    for row in verdict.faulty:
        region |= masks[row].astype(np.uint8)
    reach = 2 * _AROUND + 1
    region = np.asarray(cv2.dilate(region, np.ones((reach, reach), np.uint8)), np.uint8)
    wide = 4 * _AROUND + 1  # a blob fades out beyond where it is strong
    strays = cv2.dilate(verdict.strays.astype(np.uint8), np.ones((wide, wide), np.uint8))
    region |= np.asarray(strays, np.uint8)
    for row in set(verdict.items) - set(verdict.faulty):
        region[masks[row]] = 0
    return np.asarray(region > 0)


def _change(
    before: Views,
    after: Views,
    masks: Sequence[BoolMask],
    verdict: Verdict,
    region: BoolMask,
) -> Floats:
    """The change of colour (H, W, 3) to give the scene's pixels."""
    sound = [masks[row] for row in verdict.items if verdict.items[row].reason is None]
    items = np.any(list(masks), axis=0) if masks else np.zeros_like(region)
    board = _local_mean(after.colour - before.colour, ~region & ~items)
    if not sound:
        return board
    model = change_of_tray(before, after, sound)
    for row in verdict.faulty:
        rows, columns = np.nonzero(masks[row])
        board[rows, columns] = foretell(model, before.colour, (rows, columns))
    return board


def _local_mean(change: Floats, known: BoolMask) -> Floats:
    """A change of colour carried from where it is known to all places around (H, W, 3)."""
    if not known.any():
        known = np.ones_like(known)
    factor = min(1.0, 160 / max(known.shape))
    size = (max(4, round(known.shape[1] * factor)), max(4, round(known.shape[0] * factor)))
    weight = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(change * known[..., None], size, interpolation=cv2.INTER_AREA)
    sigma = _LOCAL * max(size)
    everywhere = total.sum(axis=(0, 1)) / max(float(weight.sum()), 1e-6)
    faint = 1e-3  # so far from anything known, the image's mean is taken
    smooth = cv2.GaussianBlur(total, (0, 0), sigma) + faint * everywhere
    smooth /= (cv2.GaussianBlur(weight, (0, 0), sigma) + faint)[..., None]
    return np.asarray(
        cv2.resize(smooth, (known.shape[1], known.shape[0]), interpolation=cv2.INTER_LINEAR),
        dtype=np.float32,
    )
