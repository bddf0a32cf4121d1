"""Whether a product changed its colour in another way than all products of its tray.

Key: M items, P pixels of an item, D = 7 terms that a change of colour may depend on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.structures.masks import BoolMask, mask_to_box
from synth.render.colours import Floats
from synth.render.gate.structure import Views

Pixels = tuple[NDArray[np.intp], NDArray[np.intp]]  # rows and columns
Model = NDArray[np.float64]  # (D, 3): how colours change on one tray

# Of (1, brightness, redness, blueness, right, down, radius), in units of one item's worth.
_PULL: Final = np.array([0.02, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2])
_TOLERANCE: Final = 0.08  # logarithms: an item that is so far off weighs half
_PIXELS: Final = 400  # of an item that are looked at


@dataclass(frozen=True)
class ColourChange:
    """The change of an item's colour beyond that of the tray's colours.

    Attributes:
        tone: change of its brightness (natural logarithm).
        tint: change of its redness and blueness, the length of it.
        pattern: root mean square of the change of redness and blueness over its pixels.
    """

    tone: float
    tint: float
    pattern: float


def colour_changes(before: Views, after: Views, masks: Sequence[BoolMask]) -> list[ColourChange]:
    """Each item's change of colour that the others' does not foretell.

    The others say how colours map (affine in the colour, and a light that changes slowly over
    the tray, by least squares with a pull towards no change but of exposure and white balance);
    items that follow badly weigh little in it.

    Args:
        before: the scene.
        after: its rendering.
        masks: (H, W) each, of the M items; none empty.
    """
    if not masks:
        return []
    table = _Table(before, after, masks)
    weights = np.ones(len(masks))
    rests: list[NDArray[np.float64]] = []
    for _ in range(4):
        rests = [table.rest(row, table.model(weights, without=row)) for row in range(len(masks))]
        away = np.array([np.linalg.norm(rest.mean(axis=0)) for rest in rests])
        weights = 1 / (1 + np.square(away / _TOLERANCE))
    return [_colour_change(rest) for rest in rests]


def change_of_tray(before: Views, after: Views, masks: Sequence[BoolMask]) -> Model:
    """How the colours of these items change together, for `foretell`.

    Args:
        before: the scene.
        after: its rendering.
        masks: (H, W) each, of items that are believed; none empty.
    """
    return _Table(before, after, masks).model(np.ones(len(masks)))


def foretell(model: Model, colour: Floats, at: Pixels) -> Floats:
    """The change (P, 3) that a model says for colours (H, W, 3) at some pixels."""
    return np.asarray(_design(colour, at) @ model, dtype=np.float32)


class _Table:
    """Least squares of the items' pixels, each item counting by the root of its size."""

    def __init__(self, before: Views, after: Views, masks: Sequence[BoolMask]) -> None:
        samples = [_samples(mask) for mask in masks]
        self.designs = [_design(before.colour, at) for at in samples]
        self.changes = [after.colour[at] - before.colour[at] for at in samples]
        count = np.array([len(design) for design in self.designs], dtype=np.float64)
        share = np.sqrt(count) / np.sqrt(count).mean() / count
        self.squares = np.stack([n * d.T @ d for n, d in zip(share, self.designs, strict=True)])
        pairs = zip(share, self.designs, self.changes, strict=True)
        self.products = np.stack([n * d.T @ c for n, d, c in pairs])

    def model(self, weights: NDArray[np.float64], without: int | None = None) -> Model:
        """The tray's change of colours (D, 3), by all items or without one."""
        used = weights.copy()
        if without is not None:
            used[without] = 0
        squares = np.tensordot(used, self.squares, 1) + np.diag(_PULL)
        return np.asarray(np.linalg.solve(squares, np.tensordot(used, self.products, 1)))

    def rest(self, row: int, model: Model) -> NDArray[np.float64]:
        """The residual of an item's change (P, 3) that a model leaves unexplained."""
        return np.asarray(self.changes[row] - self.designs[row] @ model, dtype=np.float64)


def _colour_change(rest: NDArray[np.float64]) -> ColourChange:
    mean = rest.mean(axis=0)
    pattern = np.sqrt(np.square(rest[:, 1:]).sum(axis=1).mean())
    return ColourChange(abs(float(mean[0])), float(np.hypot(mean[1], mean[2])), float(pattern))


def _samples(mask: BoolMask) -> Pixels:
    """Up to `_PIXELS` pixels of a mask, not at its edge where it has any others."""
    box = mask_to_box(mask)
    assert box is not None, "the caller leaves items out of sight alone"
    cut = mask[box[1] : box[3], box[0] : box[2]]
    frame = cv2.copyMakeBorder(cut.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    inner = cv2.erode(frame, np.ones((5, 5), np.uint8))[1:-1, 1:-1] > 0
    rows, columns = np.nonzero(inner if inner.sum() >= 30 else cut)
    step = max(1, -(-len(rows) // _PIXELS))
    return rows[::step] + box[1], columns[::step] + box[0]


def _design(colour: Floats, at: Pixels) -> NDArray[np.float64]:
    """The terms that a change may depend on, (P, D): the colour, and the place for light."""
    height, width = colour.shape[:2]
    x, y = at[1] / width * 2 - 1, at[0] / height * 2 - 1
    middle = colour[at] - np.array([-1.0, 0, 0], np.float32)  # about a usual brightness
    terms = [np.ones_like(x), *middle.T, x, y, (x * x + y * y) / 2]
    return np.stack(terms, axis=1).astype(np.float64)
