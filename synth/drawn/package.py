"""One invented package as an RGBA picture: an outline, a printed surface, shading.

A `design` (colours, emblem, words) belongs to a product; `view` changes what is seen of it: front,
back, end. Products of one family have the design in common and differ in a word, an accent, an
emblem. Nothing here aims at realism of one store: the point is variety, so that a detector
learns what a product on a tray is, whatever is printed on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from synth.drawn.body import folds, with_body
from synth.drawn.lettering import Lettering, letter

Form = Literal["carton", "pouch", "can", "bottle", "cup", "bar", "tube", "card"]
View = Literal["front", "back", "end"]
FORMS: tuple[Form, ...] = ("carton", "pouch", "can", "bottle", "cup", "bar", "tube", "card")
RGBA = NDArray[np.uint8]
_Colour = tuple[int, ...]

# Width over height of each form, lowest and highest.
_ASPECTS: dict[Form, tuple[float, float]] = {
    "carton": (0.5, 1.1),
    "pouch": (0.6, 0.95),
    "can": (0.45, 0.75),
    "bottle": (0.25, 0.42),
    "cup": (0.75, 1.1),
    "bar": (0.2, 0.4),
    "tube": (0.2, 0.35),
    "card": (0.6, 0.75),
}
_SYLLABLES = "ka lo mi zu fre sta pon do ri ve nu cho bel ta qui mo sal".split()


def draw_package(
    seed: int,
    product: int,
    view: View,
    variant: int,
    *,
    long_side: int = 224,
    sibling: int | None = None,
    lettered: bool = False,
    bodied: bool = False,
) -> RGBA:
    """Draw one view of an invented product.

    Args:
        seed: of the whole range of products.
        product: index; form, colours and print depend on (seed, product) only.
        view: "front", "back" (small print, bar code) or "end" (lid or bottom, from above).
        variant: index of the photo; light and dents depend on it too.
        long_side: longer side of the picture in pixels.
        sibling: index within a family of look-alikes, `product` being the family's; None for a
            product without one.
        lettered: print is made to be read from near: many typefaces, sorts of one or two words,
            in one place or another; otherwise one typeface and one word.
        bodied: with what a package has beside its print (`synth.drawn.body`), and bags that are
            crumpled and pulled at their corners; otherwise the print is all there is.

    Returns:
        (H, W, 4) uint8 RGBA, transparent outside the outline.
    """
    design = np.random.default_rng([seed, product])
    chance = np.random.default_rng([seed, product, ("front", "back", "end").index(view), variant])
    form = FORMS[int(design.integers(len(FORMS)))]
    aspect = float(np.exp(design.uniform(*np.log(_ASPECTS[form]))))
    palette = _palette(design)
    sort, art = design, design  # draw what tells one sibling from another: its word, its emblem
    if sibling is not None:
        sort = np.random.default_rng([seed, product, 100 + sibling])
        change = int(sort.integers(3))  # the word alone; emblem and accent; the second colour too
        palette = _sibling_palette(palette, sort, change)
        art = design if change == 0 else sort
    shade: NDArray[np.floating]
    if view == "end" and form in ("can", "cup", "bottle", "tube"):
        height = width = max(int(long_side * aspect), 24)
        surface = _print_lid(design, palette, width)
        alpha = _disc(width)
        shade = 1 + 0.1 * np.cos(np.linspace(0, np.pi, width))[None, :, None]
    else:
        height, width = long_side, max(int(long_side * aspect), 24)
        print_words = Words.drawn(seed, product, sibling) if lettered else None
        surface = _print_surface(
            (design, sort, art), chance, palette, width, height, view, print_words
        )
        alpha = _outline(form, chance, width, height)
        shade = _shade(form, chance, width, height)
        if bodied:
            body = np.random.default_rng([seed, product, 60])
            surface = with_body(form, surface, palette, body)
            if form in ("pouch", "bar"):
                shade = shade * folds(height, width, chance)
                alpha = _pulled(alpha, chance)
    lit = _gloss(np.clip(surface.astype(np.float32) * shade, 0, 255), chance)
    return np.dstack([lit.astype(np.uint8), alpha])


def _palette(design: np.random.Generator) -> NDArray[np.uint8]:
    """Five colours (5, 3): two strong ones, a light one, a dark one, an accent."""
    hue = design.integers(0, 180, size=3)
    hsv = np.array(
        [
            [hue[0], design.integers(90, 255), design.integers(90, 245)],
            [hue[1], design.integers(60, 255), design.integers(60, 245)],
            [hue[0], design.integers(0, 40), design.integers(215, 255)],
            [hue[1], design.integers(20, 120), design.integers(15, 70)],
            [hue[2], design.integers(120, 255), design.integers(150, 255)],
        ],
        dtype=np.uint8,
    )
    if design.random() < 0.25:  # white, grey and black packages are common and the hardest to see
        hsv[0, 1:] = (design.integers(0, 25), design.choice([30, 130, 200, 235, 250]))
    return np.asarray(cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0])


def _sibling_palette(
    palette: NDArray[np.uint8], sort: np.random.Generator, change: int
) -> NDArray[np.uint8]:
    """A family's colours (5, 3) for one sibling: as they are, another accent, or a second too."""
    changed = palette.copy()
    for row in (4, 1)[:change]:
        hsv = cv2.cvtColor(palette[None, row : row + 1], cv2.COLOR_RGB2HSV)
        hsv[..., 0] = sort.integers(0, 180)
        changed[row] = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0]
    return changed


