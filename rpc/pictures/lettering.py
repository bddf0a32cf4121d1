"""Names on pictures: in any script a font is there for, else the category id and plain letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from PIL import ImageFont

from rpc.data import Category, DataError

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Files that systems commonly have, for what Pillow's own font (plain Latin) lacks.
SYSTEM_FONTS: Final = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "msyh.ttc",
    "PingFang.ttc",
    "DejaVuSans.ttf",
    "arial.ttf",
)
_MISSING = "\U000f0000"  # for private use: no font draws it, so it shows the "missing" box


class Lettering:
    """Chooses a font that has all letters of a text.

    Args:
        font: a TrueType or OpenType file that is tried first.
        system: names of installed fonts that are tried last; those not there are passed over.

    Raises:
        DataError: `font` is missing or not a font.
    """

    def __init__(self, font: str | Path | None = None, system: Sequence[str] = SYSTEM_FONTS):
        if font is not None and _load(str(font), 12) is None:
            raise DataError(f"{font}: not a font that can be read; give a .ttf, .otf or .ttc file")
        self._names = ([str(font)] if font is not None else []) + [""] + list(system)

    def font(self, text: str, size: int) -> Font:
        """The first font with all letters of `text`, else the one tried first; `size` in pixels."""
        fonts = (_load(name, size) for name in self._names)
        good = (font for font in fonts if font is not None and _has(font, text))
        return next(good, None) or _load(self._names[0], size) or ImageFont.load_default(size)

    def can_draw(self, text: str) -> bool:
        """Whether some font has all letters of `text`."""
        return _has(self.font(text, 12), text)

    def name(self, category: Category) -> str:
        """How a SKU is called on a picture: its title, else its name, else `#id` and what is left.

        Where no font has its accents, a name goes without them (café, cafe).
        """
        names = [name for name in (category.title, category.name) if name.strip()]
        drawable = (self._drawable(name) for name in names)
        number = str(category.id)
        # What is left of "12_膨化食品 200 g" of SKU 12 is "#12 200 g".
        rest = [word for word in _ascii_words(names[-1]) if word != number]
        return next((name for name in drawable if name), " ".join([f"#{number}", *rest]))

    def plain(self, text: str) -> str:
        """`text` as far as it can be drawn: without accents, or its plain letters alone."""
        return self._drawable(text) or " ".join(_ascii_words(text))

    def _drawable(self, text: str) -> str | None:
        """`text` on one line, with or without its accents; None where no font has its letters."""
        line = " ".join(text.split())
        return next((t for t in (line, _without_accents(line)) if self.can_draw(t)), None)

    def width(self, text: str, size: int) -> float:
        """Width of `text` in pixels."""
        return float(self.font(text, size).getlength(text))

    def fit(self, text: str, size: int, width: float) -> str:
        """`text`, cut with an ellipsis where it is wider than `width` pixels."""
        if self.width(text, size) <= width:
            return text
        for end in range(len(text) - 1, 0, -1):
            shorter = text[:end].rstrip() + "…"
            if self.width(shorter, size) <= width:
                return shorter
        return ""


@lru_cache(maxsize=256)
def _load(name: str, size: int) -> Font | None:
    """The font of this file name at this size; `""` is Pillow's own; None where there is none."""
    if not name:
        return ImageFont.load_default(size)
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


def _has(font: Font, text: str) -> bool:
    missing = _picture(font, _MISSING)
    return all(letter == " " or _picture(font, letter) != missing for letter in set(text))


@lru_cache(maxsize=4096)
def _picture(font: Font, letter: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)


def _without_accents(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _ascii_words(text: str) -> list[str]:
    kept = "".join(letter if letter.isascii() and letter.isprintable() else " " for letter in text)
    return [word for word in (part.strip("_-.,;()[]") for part in kept.split()) if word]
