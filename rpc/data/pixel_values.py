"""Pixels of more or other than 8 bits a value, as photos of 8 bits: scaled by what is found.

Cameras for machines write 10, 12 or 14 bits into 16; programs write fractions of white. Whoever
takes the high byte of such values alone gets a black photo.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

BITS: Final = (8, 10, 12, 14, 16, 24, 31)  # how many of a file's bits cameras and programs use
STRIP: Final = 4_000_000  # values that are converted at a time
EXPORT: Final = "export the photo with 8 bits a value"
UNIT: Final = 1.01  # fractions of white may pass 1 a little, by the rounding of filters
# 0 to so much, as integers or as float, is a label map or a mask rather than a photo.
FEWEST: Final = 16


def to_8_bit(
    values: NDArray[Any], bits: int | None = None, *, white_is_zero: bool = False
) -> tuple[NDArray[np.uint8], str]:
    """Values of any type as 8 bits, and a note of how they were scaled.

    Args:
        values: (H, W) or (H, W, C), integers or float.
        bits: that each value has; None finds it from the largest value.
        white_is_zero: 0 is white, as some scanners write it.

    Raises:
        ValueError: the values are no photo's: negative, not finite, or in a range of which nobody
            can say what is white.
    """
    if values.dtype.kind == "f":
        white, note = _white_of_float(values)
    else:
        white, note = _white_of_integers(values, bits)
    out = np.empty(values.shape, np.uint8)
    rows = max(1, STRIP // max(1, int(np.prod(values.shape[1:]))))
    for top in range(0, len(values), rows):
        part = values[top : top + rows]
        if white == 65_535 and part.dtype.kind != "f":
            out[top : top + rows] = part.clip(0, 65_535) >> 8  # the high byte, as everybody does
        else:
            scaled = part.astype(np.float64) * (255.0 / white)
            out[top : top + rows] = np.rint(scaled).clip(0, 255)
    return (255 - out if white_is_zero else out), note


def _white_of_integers(values: NDArray[Any], bits: int | None) -> tuple[float, str]:
    """The value of white, and a note."""
    low, high = int(values.min()), int(values.max())
    if low < 0:
        raise ValueError(f"signed values from {low:,} to {high:,}: {EXPORT}")
    if bits is None and high < FEWEST:
        raise ValueError(
            f"integers from {low} to {high}: a mask or a map of labels, or a black photo: {EXPORT}"
        )
    found = bits or next((n for n in BITS if high < 1 << n), 32)
    size = 8 * values.dtype.itemsize
    if found == size == 16 or found == 8:
        what = "scaled to 8" if found == 16 else "taken as 8 bits"
        return float((1 << found) - 1), f"{size} bits a value, {what}"
    guess = "" if bits else f", the largest {high:,}: taken as {found} bits and"
    return float((1 << found) - 1), f"{bits or size} bits a value{guess} scaled to 8"


def _white_of_float(values: NDArray[Any]) -> tuple[float, str]:
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low) or not np.isfinite(high):
        raise ValueError(f"float values that are not finite: {EXPORT}")
    if low < -0.01 * max(high, 1):
        raise ValueError(f"float values from {low:.3g} to {high:.3g}: negative: {EXPORT}")
    for white in (1.0, 255.0, 65_535.0):
        # Between 1 and 16 nobody can say whether 1 or 255 is white.
        if high <= white * UNIT and (white == 1 or high >= FEWEST):
            return white, f"float values up to {high:.4g}: taken as 0 to {white:g} and scaled"
    raise ValueError(
        f"float values from {low:.3g} to {high:.3g}: neither 0 to 1, 0 to 255 nor 0 to 65,535: "
        f"{EXPORT}"
    )
