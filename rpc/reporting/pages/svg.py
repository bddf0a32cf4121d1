"""Drawings inside a page: SVG elements as text, a scale, and the frame of a chart.

Drawn by hand rather than by a plotting library: a chart is a few kilobytes, keeps its letters as
text (any script, also when enlarged or printed), and the page needs nothing from elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from rpc.data.plain_text import plain_text

WIDTH: Final = 420  # px of the drawing: on a phone it is shown at about this size
INK: Final = "#20242a"
FAINT: Final = "#5d646d"
LINE: Final = "#d9dcdf"
BLUE: Final = "#1f5fa8"
ORANGE: Final = "#c05a00"
RED: Final = "#c8202c"


def element(name: str, text: object = "", **attributes: object) -> Markup:
    """One SVG element; `_` in an attribute's name stands for `-`. All text is escaped."""
    pairs = Markup("").join(
        Markup(' {}="{}"').format(Markup(key.replace("_", "-")), _plain(value))
        for key, value in attributes.items()
    )
    shown = plain_text(text) if not isinstance(text, Markup) else text
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), pairs, shown)


def words(x: float, y: float, text: object, **attributes: object) -> Markup:
    """Text at a place; `text_anchor` and `fill` as SVG has them."""
    return element("text", text, x=x, y=y, **({"fill": INK, "font_size": 13} | attributes))


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> Markup:
    """A straight line."""
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return element("line", **ends, **({"stroke": LINE} | attributes))


def path(points: Iterable[tuple[float, float]], **attributes: object) -> Markup:
    """A line through points, not filled."""
    steps = " ".join(f"{_plain(x)},{_plain(y)}" for x, y in points)
    style = {"fill": "none", "stroke": BLUE, "stroke_width": 2, "stroke_linejoin": "round"}
    return element("polyline", points=steps, **(style | attributes))


def drawing(parts: Iterable[Markup], height: float, alt: str) -> Markup:
    """The whole drawing; `alt` is what is read aloud in its place."""
    return element(
        "svg",
        Markup("").join([element("title", alt), *parts]),
        viewBox=f"0 0 {WIDTH} {_plain(height)}",
        role="img",
        aria_label=alt,
        xmlns="http://www.w3.org/2000/svg",
    )


@dataclass(frozen=True)
class Scale:
    """Values to pixels, in a straight line.

    Attributes:
        low: value at pixel `start`.
        high: value at pixel `end`; above `low`.
        start: px.
        end: px.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The pixel of a value; values beyond the ends are drawn at the ends."""
        inside = min(max(value, self.low), self.high)
        share = (inside - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values from low to high: steps of 1, 2 or 5 times a power of ten."""
        rough = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * n for n in (1, 2, 5, 10) if power * n >= rough * (1 - 1e-9))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def axis_x(scale: Scale, y: float, label: str, text: Callable[[float], str]) -> list[Markup]:
    """A horizontal axis with its values and what they are."""
    parts = [line(scale.start, y, scale.end, y, stroke=FAINT)]
    for value in scale.ticks():
        at = scale(value)
        parts += [line(at, y, at, y + 4, stroke=FAINT)]
        parts += [words(at, y + 18, text(value), text_anchor="middle", fill=FAINT)]
    middle = (scale.start + scale.end) / 2
    return [*parts, words(middle, y + 37, label, text_anchor="middle")]


def axis_y(
    scale: Scale, x: float, end: float, text: Callable[[float], str], *, colour: str = FAINT
) -> list[Markup]:
    """A vertical axis with its values and faint lines across to `end`; at the right, no lines."""
    parts = []
    for value in scale.ticks(5):
        at = scale(value)
        right = end <= x
        parts += [] if right else [line(x, at, end, at)]
        place = x + 6 if right else x - 6
        anchor = "start" if right else "end"
        parts.append(words(place, at + 4, text(value), text_anchor=anchor, fill=colour))
    return parts


def _plain(value: object) -> str:
    """Numbers with at most two decimals: smaller steps are not seen."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else plain_text(value)
