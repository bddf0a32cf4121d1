"""Numbers of trade items, as barcodes carry them."""

from __future__ import annotations

from typing import Final

DIGITS: Final = (8, 12, 13, 14)  # of EAN-8, UPC-A, EAN-13 and ITF-14


def gtin(text: object) -> str | None:
    """The 14 digits of a trade item's number; None where the text is no such number.

    Example:
        >>> gtin("4006381333931"), gtin("4006381333932"), gtin("tea")
        ('04006381333931', None, None)
    """
    code = str(text).strip()
    if len(code) not in DIGITS or not (code.isascii() and code.isdigit()) or not code.strip("0"):
        return None
    full = code.zfill(14)
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(full))
    return full if total % 10 == 0 else None
