"""Boxes around the shapes that tools draw: polygons, rotated boxes, ellipses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rpc.data.records import Box


def number(value: object) -> float:
    """A finite number, also from text.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"expected a number, got {value!r:.40}")
    try:
        result = float(value)
    except OverflowError as error:
        raise ValueError(f"expected a number, got {value!r:.40}") from error
    if not math.isfinite(result):
        raise ValueError(f"expected a finite number, got {value!r:.40}")
    return result


def box_around(points: Iterable[Sequence[object]]) -> Box:
    """The box around points (x, y).

    Raises:
        ValueError: there is none, or one is no pair of numbers.
    """
    pairs = [(number(x), number(y)) for x, y in points]
    if not pairs:
        raise ValueError("expected points, got none")
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    return min(xs), min(ys), max(xs), max(ys)


def box_of_flat(values: Sequence[object]) -> Box:
    """The box around a polygon written as x1, y1, x2, y2, ...

    Raises:
        ValueError: the number of values is odd, or one is no number.
    """
    if len(values) % 2:
        raise ValueError(f"expected pairs of numbers, got {len(values)} numbers")
    return box_around(zip(values[::2], values[1::2], strict=True))


def rotated_box(box: Box, degrees: float, about: tuple[float, float] | None = None) -> Box:
    """The upright box around a box that is turned clockwise.

    Args:
        box: before it is turned.
        degrees: clockwise, as y points down.
        about: the point that stays; the centre by default.
    """
    x1, y1, x2, y2 = box
    x0, y0 = about if about is not None else ((x1 + x2) / 2, (y1 + y2) / 2)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return box_around(
        (x0 + (x - x0) * cos - (y - y0) * sin, y0 + (x - x0) * sin + (y - y0) * cos)
        for x, y in ((x1, y1), (x2, y1), (x2, y2), (x1, y2))
    )


def ellipse_box(x: float, y: float, rx: float, ry: float, degrees: float = 0.0) -> Box:
    """The box around an ellipse whose axes are turned clockwise."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    half_width = math.hypot(rx * cos, ry * sin)
    half_height = math.hypot(rx * sin, ry * cos)
    return x - half_width, y - half_height, x + half_width, y + half_height


def joined(boxes: Sequence[Box]) -> Box:
    """The box around boxes, one or more."""
    x1, y1, x2, y2 = zip(*boxes, strict=True)
    return min(x1), min(y1), max(x2), max(y2)
