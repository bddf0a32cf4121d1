"""Words printed in many typefaces, as wide or narrow as a package's maker likes them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

# Of the fonts that come with matplotlib (free to use), those whose capitals are letters.
FACES: Final = tuple(
    "DejaVuSans DejaVuSans-Bold DejaVuSans-BoldOblique DejaVuSansMono-Bold DejaVuSerif "
    "DejaVuSerif-Bold DejaVuSerif-BoldItalic STIXGeneral STIXGeneralBol STIXGeneralBolIta "
    "cmb10 cmss10 cmtt10".split()
)
DRAWN: Final = 96  # pixels of a letter before it is brought to its size


@dataclass(frozen=True)
class Lettering:
    """How words are printed.

    Attributes:
        face: of `FACES`.
        stretch: height of the letters over what the face has at the same width.
        capitals: else only the first letter of a word is one.
    """

    face: str
    stretch: float
    capitals: bool

    @classmethod
    def drawn(cls, chance: np.random.Generator) -> Lettering:
        """One by chance."""
        face = FACES[int(chance.integers(len(FACES)))]
        stretch = float(np.exp(chance.uniform(np.log(0.75), np.log(1.9))))
        return cls(face, stretch, bool(chance.random() < 0.6))


def letter(
    picture: Image.Image,
    words: str,
    centre: tuple[float, float],
    size: tuple[float, float],
    colour: tuple[int, ...],
    lettering: Lettering,
) -> None:
    """Print words around `centre` (x, y), no wider and no higher than `size`, all in pixels."""
    mask = _mask(words.upper() if lettering.capitals else words.title(), lettering.face)
    width, height = mask.width, mask.height * lettering.stretch
    scale = size[0] / width
    height = min(height * scale, size[1])
    shape = (max(round(width * scale), 1), max(round(height), 1))
    small = mask.resize(shape, Image.Resampling.LANCZOS)
    corner = (round(centre[0] - shape[0] / 2), round(centre[1] - shape[1] / 2))
    picture.paste(colour, (*corner, corner[0] + shape[0], corner[1] + shape[1]), small)


@cache
def _mask(words: str, face: str) -> Image.Image:
    """The words in white on black, without a margin."""
    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{face}.ttf"
    font = ImageFont.truetype(str(file), DRAWN)
    left, top, right, bottom = font.getbbox(words)
    image = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2))
    ImageDraw.Draw(image).text((1 - left, 1 - top), words, fill=255, font=font)
    return image
