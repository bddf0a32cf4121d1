"""Photos of one invented product that are hard to cut out, each with its true mask.

What goes wrong on a seller's table: a hard shadow, clear glass, white on white, a product that
fills the frame; and `plain` ones, which must come out well. A product keeps its looks and its
board over its photos; place, turn and light vary.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.records import Box
from rpc.structures import mask_to_box
from synth.drawn.package import draw_package
from synth.drawn.texture import draw_texture

Hardness = Literal["plain", "shadow", "glass", "pale", "fills"]
HARDNESSES: Final[tuple[Hardness, ...]] = ("plain", "shadow", "glass", "pale", "fills")
HEIGHT, WIDTH = 360, 480  # px
FloatPicture = NDArray[np.float32]


@dataclass(frozen=True)
class HardPhoto:
    """A photo of one product, and the truth.

    Attributes:
        rgb: (H, W, 3) uint8.
        mask: (H, W), where the product is.
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    mask: NDArray[np.bool_] = field(repr=False)

    @property
    def box(self) -> Box:
        """Tight box xyxy of the mask."""
        tight = mask_to_box(self.mask)
        assert tight is not None, "a product is drawn within the photo"
        x1, y1, x2, y2 = (float(value) for value in tight)
        return x1, y1, x2, y2


def draw_hard_photo(hardness: Hardness, seed: int, product: int, index: int) -> HardPhoto:
    """Draw photo `index` of a product.

    Args:
        hardness: what makes it hard.
        seed: of the range of products.
        product: number of the product.
        index: number of its photo.
    """
    kind = HARDNESSES.index(hardness)
    design = np.random.default_rng([seed, product, kind])
    chance = np.random.default_rng([seed, product, kind, index])
    if hardness == "fills":
        picture = _print(seed, product, index, design, chance)
        mask = np.ones((HEIGHT, WIDTH), dtype=bool)
        return HardPhoto(_photograph(picture, chance), mask)
    board = _board(seed, product, design, chance, pale=hardness in ("glass", "pale"))
    if hardness == "glass":
        layer = _glass(design, board)
    elif hardness == "pale":
        layer = _pale(seed, product, design, chance, board)
    else:
        layer = _package(seed, product, chance)
    part = hardness in ("glass", "pale")  # of it is found: the whole is large enough to be seen
    placed = _place(
        layer, chance, hardness == "glass", float(chance.uniform(0.55 if part else 0.2, 0.85))
    )
    strength = design.uniform(0.3, 0.75) if hardness == "shadow" else chance.uniform(0, 0.12)
    soft = design.uniform(1.0, 9.0) if hardness == "shadow" else chance.uniform(6, 14)
    away = design.uniform(0.1, 0.3) if hardness == "shadow" else chance.uniform(0, 0.06)
    mask = placed[..., 3] > 0.02  # glass is part of the product however clear it is
    picture = _shade(board, mask, float(strength), float(soft), float(away), design)
    alpha = placed[..., 3:]
    picture = picture * (1 - alpha) + placed[..., :3]
    return HardPhoto(_photograph(picture, chance), mask)


