"""Forms and scales in which four numbers may be a box, and which of them fits the items.

The format asks for x, y, width, height in pixels of the upright photo. A candidate is a form, a
scale and perhaps a turn; it fits where boxes that lie on no item as given lie on one when they are
read so, more often than chance puts them there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from rpc.data.suspicion import Suspicion, share_text
from rpc.metrics.suspicions.sample import BoolArray, BoxSample, is_beyond_chance, xywh_corners
from rpc.structures.boxes import FloatArray

Form = Callable[[FloatArray], FloatArray]
Scale = Callable[[FloatArray, FloatArray, float], FloatArray]  # corners, sizes by box, factor

LEAST_SHARE: Final = 0.15  # of the boxes that lie on no item as given
LEAST_OF_ALL: Final = 0.1
LEAST_BOXES: Final = 4
CLEARLY_OTHER: Final = 0.12  # factors within 12 % of 1 are a loose detector, not another scale
CANDIDATES: Final = 400  # an upper bound of what is tried, for the test against chance
STEPS: Final = np.exp(np.linspace(-0.25, 0.25, 11))
# Round factors that are common, each with how it is said.
SIDES: Final = (224, 256, 300, 320, 384, 416, 448, 480, 512, 576, 608, 640, 672, 704, 736, 768, 800,
                832, 864, 896, 928, 960, 1000, 1024, 1088, 1152, 1216, 1280, 1333, 1344, 1408, 1472,
                1536, 1600, 1664, 1920, 2048)  # fmt: skip

FORMS: Final[dict[str, Form]] = {
    "x, y, width, height": xywh_corners,
    "x1, y1, x2, y2 (corners)": lambda b: b,
    "centre x, centre y, width, height": lambda b: np.concatenate(
        [b[:, :2] - b[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2], axis=1
    ),
    "y, x, height, width": lambda b: xywh_corners(b[:, [1, 0, 3, 2]]),
    "y1, x1, y2, x2 (corners, y first)": lambda b: b[:, [1, 0, 3, 2]],
    "x1, x2, y1, y2": lambda b: b[:, [0, 2, 1, 3]],
}


@dataclass(frozen=True, eq=False)
class Candidate:
    """One way to read the boxes.

    Attributes:
        name: how it is said.
        corners: (M, 4) x1, y1, x2, y2 in pixels of the photo.
    """

    name: str
    corners: FloatArray


def boxes_in_another_form(sample: BoxSample) -> Suspicion | None:
    """Boxes that fit the items in another form or scale, and which one fits."""
    off = ~sample.as_given
    fit = fitting_form(sample, off)
    if fit is None:
        return None
    count = int((off & sample.on_items(fit.corners)).sum())
    of = len(sample)
    return Suspicion(
        "boxes_in_another_form",
        f"{share_text(int(off.sum()), of, 'boxes looked at')} lie on no item; read as {fit.name}, "
        f"{share_text(count, int(off.sum()), 'of them')} do",
        "the results need [x, y, width, height] in pixels of the upright photo: convert the boxes "
        "and score them again",
        count=count,
        of=of,
    )


def fitting_form(sample: BoxSample, off: BoolArray) -> Candidate | None:
    """The way to read the boxes in which the most of those off the items lie on one."""
    number = int(off.sum())
    if number < max(LEAST_BOXES, LEAST_OF_ALL * len(sample)):
        return None
    best, hits = None, 0
    for candidate in candidates(sample, off):
        found = int((off & sample.on_items(candidate.corners)).sum())
        if found > 1.02 * hits:  # of equal ones the first: the plainest
            best, hits = candidate, found
    if best is None or hits < max(LEAST_BOXES, LEAST_SHARE * number, LEAST_OF_ALL * len(sample)):
        return None
    chance = sample.chance(best.corners)
    if hits / number < 3 * chance or not is_beyond_chance(hits, number, chance, CANDIDATES):
        return None
    return best


def candidates(sample: BoxSample, off: BoolArray) -> Iterator[Candidate]:
    """Ways to read the boxes, the plainest first.

    Args:
        sample: boxes and items.
        off: (M,) the boxes by which scales are estimated: those that lie on no item as given.
    """
    sizes = sample.sizes[sample.rows]
    for name, form in list(FORMS.items())[1:]:
        yield Candidate(f"{name} in pixels", form(sample.boxes))
    yield from _scaled(sample, off, sizes)
    yield from _turned(sample.boxes, sizes)
    shift = _shift(sample, off)
    if shift is not None:
        x, y = shift
        moved = xywh_corners(sample.boxes) - np.tile(shift, 2)
        yield Candidate(f"boxes moved by {x:+.0f}, {y:+.0f} px", moved)


def _scaled(sample: BoxSample, off: BoolArray, sizes: FloatArray) -> Iterator[Candidate]:
    """Every form at every kind of scale, by factors near what the sizes of boxes say."""
    widest = sizes.max(axis=1, keepdims=True)
    for name, form in FORMS.items():
        corners = form(sample.boxes)
        for kind, scale, unit in (
            ("plain", _plain, np.ones_like(sizes)),
            ("stretched", _stretched, sizes),
            ("letterbox", _letterbox, np.tile(widest, 2)),
            ("longest", _longest, np.tile(widest, 2)),
        ):
            factor = _factor(sample, corners, off, unit)
            if factor is None or (kind == "plain" and name == "x, y, width, height"
                                  and abs(np.log(factor)) < CLEARLY_OTHER / 3):  # fmt: skip
                continue
            for tried in _near(factor, kind):
                if kind == "plain" and abs(np.log(tried)) < CLEARLY_OTHER:
                    continue
                yield Candidate(f"{name} {_said(kind, tried)}", scale(corners, sizes, tried))


def _plain(corners: FloatArray, sizes: FloatArray, factor: float) -> FloatArray:
    return corners / factor


def _stretched(corners: FloatArray, sizes: FloatArray, factor: float) -> FloatArray:
    return np.asarray(corners / factor * np.tile(sizes, 2))


def _longest(corners: FloatArray, sizes: FloatArray, factor: float) -> FloatArray:
    return np.asarray(corners / factor * sizes.max(axis=1, keepdims=True))


def _letterbox(corners: FloatArray, sizes: FloatArray, factor: float) -> FloatArray:
    ratio = factor / sizes.max(axis=1, keepdims=True)
    padding = (factor - sizes * ratio) / 2
    return np.asarray((corners - np.tile(padding, 2)) / ratio)


def _said(kind: str, factor: float) -> str:
    """A scale in words."""
    whole = f"{factor:.0f}" if factor >= 100 else f"{factor:.3g}"
    if kind == "plain":
        return f"in pixels of a photo scaled by {factor:.3g}"
    if kind == "stretched":
        if factor == 1:
            return "from 0 to 1 (normalised by width and height)"
        if factor in (100, 1000):
            return f"from 0 to {whole} (normalised by width and height)"
        return f"in pixels of a photo stretched to {whole} x {whole}"
    if kind == "letterbox":
        return f"in pixels of a {whole} x {whole} square with the photo in its middle (letterbox)"
    return f"in pixels of a photo whose longer side is {whole}"


def _near(factor: float, kind: str) -> list[float]:
    """Factors to try: round ones near the estimate first, then a grid about it."""
    known = [0.25, 0.5, 2.0, 4.0] if kind == "plain" else [1.0, 100.0, *map(float, SIDES)]
    close = [one for one in known if abs(np.log(one / factor)) < np.log(1.25)]
    if kind in ("letterbox", "longest"):
        close = [one for one in close if one >= SIDES[0]]
        return close
    return [*sorted(close, key=lambda one: abs(np.log(one / factor))), *(factor * STEPS).tolist()]


def _factor(
    sample: BoxSample, corners: FloatArray, off: BoolArray, unit: FloatArray
) -> float | None:
    """How many times as large as items the boxes are, in a unit (M, 2); None where unknown."""
    sides = corners[:, 2:] - corners[:, :2]
    good = off & (sides > 0).all(axis=1)
    if good.sum() < LEAST_BOXES or good.sum() < 0.5 * off.sum():
        return None
    of_item = unit[np.searchsorted(sample.rows, sample.item_rows).clip(max=len(sample) - 1)]
    items = (sample.items[:, 2:] - sample.items[:, :2]) / of_item
    there = np.isin(sample.item_rows, sample.rows[good]) & (items > 0).all(axis=1)
    if not there.any():
        return None
    mine = np.median(np.log(sides[good]).mean(axis=1))
    return float(np.exp(mine - np.median(np.log(items[there]).mean(axis=1))))


def _turned(boxes: FloatArray, sizes: FloatArray) -> Iterator[Candidate]:
    """Boxes of the photo as it is stored, before its EXIF turn; mirrored ones."""
    x1, y1, x2, y2 = xywh_corners(boxes).T
    wide, high = sizes.T
    turns = {
        "a photo turned left by 90 degrees": (wide - y2, x1, wide - y1, x2),
        "a photo turned right by 90 degrees": (y1, high - x2, y2, high - x1),
        "a photo turned by 180 degrees": (wide - x2, high - y2, wide - x1, high - y1),
        "a photo mirrored left to right": (wide - x2, y1, wide - x1, y2),
        "a photo mirrored top to bottom (y upwards)": (x1, high - y2, x2, high - y1),
    }
    for name, corners in turns.items():
        yield Candidate(f"boxes of {name}", np.stack(corners, axis=1))


def _shift(sample: BoxSample, off: BoolArray) -> FloatArray | None:
    """The constant by which boxes lie beside items; None where it is small or unknown."""
    if off.sum() < LEAST_BOXES:
        return None
    centres = xywh_corners(sample.boxes)
    centres = (centres[:, :2] + centres[:, 2:]) / 2
    items = (sample.items[:, :2] + sample.items[:, 2:]) / 2
    images = np.unique(sample.rows[off])
    steps = [
        centres[off & (sample.rows == image)].mean(axis=0)
        - items[sample.item_rows == image].mean(0)
        for image in images.tolist()
        if (sample.item_rows == image).any()
    ]
    if not steps:
        return None
    shift = np.asarray(np.median(steps, axis=0))
    usual = np.median(sample.items[:, 2:] - sample.items[:, :2])
    return shift if np.abs(shift).max() > usual / 4 else None
