"""The shopping list beside the photo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from rpc.pictures.lettering import Lettering
from rpc.pictures.palette import FAINT, INK, LINE, MISSED, PAPER, Colour, ink_on

WIDTH = 440  # px
MARGIN = 22
ROW = 34
HEAD = 104
FOOT = 60
LEGEND_ROW = 22
TEXT = 18


@dataclass(frozen=True)
class Line:
    """One SKU of the list.

    Attributes:
        number: the tag's number on the photo.
        name: what the SKU is called.
        colour: of its number.
        count: items read.
        truth: items that are there; None where nobody knows.
    """

    number: int
    name: str
    colour: Colour
    count: int
    truth: int | None = None


def least_height(lines: int, legend: int) -> int:
    """Pixels that so many lines and entries of the legend need."""
    return HEAD + max(lines, 1) * ROW + FOOT + legend * LEGEND_ROW


def draw_panel(
    height: int,
    lines: Sequence[Line],
    lettering: Lettering,
    *,
    title: str,
    verdict: str = "",
    legend: Sequence[tuple[str, Colour]] = (),
) -> Image.Image:
    """The list as a picture `WIDTH` x `height`; lines that do not fit are summed up in one.

    Args:
        height: pixels.
        lines: the SKUs, in the order they are to be shown.
        lettering: the fonts.
        title: heading.
        verdict: a line below it.
        legend: what colours mean, at the foot.
    """
    image = Image.new("RGB", (WIDTH, height), PAPER)
    draw = ImageDraw.Draw(image)
    writer = _Writer(draw, lettering)
    writer.write((MARGIN, 38), title, 26, INK)
    writer.write((MARGIN, 72), verdict, 16, FAINT)
    room = max(1, (height - least_height(1, len(legend))) // ROW + 1)
    shown = list(lines) if len(lines) <= room else list(lines[: room - 1])
    top = HEAD
    for line in shown:
        _draw_line(draw, writer, top, line)
        top += ROW
    if len(shown) < len(lines):
        left = lines[len(shown) :]
        rest = f"and {len(left)} more SKUs, {sum(line.count for line in left)} items"
        writer.write((MARGIN, top + ROW / 2), rest, TEXT, FAINT)
        top += ROW
    if not lines:
        writer.write((MARGIN, top + ROW / 2), "nothing on the tray", TEXT, FAINT)
        top += ROW
    draw.line((MARGIN, top + 8, WIDTH - MARGIN, top + 8), fill=INK, width=2)
    writer.write((MARGIN, top + 30), "items", TEXT, INK)
    writer.write((WIDTH - MARGIN, top + 30), f"{sum(line.count for line in lines)}", 22, INK, "rm")
    _draw_legend(draw, writer, height, legend)
    return image


class _Writer:
    """Writes text that fits, in a font that has its letters."""

    def __init__(self, draw: ImageDraw.ImageDraw, lettering: Lettering) -> None:
        self._draw = draw
        self._lettering = lettering

    def write(
        self,
        at: tuple[float, float],
        text: str,
        size: int,
        colour: Colour,
        anchor: str = "lm",
        room: float = WIDTH - 2 * MARGIN,
    ) -> None:
        text = self._lettering.fit(text, size, room)
        font = self._lettering.font(text, size)
        self._draw.text(at, text, fill=colour, font=font, anchor=anchor)


def _draw_line(draw: ImageDraw.ImageDraw, writer: _Writer, top: float, line: Line) -> None:
    middle = top + ROW / 2
    chip = (MARGIN, middle - 11, MARGIN + 32, middle + 11)
    draw.rounded_rectangle(chip, radius=5, fill=line.colour)
    writer.write((MARGIN + 16, middle), str(line.number), 15, ink_on(line.colour), "mm")
    count, wrong = f"x {line.count}", line.truth is not None and line.truth != line.count
    if wrong:
        count = f"x {line.count}, not {line.truth}"
    ink = MISSED if wrong else INK
    writer.write((WIDTH - MARGIN, middle), count, TEXT, ink, "rm")
    # Room for the longest count that is common; the name takes the rest.
    room = WIDTH - 2 * MARGIN - 44 - (112 if wrong else 52)
    writer.write((MARGIN + 44, middle), line.name, TEXT, ink, room=room)
    draw.line((MARGIN, top + ROW, WIDTH - MARGIN, top + ROW), fill=LINE)


def _draw_legend(
    draw: ImageDraw.ImageDraw,
    writer: _Writer,
    height: int,
    legend: Sequence[tuple[str, Colour]],
) -> None:
    top = height - 14 - LEGEND_ROW * len(legend)
    for text, colour in legend:
        draw.rectangle((MARGIN, top, MARGIN + 18, top + 12), outline=colour, width=3)
        writer.write((MARGIN + 28, top + 6), text, 14, FAINT)
        top += LEGEND_ROW
