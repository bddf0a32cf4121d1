"""Faults injected in scenes, and changes that any camera makes: what the gate is proved on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.structures.masks import BoolMask, mask_to_box

Rgb = NDArray[np.uint8]
Fault = Literal[
    "shift 3%", "shift 6%", "shift 10%", "erased", "replaced", "swapped", "hue", "wiped",
    "yellow blob", "duplicate",
]  # fmt: skip
FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)
ON_BOARD: Final = frozenset({"yellow blob", "duplicate"})  # no item is hurt by these


def camera_change(rgb: Rgb, rng: np.random.Generator) -> Rgb:
    """A scene as another camera would show it: everything moves but the products stay.

    White balance, exposure, gamma, light, blur up to 1.2 px, noise up to 6 grey levels, JPEG.

    Args:
        rgb: (H, W, 3).
        rng: chance.
    """
    height, width = rgb.shape[:2]
    image = rgb.astype(np.float32) / 255
    image = image ** np.float32(rng.uniform(0.8, 1.25))
    image *= np.exp(rng.uniform(-0.3, 0.15) + rng.normal(0, 0.05, 3)).astype(np.float32)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    loss, right, down = rng.uniform(0, 0.4), rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1)
    image *= ((1 - loss * (x * x + y * y) / 2) * (1 + right * x + down * y))[..., None]
    if rng.random() < 0.7:
        image = np.asarray(
            cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.3, 1.2))), image.dtype
        )
    noise = rng.standard_normal((height, width, 3), dtype=np.float32)
    if rng.random() < 0.5:
        noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.6), np.float32)
        noise /= noise.std()
    image = image * 255 + noise * np.float32(rng.uniform(0, 6))
    out = image.round().clip(0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        done, data = cv2.imencode(
            ".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 96))]
        )
        assert done, "encoding uint8 cannot fail"
        out = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    return out


def inject(
    rgb: Rgb, masks: Sequence[BoolMask], item: int, fault: Fault, rng: np.random.Generator
) -> tuple[Rgb, list[int]] | None:
    """A scene with one fault.

    Args:
        rgb: (H, W, 3).
        masks: (H, W) each, of the items' parts in sight.
        item: row of the item that is hurt, moved or taken as a model.
        fault: what is done.
        rng: chance.

    Returns:
        The image, and the rows of the items that are hurt (none for a thing on the board); None
        where the scene has no room for it, or it would change next to nothing (the hue of grey).
    """
    if fault == "yellow blob":
        return _blob(rgb, masks, rng)
    if fault == "duplicate":
        return _duplicate(rgb, masks, item, rng)
    mask, out = masks[item], rgb.copy()
    box = mask_to_box(mask)
    if box is None:
        return None
    hurt = [item]
    if fault.startswith("shift"):
        _shift(out, rgb, mask, box, float(fault[6:-1]) / 100, rng)
    elif fault == "erased":
        out = _erased(rgb, mask)
    elif fault in ("replaced", "swapped"):
        others = [row for row in range(len(masks)) if row != item and masks[row].any()]
        if not others:
            return None
        other = int(rng.choice(others))
        _paste(out, mask, rgb, masks[other])
        if fault == "swapped":
            _paste(out, masks[other], rgb, mask)
            hurt.append(other)
    elif fault == "hue":
        hsv = cv2.cvtColor(rgb, cv2.COLOR_RGB2HSV)
        if np.median(hsv[mask][:, 1]) < 60:
            return None
        turn = int(rng.integers(15, 75))  # of 180: 30 to 150 degrees
        hsv[..., 0] = (hsv[..., 0].astype(int) + turn) % 180
        out[mask] = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[mask]
    else:
        size = max(box[2] - box[0], box[3] - box[1])
        out[mask] = _mean_within(rgb, mask, size / 8)[mask]
    changed = np.abs(out[mask].astype(int) - rgb[mask]).mean()
    return (out, hurt) if changed >= 3 else None


def _shift(
    out: Rgb, rgb: Rgb, mask: BoolMask, box: tuple[int, int, int, int], part: float,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Move an item by a part of its size; the board shows where it was."""
    size = max(box[2] - box[0], box[3] - box[1])
    angle = rng.uniform(0, 2 * np.pi)
    move = np.array([[1, 0, part * size * np.cos(angle)], [0, 1, part * size * np.sin(angle)]])
    shape = (rgb.shape[1], rgb.shape[0])
    moved = cv2.warpAffine(rgb, move, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    at = cv2.warpAffine(mask.astype(np.float32), move, shape)[..., None]
    ground = _erased(rgb, mask).astype(np.float32)
    out[:] = (at * moved + (1 - at) * ground).round().astype(np.uint8)


def _erased(rgb: Rgb, mask: BoolMask) -> Rgb:
    """The surroundings painted over an item."""
    wide = cv2.dilate(mask.astype(np.uint8), np.ones((7, 7), np.uint8))
    box = mask_to_box(wide > 0)
    assert box is not None, "a mask that is not empty"
    margin = 12
    rows = slice(max(0, box[1] - margin), box[3] + margin)
    columns = slice(max(0, box[0] - margin), box[2] + margin)
    out = rgb.copy()
    out[rows, columns] = cv2.inpaint(
        np.ascontiguousarray(rgb[rows, columns]), wide[rows, columns], 3, cv2.INPAINT_TELEA
    )
    return out


def _paste(out: Rgb, mask: BoolMask, rgb: Rgb, other: BoolMask) -> None:
    """Fill `mask` with what `other` shows, stretched to it."""
    to, source = mask_to_box(mask), mask_to_box(other)
    assert to is not None, "a mask that is not empty"
    assert source is not None, "a mask that is not empty"
    piece = rgb[source[1] : source[3], source[0] : source[2]].copy()
    seen = other[source[1] : source[3], source[0] : source[2]]
    piece[~seen] = np.median(piece[seen], axis=0).astype(np.uint8)
    size = (to[2] - to[0], to[3] - to[1])
    piece = np.asarray(cv2.resize(piece, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    inside = mask[to[1] : to[3], to[0] : to[2]]
    out[to[1] : to[3], to[0] : to[2]][inside] = piece[inside]


def _mean_within(rgb: Rgb, mask: BoolMask, sigma: float) -> Rgb:
    weight = mask.astype(np.float32)
    total = cv2.GaussianBlur(rgb.astype(np.float32) * weight[..., None], (0, 0), sigma)
    around = cv2.GaussianBlur(weight, (0, 0), sigma)
    return np.asarray(
        (total / np.maximum(around, 1e-3)[..., None]).round().clip(0, 255), dtype=np.uint8
    )


def _blob(
    rgb: Rgb, masks: Sequence[BoolMask], rng: np.random.Generator
) -> tuple[Rgb, list[int]] | None:
    """A yellow blob with a soft edge on the board."""
    longest = max(rgb.shape[:2])
    radius = rng.uniform(0.015, 0.05) * longest
    place = _free_place(rgb.shape[:2], masks, radius, rng)
    if place is None:
        return None
    y, x = np.mgrid[: rgb.shape[0], : rgb.shape[1]]
    distance = np.hypot(y - place[0], x - place[1])
    alpha = 0.8 * (1 / (1 + np.exp((distance - radius) / (0.15 * radius))))[..., None]
    yellow = np.array([225, 205, 60]) * (0.4 + 0.6 * rgb.mean() / 255)
    return (alpha * yellow + (1 - alpha) * rgb).round().clip(0, 255).astype(np.uint8), []


def _duplicate(
    rgb: Rgb, masks: Sequence[BoolMask], item: int, rng: np.random.Generator
) -> tuple[Rgb, list[int]] | None:
    """The item once more, where the board is free."""
    box = mask_to_box(masks[item])
    if box is None:
        return None
    height, width = box[3] - box[1], box[2] - box[0]
    place = _free_place(rgb.shape[:2], masks, max(height, width) / 2, rng)
    if place is None:
        return None
    top, left = int(place[0] - height / 2), int(place[1] - width / 2)
    if top < 0 or left < 0 or top + height > rgb.shape[0] or left + width > rgb.shape[1]:
        return None
    out = rgb.copy()
    seen = masks[item][box[1] : box[3], box[0] : box[2]]
    piece = rgb[box[1] : box[3], box[0] : box[2]]
    out[top : top + height, left : left + width][seen] = piece[seen]
    return out, []


def _free_place(
    shape: tuple[int, ...], masks: Sequence[BoolMask], radius: float, rng: np.random.Generator
) -> tuple[int, int] | None:
    """A pixel (row, column) farther from all items than `radius`; None where there is none."""
    covered = np.any(masks, axis=0) if len(masks) else np.zeros(shape, bool)
    room = cv2.distanceTransform((~covered).astype(np.uint8), cv2.DIST_L2, 3)
    rows, columns = np.nonzero(room > radius + 8)
    if not len(rows):
        return None
    chosen = int(rng.integers(len(rows)))
    return int(rows[chosen]), int(columns[chosen])
