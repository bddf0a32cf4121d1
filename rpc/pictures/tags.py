"""Boxes with their tags on a photo: dashed or whole, and placed where they hide little."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PIL import ImageDraw

from rpc.pictures.lettering import Lettering
from rpc.pictures.palette import Colour, ink_on

Box = tuple[float, float, float, float]

PADDING = 5
LEAST_WIDTH = 150  # a tag may be that wide, even on a narrower box


@dataclass(frozen=True)
class Mark:
    """One box to draw.

    Attributes:
        box: xyxy in pixels of the picture.
        text: what the tag says; no tag where it is empty.
        colour: of the outline and the tag.
        width: of the outline in pixels.
        dashed: an outline of dashes.
    """

    box: Box
    text: str
    colour: Colour
    width: int = 3
    dashed: bool = False


class TagPainter:
    """Draws marks on a picture; tags stay inside it and off each other where there is room."""

    def __init__(
        self, draw: ImageDraw.ImageDraw, size: tuple[int, int], lettering: Lettering, text_size: int
    ) -> None:
        self._draw = draw
        self._width, self._height = size
        self._lettering = lettering
        self._text_size = text_size
        self._taken: list[Box] = []

    def outline(self, mark: Mark) -> None:
        """Draw the box; a dark line around it keeps it visible on any ground."""
        x1, y1, x2, y2 = self._inside(mark.box)
        if mark.dashed:
            for line in _dashes((x1, y1, x2, y2), 12, 8):
                self._draw.line(line, fill=mark.colour, width=mark.width)
            return
        self._draw.rectangle((x1 - 1, y1 - 1, x2 + 1, y2 + 1), outline=(0, 0, 0), width=1)
        self._draw.rectangle((x1, y1, x2, y2), outline=mark.colour, width=mark.width)

    def tag(self, mark: Mark) -> None:
        """Write the text at the box, cut where it would be too long."""
        x1, _, x2, _ = mark.box
        room = min(max(x2 - x1, LEAST_WIDTH), self._width) - 2 * PADDING
        text = self._lettering.fit(mark.text, self._text_size, room)
        if not text:
            return
        width = self._lettering.width(text, self._text_size) + 2 * PADDING
        height = self._text_size + PADDING + 1
        place = min(self._places(mark.box, width, height), key=self._hidden)
        self._taken.append(place)
        self._draw.rounded_rectangle(place, radius=4, fill=mark.colour)
        self._draw.text(
            (place[0] + PADDING, (place[1] + place[3]) / 2),
            text,
            fill=ink_on(mark.colour),
            font=self._lettering.font(text, self._text_size),
            anchor="lm",
        )

    def _places(self, box: Box, width: float, height: float) -> Iterator[Box]:
        """Where a tag may go: on top of the box, inside, below, at either end."""
        x1, y1, x2, y2 = box
        for y in (y1 - height, y1, y2 - height, y2, (y1 + y2 - height) / 2):
            for x in (x1, x2 - width):
                left = min(max(x, 0), self._width - width)
                top = min(max(y, 0), self._height - height)
                yield left, top, left + width, top + height

    def _hidden(self, place: Box) -> float:
        """Area in square pixels of earlier tags under this place."""
        return sum(
            max(0, min(place[2], t[2]) - max(place[0], t[0]))
            * max(0, min(place[3], t[3]) - max(place[1], t[1]))
            for t in self._taken
        )

    def _inside(self, box: Box) -> Box:
        """The box cut to the picture, with a line's width of room."""
        x1, y1, x2, y2 = box
        x1, y1 = min(max(x1, 1), self._width - 3), min(max(y1, 1), self._height - 3)
        return x1, y1, max(x1, min(x2, self._width - 2)), max(y1, min(y2, self._height - 2))


def _dashes(box: Box, length: float, gap: float) -> Iterator[Box]:
    """The dashes of a box's outline as lines (x1, y1, x2, y2)."""
    x1, y1, x2, y2 = box
    at = x1
    while at < x2:
        end = min(at + length, x2)
        yield from ((at, y1, end, y1), (at, y2, end, y2))
        at += length + gap
    at = y1
    while at < y2:
        end = min(at + length, y2)
        yield from ((x1, at, x1, end), (x2, at, x2, end))
        at += length + gap