def _board(
    seed: int, product: int, design: np.random.Generator, chance: np.random.Generator, pale: bool
) -> FloatPicture:
    """The surface under a product (H, W, 3), 0 to 255: light card, or now and then some table."""
    if not pale and design.random() < 0.3:
        board = draw_texture(seed, product)[:HEIGHT, :WIDTH].astype(np.float32)
        return np.asarray(cv2.GaussianBlur(board, (0, 0), 2.0), np.float32)
    colour = design.uniform(200, 246) + design.normal(0, 3, 3)
    ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH] / HEIGHT - 0.5
    slope = chance.normal(0, 6, 2)
    stains = cv2.resize(chance.normal(0, 2, (5, 6)), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    light = ys * slope[0] + xs * slope[1] + stains
    return np.asarray(colour + light[..., None], np.float32).clip(0, 252)


def _package(seed: int, product: int, chance: np.random.Generator) -> FloatPicture:
    """A package (h, w, 4), colours 0 to 255 and alpha 0 to 1."""
    picture = draw_package(seed, product, "front", int(chance.integers(4))).astype(np.float32)
    picture[..., 3] /= 255
    return picture


def _pale(
    seed: int,
    product: int,
    design: np.random.Generator,
    chance: np.random.Generator,
    board: FloatPicture,
) -> FloatPicture:
    """A package (h, w, 4) as bright as its board, with a little print and a faint outline."""
    picture = _package(seed, product, chance)
    height, width = picture.shape[:2]
    colour = np.median(board, axis=(0, 1)) + design.choice([-1, 1]) * design.uniform(2, 9)
    blank = np.empty_like(picture)
    blank[..., :3], blank[..., 3] = np.minimum(colour, 253), picture[..., 3]
    edge = cv2.GaussianBlur(picture[..., 3], (0, 0), 1.5)
    blank[..., :3] -= (design.uniform(2, 16) * 4 * edge * (1 - edge))[..., None]
    top, left = (design.uniform(0.15, 0.5, 2) * (height, width)).astype(int)
    tall, wide = (design.uniform(0.15, 0.4, 2) * (height, width)).astype(int)
    cell = np.s_[top : top + tall, left : left + wide, :3]
    blank[cell] = picture[cell]
    return blank


def _glass(design: np.random.Generator, board: FloatPicture) -> FloatPicture:
    """A bottle (h, w, 4) of clear glass: outline, gloss, a label and mostly a cap."""
    height = 224
    width = round(height * design.uniform(0.3, 0.5))
    outline = np.zeros((height, width), np.uint8)
    neck = round(width * design.uniform(0.25, 0.5))
    cv2.rectangle(outline, (2, round(0.3 * height)), (width - 3, height - 3), 255, -1)
    cv2.rectangle(outline, (neck // 2, 2), (width - neck // 2, round(0.35 * height)), 255, -1)
    smooth = cv2.GaussianBlur(outline, (0, 0), 5) > 127
    alpha = cv2.GaussianBlur(smooth.astype(np.float32), (0, 0), 0.7)
    inner = cv2.GaussianBlur(smooth.astype(np.float32), (0, 0), 2.0)
    rim = 4 * inner * (1 - inner) * alpha
    tint = np.median(board, axis=(0, 1)) * design.uniform(0.85, 1.0, 3).mean()
    glass = np.zeros((height, width, 4), np.float32)
    cover = alpha * design.uniform(0.03, 0.12)
    dark = rim * design.uniform(0.1, 0.45)
    glass[..., 3] = cover + (1 - cover) * dark
    glass[..., :3] = (cover * (1 - dark))[..., None] * tint + dark[..., None] * tint * 0.5
    shine = round(width * design.uniform(0.15, 0.3))
    glass[height // 3 : -20, shine : shine + 3] = (235, 235, 235, 0.9)
    strong = np.where(design.random(3) < 0.5, 40, 190) + design.uniform(-30, 30, 3)
    top = round(height * design.uniform(0.45, 0.55))
    label = np.zeros((height, width), bool)
    label[top : top + round(height * design.uniform(0.2, 0.35))] = True
    if design.random() < 0.7:
        label[: round(0.08 * height)] = True
    label &= smooth
    glass[label] = (*strong, 1)
    glass[..., :3] *= np.where(glass[..., 3:] >= 0.9, glass[..., 3:], 1)
    return glass


def _place(
    layer: FloatPicture, chance: np.random.Generator, upright: bool, size: float
) -> FloatPicture:
    """The layer, colours times alpha, turned and scaled to `size` of an empty frame (H, W, 4)."""
    height, width = layer.shape[:2]
    straight = layer
    if not upright:  # glass comes with its colours multiplied
        straight = np.concatenate([layer[..., :3] * layer[..., 3:], layer[..., 3:]], axis=2)
    turn = chance.normal(0, 4) if upright else chance.choice([0, 90, 180]) + chance.normal(0, 12)
    matrix = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), float(turn), 1.0))
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) - (width / 2, height / 2)
    spread = np.abs(corners @ matrix[:, :2].T).max(axis=0) * 2
    scale = size * min(WIDTH / spread[0], HEIGHT / spread[1])
    matrix = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), float(turn), float(scale)))
    free = np.array([WIDTH, HEIGHT]) - scale * spread
    matrix[:, 2] += (
        np.array([WIDTH - width, HEIGHT - height]) / 2 + chance.uniform(-0.3, 0.3, 2) * free
    )
    warped = cv2.warpAffine(straight, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    return np.asarray(warped, np.float32)


def _shade(
    board: FloatPicture,
    mask: NDArray[np.bool_],
    strength: float,
    soft: float,
    away: float,
    design: np.random.Generator,
) -> FloatPicture:
    """The board (H, W, 3) with a shadow of the mask (H, W): `away` is a fraction of its size."""
    angle = design.uniform(0, 2 * np.pi)
    reach = away * np.sqrt(mask.sum())
    shift = np.array([[1, 0, reach * np.cos(angle)], [0, 1, reach * np.sin(angle)]])
    moved = cv2.warpAffine(mask.astype(np.float32), shift, (WIDTH, HEIGHT))
    moved = np.maximum(moved, cv2.GaussianBlur(moved, (0, 0), 1.0))
    return np.asarray(board * (1 - strength * cv2.GaussianBlur(moved, (0, 0), soft))[..., None])


def _print(
    seed: int, product: int, index: int, design: np.random.Generator, chance: np.random.Generator
) -> FloatPicture:
    """A product so near that nothing else is seen (H, W, 3): print on one strong colour."""
    picture = np.empty((HEIGHT, WIDTH, 3), np.float32)
    picture[:] = design.uniform(20, 230, 3)
    for _ in range(int(design.integers(8, 40))):
        x, y = chance.uniform(0, WIDTH), chance.uniform(0, HEIGHT)
        w, h = design.uniform(20, 130), design.uniform(8, 60)
        colour = tuple(float(v) for v in design.uniform(0, 255, 3))
        low, high = (int(x - w / 2), int(y - h / 2)), (int(x + w / 2), int(y + h / 2))
        cv2.rectangle(picture, low, high, colour, -1)
    if design.random() < 0.5:
        front = draw_package(seed, product, "front", index)[20:-20, :, :3]
        scale = WIDTH / front.shape[1] * chance.uniform(1.0, 1.6)
        near = cv2.resize(front, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        top, left = (
            int(chance.integers(1 + near.shape[i] - s)) for i, s in enumerate((HEIGHT, WIDTH))
        )
        picture[:] = near[top : top + HEIGHT, left : left + WIDTH]
    return picture


def _photograph(picture: FloatPicture, chance: np.random.Generator) -> NDArray[np.uint8]:
    """Blur, noise and a JPEG."""
    seen = cv2.GaussianBlur(picture, (0, 0), float(chance.uniform(0.4, 1.0)))
    seen = seen + chance.normal(0, chance.uniform(0.5, 2.0), picture.shape)
    pixels = np.asarray(seen.clip(0, 255), np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(chance.integers(80, 97))]
    _, packed = cv2.imencode(".jpg", pixels[..., ::-1], quality)
    decoded = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded[..., ::-1], dtype=np.uint8)
