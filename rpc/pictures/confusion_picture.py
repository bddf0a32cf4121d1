"""Classes taken for each other, as a picture: rows what it was, columns what it was named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rpc.pictures.lettering import Lettering
from rpc.pictures.palette import FAINT, INK, LINE, MISSED, PAPER, Colour, ink_on

CELL: Final = 34  # px
NAMES: Final = 330
TOP: Final = 62
TEXT: Final = 15
GAP: Final = 12


def confusion_picture(block: Mapping[str, Any], title: str) -> NDArray[np.uint8]:
    """A heat map of a block of `rpc.reporting.evaluation.look_alikes.look_alikes`.

    Args:
        block: `skus` (S names), `families` (S), `times` (S, S).
        title: heading.

    Returns:
        A picture (H, W, 3).
    """
    names = block["skus"]
    count = len(names)
    times = np.asarray(block["times"], np.int64).reshape(count, count)
    width = max(NAMES + CELL * count + 2 * GAP, 700)
    sheet = Image.new("RGB", (width, TOP + CELL * max(count, 1) + GAP), PAPER)
    draw, lettering = ImageDraw.Draw(sheet), Lettering()
    _write(draw, lettering, (GAP, 20), title, INK, width - 2 * GAP, size=19)
    if count == 0:
        _write(draw, lettering, (GAP, TOP), "nothing was confused", FAINT, width)
    most = max(int(times.max(initial=0)), 1)
    for row, name in enumerate(names):
        y = TOP + CELL * row
        label = f"{lettering.plain(str(name)) or '#'}  {row + 1}"
        _write(draw, lettering, (NAMES, y + CELL / 2), label, INK, NAMES - GAP, "rm")
        if row and block["families"][row] != block["families"][row - 1]:
            draw.line((GAP, y, NAMES + GAP + CELL * count, y), fill=FAINT, width=2)
        across = NAMES + GAP + CELL * (row + 0.5)
        _write(draw, lettering, (across, TOP - 10), str(row + 1), FAINT, CELL, "mm")
        for column in range(count):
            x, number = NAMES + GAP + CELL * column, int(times[row, column])
            fill = LINE if row == column else _shade(number / most)
            draw.rectangle((x, y, x + CELL - 2, y + CELL - 2), fill=fill)
            if number:
                at = (x + CELL / 2 - 1, y + CELL / 2 - 1)
                _write(draw, lettering, at, str(number), ink_on(fill), CELL, "mm")
    return np.asarray(sheet).copy()


def _shade(share: float) -> Colour:
    """From white to the colour of errors."""
    if share == 0:
        return (255, 255, 255)
    strength = 0.2 + 0.8 * share
    red, green, blue = (round(255 + strength * (part - 255)) for part in MISSED)
    return red, green, blue


def _write(
    draw: ImageDraw.ImageDraw,
    lettering: Lettering,
    at: tuple[float, float],
    text: str,
    colour: Colour,
    room: float,
    anchor: str = "lm",
    size: int = TEXT,
) -> None:
    fitted = lettering.fit(text, size, room)
    draw.text(at, fitted, fill=colour, font=lettering.font(fitted, size), anchor=anchor)
