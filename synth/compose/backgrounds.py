"""Empty trays: crops of photos, plain boards, or a mix of both."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.data.images import read_image
from rpc.data.photo_files import find_photos
from rpc.data.readable_photos import require_readable
from synth.compose.sensor import add_grain

Rgb = NDArray[np.uint8]

_LONGEST = 1600  # photos are kept no larger: a background needs no finer detail
_CACHE_BYTES = 128 * 1024 * 1024


class TraySource(Protocol):
    """Gives empty trays."""

    def draw(self, rng: np.random.Generator, width: int, height: int) -> Rgb:
        """An empty tray (height, width, 3), the caller's own to draw on."""
        ...


class Backgrounds:
    """Where empty trays come from.

    Args:
        photos: photos of empty trays; without any, all trays are plain.
        plain: fraction of plain trays where there are photos.

    Raises:
        DataError: `plain` is not a fraction.
    """

    def __init__(self, photos: Sequence[Path] = (), plain: float = 0.3) -> None:
        if not 0 <= plain <= 1:
            raise DataError(f"backgrounds: plain: expected 0 to 1, got {plain}")
        self.photos = tuple(photos)
        self.plain = plain if self.photos else 1.0
        self._cache: OrderedDict[Path, Rgb] = OrderedDict()

    @classmethod
    def from_folder(cls, folder: str | Path | None, plain: float = 0.3) -> Backgrounds:
        """Photos of a folder in the order of their names; None for plain trays alone.

        Raises:
            DataError: the folder is missing or holds no photo.
        """
        if folder is None:
            return cls()
        return cls(find_photos(folder, "photos of empty trays").photos, plain)

    def check(self) -> None:
        """Look at all photos, as a job does when it starts: chance may draw a bad one last.

        Raises:
            DataError: photos are damaged or too large: how many, and which.
        """
        require_readable(self.photos, "backgrounds")

    def draw(self, rng: np.random.Generator, width: int, height: int) -> Rgb:
        """An empty tray (height, width, 3).

        Raises:
            DataError: a photo is damaged.
        """
        if rng.random() < self.plain:
            return plain_tray(rng, width, height)
        photo = self.photos[int(rng.integers(len(self.photos)))]
        return random_crop(rng, self._read(photo), width, height)

    def _read(self, path: Path) -> Rgb:
        if path in self._cache:
            self._cache.move_to_end(path)
            return self._cache[path]
        photo = read_image(path)
        factor = _LONGEST / max(photo.shape[:2])
        if factor < 1:
            size = (round(photo.shape[1] * factor), round(photo.shape[0] * factor))
            photo = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA))
        self._cache[path] = photo
        while sum(p.nbytes for p in self._cache.values()) > _CACHE_BYTES and len(self._cache) > 1:
            self._cache.popitem(last=False)
        return photo


@dataclass(frozen=True)
class OneTray:
    """The same empty tray every time: as much of the photo's middle as has the scene's shape.

    Attributes:
        photo: RGB (H, W, 3) uint8.

    Raises:
        ValueError: another shape or type.
    """

    photo: Rgb = field(repr=False)

    def __post_init__(self) -> None:
        photo = self.photo
        if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or not photo.size:
            raise ValueError(
                f"background: expected RGB (H, W, 3) uint8, got {photo.dtype} {photo.shape}"
            )

    def draw(self, rng: np.random.Generator, width: int, height: int) -> Rgb:
        """The tray (height, width, 3); nothing is drawn from `rng`."""
        return fit_crop(self.photo, width, height, 1.0, 0.5, 0.5)


def as_backgrounds(background: TraySource | Rgb | str | Path | None) -> TraySource:
    """The source of empty trays that is meant by a photo, a folder of photos, or None (plain).

    Raises:
        DataError: the folder is missing or holds no photo.
        ValueError: an array that is no photo.
    """
    if isinstance(background, np.ndarray):
        return OneTray(background)
    if background is None or isinstance(background, str | Path):
        return Backgrounds.from_folder(background)
    return background


def random_crop(rng: np.random.Generator, photo: Rgb, width: int, height: int) -> Rgb:
    """A crop of half the photo's sides or more, rotated by quarters and mirrored, made to fit."""
    turns, mirrored = int(rng.integers(4)), bool(rng.random() < 0.5)
    fraction, left, top = rng.uniform(0.5, 1.0), rng.random(), rng.random()
    photo = np.rot90(photo, turns)
    if mirrored:
        photo = photo[:, ::-1]
    return fit_crop(photo, width, height, fraction, left, top)


def fit_crop(photo: Rgb, width: int, height: int, fraction: float, left: float, top: float) -> Rgb:
    """A crop of a photo (H, W, 3) with the sides' ratio of `width` to `height`, resized to them.

    Args:
        photo: RGB.
        width: px of the result.
        height: px of the result.
        fraction: size of the crop; 1 is the largest that fits.
        left: 0 to 1: where the crop lies, from the left to the right border.
        top: likewise, from the upper to the lower border.
    """
    h, w = photo.shape[:2]
    factor = fraction * min(w / width, h / height)
    cw, ch = max(1, min(w, round(width * factor))), max(1, min(h, round(height * factor)))
    x, y = round(left * (w - cw)), round(top * (h - ch))
    crop = np.ascontiguousarray(photo[y : y + ch, x : x + cw])
    way = cv2.INTER_AREA if factor > 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(crop, (width, height), interpolation=way))


def plain_tray(rng: np.random.Generator, width: int, height: int) -> Rgb:
    """A plain board: mostly light and greyish, now and then of any colour; shaded, with grain."""
    if rng.random() < 0.15:
        colour = rng.uniform(30, 245, 3)
    else:
        colour = rng.uniform(120, 248) * (1 + rng.normal(0, 0.025, 3))
    waves = rng.normal(0, rng.uniform(0, 0.05), (4, 4))
    shading = 1 + cv2.resize(waves, (32, 32), interpolation=cv2.INTER_CUBIC)
    small = (colour * shading[:, :, None]).clip(0, 255).astype(np.uint8)  # (32, 32, 3)
    tray = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    offset = (int(rng.integers(512)), int(rng.integers(512)))
    return add_grain(tray, float(rng.uniform(0, 2.5)), int(rng.integers(3)), offset)