def _word(design: np.random.Generator) -> str:
    return "".join(design.choice(_SYLLABLES, size=int(design.integers(2, 4)))).upper()


@dataclass(frozen=True)
class Words:
    """The name of a family and the sort of a sibling, and where they stand.

    Places are shares of the package's width and height.
    """

    name: str
    sort: str
    letterings: tuple[Lettering, Lettering]  # of the name, of the sort
    name_place: tuple[float, float]  # height on the package; width
    sort_place: tuple[float, float]
    plate: bool  # the sort stands on a plate

    @classmethod
    def drawn(cls, seed: int, family: int, sibling: int | None) -> Words:
        """Sorts are one word of their own, that word before one of the family, or the latter."""
        design = np.random.default_rng([seed, family, 50])
        own = np.random.default_rng([seed, family, 51])
        name, shared = _word(design), _word(design)
        taken = [shared]
        for _ in range(1 + (sibling or 0)):
            while (word := _word(own)) in taken:
                pass
            taken.append(word)
        sorts = (word, word, f"{word} {shared}", shared if sibling == 0 else f"{word} {shared}")
        below = design.random() < 0.7
        height = design.uniform(0.8, 0.92) if below else design.uniform(0.3, 0.42)
        return cls(
            name,
            sorts[int(design.integers(len(sorts)))],
            (Lettering.drawn(design), Lettering.drawn(design)),
            (float(design.uniform(0.1, 0.22)), float(design.uniform(0.6, 0.9))),
            (float(height), float(design.uniform(0.4, 0.8))),
            bool(design.random() < 0.6),
        )

    def on_front(self, picture: Image.Image, light: _Colour, dark: _Colour) -> None:
        """Print both large."""
        width, height = picture.size
        y, share = self.name_place
        letter(
            picture,
            self.name,
            (0.5 * width, y * height),
            (share * width, 0.14 * height),
            light,
            self.letterings[0],
        )
        y, share = self.sort_place
        ink = light
        if self.plate:
            half = (0.5 * share + 0.05) * width
            box = [0.5 * width - half, (y - 0.06) * height, 0.5 * width + half, (y + 0.06) * height]
            ImageDraw.Draw(picture).rectangle(box, light)
            ink = dark
        letter(
            picture,
            self.sort,
            (0.5 * width, y * height),
            (share * width, 0.09 * height),
            ink,
            self.letterings[1],
        )

    def on_back(self, picture: Image.Image, light: _Colour, ink: _Colour) -> None:
        """Print both small, above the small print."""
        width, height = picture.size
        words = f"{self.name} {self.sort}"
        place, size = (0.5 * width, 0.05 * height), (0.8 * width, 0.07 * height)
        letter(picture, words, place, size, light, self.letterings[0])
        place, size = (0.5 * width, 0.6 * height), (0.4 * width, 0.05 * height)
        letter(picture, self.sort, place, size, ink, self.letterings[1])


def _text(
    draw: ImageDraw.ImageDraw, words: str, centre: tuple[float, float], width: float, colour: object
) -> None:
    """Words as wide as `width` around `centre`."""
    size = max(int(1.7 * width / max(len(words), 1)), 6)
    font = ImageFont.load_default(size)
    draw.text(centre, words, fill=colour, font=font, anchor="mm")  # type: ignore[arg-type]


