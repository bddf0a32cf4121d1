"""Colours of pictures, as RGB 0 to 255."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

Colour = tuple[int, int, int]

PAPER: Final[Colour] = (250, 250, 248)
INK: Final[Colour] = (32, 36, 42)
FAINT: Final[Colour] = (122, 128, 136)
LINE: Final[Colour] = (222, 224, 226)
RIGHT: Final[Colour] = (34, 150, 83)
MISSED: Final[Colour] = (222, 36, 46)
EXTRA: Final[Colour] = (240, 130, 0)
CONFUSED: Final[Colour] = (190, 30, 190)
QUESTION: Final[Colour] = (255, 190, 0)

# Far from each other and from the white board; neighbours in the list differ in hue and lightness.
SKU_COLOURS: Final[tuple[Colour, ...]] = (
    (31, 119, 200),
    (235, 110, 20),
    (40, 150, 70),
    (205, 40, 60),
    (125, 80, 190),
    (150, 95, 50),
    (220, 90, 180),
    (20, 150, 165),
    (170, 165, 20),
    (75, 85, 100),
    (90, 200, 110),
    (20, 60, 140),
    (250, 175, 30),
    (110, 20, 60),
    (100, 175, 240),
    (130, 130, 70),
    (250, 130, 120),
    (0, 95, 85),
    (180, 140, 235),
    (60, 45, 20),
)


def sku_colours(labels: Iterable[int]) -> dict[int, Colour]:
    """A colour for each label of one picture: no two alike up to 20 SKUs.

    A SKU keeps its colour from picture to picture unless another SKU of the picture holds it.
    """
    colours: dict[int, Colour] = {}
    count = len(SKU_COLOURS)
    for label in sorted(set(labels)):
        wanted = (SKU_COLOURS[(label + step) % count] for step in range(count))
        free = (colour for colour in wanted if colour not in colours.values())
        colours[label] = next(free, SKU_COLOURS[label % count])
    return colours


def ink_on(colour: Colour) -> Colour:
    """Black or white, whichever is read better on `colour`."""
    red, green, blue = colour
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 150 else (255, 255, 255)
