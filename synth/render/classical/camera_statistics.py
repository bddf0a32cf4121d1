"""Statistics of the camera from one photo: board, products' look, blur, noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from synth.render.classical.board import Board, board_matte, find_board
from synth.render.classical.grain import Grain, measure_grain
from synth.render.classical.sharpness import edge_blur
from synth.render.colours import Floats, Rgb, to_opponent

COLUMNS: Final = 21  # numbers in a row
LEAST_BOARD: Final = 0.1  # share of an image below which its board is not believed
_LEAST_ITEMS: Final = 0.03  # likewise for what is not board
_SIDE: Final = 160  # px of the longer side at which products' look is measured


@dataclass(frozen=True)
class ItemsLook:
    """All that is not board, taken as one: comparable between sets of trays, not between two trays.

    Attributes:
        colour: (3,) mean brightness, redness, blueness (logarithms, see `.board`).
        contrast: standard deviation of brightness.
        saturation: root mean square of redness and blueness.
        highlight: brightness that a fiftieth of it exceeds.
    """

    colour: Floats
    contrast: float
    saturation: float
    highlight: float


@dataclass(frozen=True)
class CameraStatistics:
    """One photo's; None where the photo does not tell.

    Attributes:
        board: colour and light of what lies under the products.
        items: the products' look.
        blur: px, width of its edges.
        grain: its noise.
    """

    board: Board | None
    items: ItemsLook | None
    blur: float | None
    grain: Grain | None

    def to_row(self) -> NDArray[np.float64]:
        """(`COLUMNS`,) numbers, NaN for what is not told."""
        parts: list[Any] = []
        b, i, g = self.board, self.items, self.grain
        parts += [np.nan] * 10 if b is None else [*b.colour, *b.light, *b.spread, b.share]
        parts += [np.nan] * 6 if i is None else [*i.colour, i.contrast, i.saturation, i.highlight]
        parts += [np.nan if self.blur is None else self.blur]
        parts += [np.nan] * 4 if g is None else [g.dark, g.light, g.size, g.common]
        return np.asarray(parts, dtype=np.float64)

    @classmethod
    def from_row(cls, row: NDArray[np.float64]) -> CameraStatistics:
        """Read the row that `to_row` wrote."""
        told = ~np.isnan(row)
        f = row.astype(np.float32)
        return cls(
            board=Board(f[0:3], f[3:6], f[6:9], float(f[9])) if told[0] else None,
            items=ItemsLook(f[10:13], float(f[13]), float(f[14]), float(f[15]))
            if told[10]
            else None,
            blur=float(f[16]) if told[16] else None,
            grain=Grain(*(float(v) for v in f[17:21])) if told[17] else None,
        )


def measure_camera(rgb: Rgb) -> tuple[CameraStatistics, Floats]:
    """A photo's statistics, and how much each of its pixels is board, (H, W), 0 to 1.

    Without a board worth the name, the matte is 0 everywhere.

    Args:
        rgb: (H, W, 3).
    """
    board = find_board(rgb)
    if board.share < LEAST_BOARD:
        matte = np.zeros(rgb.shape[:2], np.float32)
    else:
        matte = board_matte(rgb, board)
    statistics = CameraStatistics(
        board=board if board.share >= LEAST_BOARD else None,
        items=items_look(rgb, matte),
        blur=edge_blur(rgb),
        grain=measure_grain(rgb),
    )
    return statistics, matte


def items_look(rgb: Rgb, matte: Floats) -> ItemsLook | None:
    """The look of what is not board; None where that is next to nothing.

    Args:
        rgb: (H, W, 3).
        matte: (H, W), how much of each pixel is board.
    """
    factor = min(1.0, _SIDE / max(rgb.shape[:2]))
    size = (max(4, round(rgb.shape[1] * factor)), max(4, round(rgb.shape[0] * factor)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    items = cv2.resize(matte, size, interpolation=cv2.INTER_AREA) < 0.1
    if items.mean() < _LEAST_ITEMS:
        return None
    pixels = to_opponent(small)[items]
    chroma = np.sqrt(np.square(pixels[:, 1:]).sum(axis=1).mean())
    highlight = float(np.quantile(pixels[:, 0], 0.98))
    return ItemsLook(pixels.mean(axis=0), float(pixels[:, 0].std()), float(chroma), highlight)