def _print_surface(
    sources: tuple[np.random.Generator, np.random.Generator, np.random.Generator],
    chance: np.random.Generator,
    palette: NDArray[np.uint8],
    width: int,
    height: int,
    view: View,
    lettered: Words | None,
) -> NDArray[np.uint8]:
    """The print on front, back or end: (H, W, 3).

    `sources` draw the design, the word and the emblem; without a family, all three are one.
    """
    design, sort, art = sources
    colours = [tuple(int(v) for v in colour) for colour in palette]
    base, second, light, dark, accent = colours
    picture = Image.new("RGB", (width, height), base)
    draw = ImageDraw.Draw(picture)
    name = _word(design)
    flavour = _word(sort)
    pattern = int(design.integers(5))
    step = max(int(design.uniform(0.06, 0.25) * height), 4)
    if pattern == 1:
        for y in range(-width, height, 2 * step):
            draw.polygon(
                [(0, y), (width, y + width), (width, y + width + step), (0, y + step)], second
            )
    elif pattern == 2:
        draw.rectangle([0, int(height * design.uniform(0.3, 0.7)), width, height], second)
    elif pattern == 3:
        for x in range(0, width, 2 * step):
            draw.rectangle([x, 0, x + step, height], second)
    elif pattern == 4:
        for _ in range(12):
            x, y = int(design.integers(width)), int(design.integers(height))
            r = int(design.integers(3, step + 4))
            draw.ellipse([x - r, y - r, x + r, y + r], second)
    if view == "back":
        pale = light if design.random() < 0.7 else base
        draw.rectangle([0.08 * width, 0.1 * height, 0.92 * width, 0.9 * height], pale)
        ink = dark if pale == light else light
        for row in np.arange(0.15, 0.55, 0.035) * height:
            x_end = width * chance.uniform(0.6, 0.88)
            draw.line([0.13 * width, row, x_end, row], ink, width=max(height // 120, 1))
        for bar in np.arange(0.5, 0.85, 0.025) * width:
            if chance.random() < 0.6:
                draw.line([bar, 0.65 * height, bar, 0.82 * height], ink, width=max(width // 60, 1))
        if lettered is not None:
            lettered.on_back(picture, light, ink)
            return np.asarray(picture)
        _text(draw, name, (0.5 * width, 0.05 * height), 0.5 * width, light)
        if sort is not design:
            _text(draw, flavour, (0.5 * width, 0.6 * height), 0.35 * width, ink)
        return np.asarray(picture)
    cx, cy = width * design.uniform(0.4, 0.6), height * design.uniform(0.5, 0.65)
    rx, ry = width * design.uniform(0.2, 0.45), height * design.uniform(0.12, 0.25)
    emblem = [cx - rx, cy - ry, cx + rx, cy + ry]
    if design.random() < 0.6:
        draw.ellipse(emblem, light)
    else:
        draw.rectangle(emblem, light)
    for _ in range(int(art.integers(3, 9))):
        dot_x, dot_y = cx + rx * art.uniform(-0.6, 0.6), cy + ry * art.uniform(-0.6, 0.6)
        dot = 0.3 * min(rx, ry) * art.uniform(0.5, 1.4)
        outline = [dot_x - dot, dot_y - dot, dot_x + dot, dot_y + dot]
        draw.ellipse(outline, accent, outline=dark)
    if lettered is not None:
        lettered.on_front(picture, light, dark)
        return np.asarray(picture)
    _text(draw, name, (0.5 * width, height * design.uniform(0.12, 0.25)), 0.85 * width, light)
    strip = height * design.uniform(0.82, 0.93)
    draw.rectangle(
        [0.12 * width, strip - 0.05 * height, 0.88 * width, strip + 0.05 * height], light
    )
    _text(draw, flavour, (0.5 * width, strip), 0.6 * width, dark)
    return np.asarray(picture)


def _print_lid(
    design: np.random.Generator, palette: NDArray[np.uint8], side: int
) -> NDArray[np.uint8]:
    """A lid or a bottom: metal, plastic or a printed disc (S, S, 3)."""
    kind = int(design.integers(3))
    grey = int(design.integers(150, 245))
    base = (grey, grey, grey) if kind < 2 else tuple(int(v) for v in palette[0])
    picture = Image.new("RGB", (side, side), base)
    draw = ImageDraw.Draw(picture)
    ring = tuple(int(v) for v in palette[int(design.integers(2))])
    draw.ellipse([1, 1, side - 2, side - 2], outline=ring, width=max(side // 16, 1))
    if kind == 0:
        r = 0.3 * side
        draw.ellipse([r, r, side - r, side - r], outline=(grey - 50,) * 3, width=2)
    elif kind == 2:
        draw.rectangle([0, 0.4 * side, side, 0.6 * side], tuple(int(v) for v in palette[2]))
        _text(
            draw, _word(design), (side / 2, side / 2), 0.7 * side, tuple(int(v) for v in palette[3])
        )
    return np.asarray(picture)


def _disc(side: int) -> NDArray[np.uint8]:
    mask = np.zeros((side, side), np.uint8)
    cv2.circle(mask, (side // 2, side // 2), side // 2 - 1, 255, -1, cv2.LINE_AA)
    return mask


def _outline(form: Form, chance: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """Alpha (H, W) of a form: half widths along the height, mirrored, wavy where it is soft."""
    t = np.linspace(0, 1, 60)
    half = np.full_like(t, 0.49)
    if form == "bottle":
        neck, shoulder = chance.uniform(0.12, 0.22), chance.uniform(0.25, 0.4)
        half = np.interp(t, [0, neck, shoulder, 1], [0.18, 0.18, 0.48, 0.48])
    elif form == "cup":
        half = np.interp(t, [0, 1], [0.49, chance.uniform(0.32, 0.42)])
    elif form == "tube":
        half = np.interp(t, [0, 0.8, 0.82, 1], [0.49, 0.42, 0.3, 0.3])
    elif form == "can":
        half = np.interp(t, [0, 0.06, 0.94, 1], [0.42, 0.49, 0.49, 0.42])
    if form in ("pouch", "bar"):
        half = half - 0.03 * np.sin(np.pi * t) * chance.uniform(0, 1.5)
        half = half + 0.008 * np.sin(t * chance.uniform(20, 60))
    left = np.stack([(0.5 - half) * width, t * (height - 1)], axis=1)
    right = np.stack([(0.5 + half) * width, t * (height - 1)], axis=1)
    polygon = np.concatenate([left, right[::-1]])
    polygon[:, 1] += 0.02 * height * np.sin(np.pi * polygon[:, 0] / width) * chance.uniform(-1, 1)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.round(polygon * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    return mask


def _pulled(alpha: NDArray[np.uint8], chance: np.random.Generator) -> NDArray[np.uint8]:
    """The alpha (H, W) of a bag whose middle is drawn in: the corners stand out."""
    height, width = alpha.shape
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    aside, along = chance.uniform(0, 0.14), chance.uniform(0, 0.1)
    # Where the edge comes from: farther out in the middle of a side than at its ends.
    columns = (x / (1 - aside * (1 - y**2)) + 1) / 2 * (width - 1)
    rows = (y / (1 - along * (1 - x**2)) + 1) / 2 * (height - 1)
    pulled = cv2.remap(alpha, columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR)
    return np.asarray(pulled, dtype=np.uint8)


def _shade(form: Form, chance: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    """Brightness factor (H, W, 1): a cylinder's fall-off, or the folds of a soft bag."""
    x = np.linspace(-1, 1, width)[None, :]
    y = np.linspace(-1, 1, height)[:, None]
    if form in ("can", "bottle", "cup", "tube"):
        light = chance.uniform(-0.5, 0.5)
        factor = 0.55 + 0.55 * np.sqrt(np.clip(1 - (0.85 * (x - light * 0.4)) ** 2, 0, 1))
        factor = np.repeat(factor, height, axis=0)
    elif form in ("pouch", "bar"):
        kx, ky, phase = chance.uniform(-6, 6), chance.uniform(-6, 6), chance.uniform(0, 6)
        factor = 1 + 0.1 * np.sin(kx * x + ky * y + phase) - 0.12 * (x**2 + y**2)
    else:
        factor = 1 + chance.uniform(-0.12, 0.12) * x + chance.uniform(-0.12, 0.12) * y
    return factor[..., None].astype(np.float32)


def _gloss(lit: NDArray[np.floating], chance: np.random.Generator) -> NDArray[np.floating]:
    """Add a few soft highlights to (H, W, 3)."""
    height, width = lit.shape[:2]
    small = np.zeros((16, 16), np.float32)
    for _ in range(int(chance.integers(0, 4))):
        centre = (int(chance.integers(16)), int(chance.integers(16)))
        cv2.line(
            small, centre, (centre[0], int(chance.integers(16))), float(chance.uniform(20, 110)), 1
        )
    glow = cv2.resize(
        cv2.GaussianBlur(small, (0, 0), 0.7), (width, height), interpolation=cv2.INTER_CUBIC
    )
    return np.asarray(np.clip(lit + glow[..., None], 0, 255))
