"""Photos of one thing each as batches for learning: batch i is a function of the seed and i alone.

Key: B photos of a batch, S x S pixels of the network's input, H x W of a photo, P key points.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.entry_photo import read_entry_photo
from rpc.data.files import DataError
from rpc.recognition.systems.system import Batch
from rpc.recognition.training.batch_source import HowMany
from rpc.recognition.training.photo_geometry import (
    Placed,
    Rgb,
    Seen,
    about_middle,
    fit_window,
    quarter_turn,
    warp_photo,
)

_ORDER, _VARY, _PASS = 1, 2, 3  # keep the streams of chance apart
# Photos are kept decoded, at no more than this or the network's side, whichever is more; so many of
# the smallest, fewer of larger ones, so that they take the same room (0.6 GB).
_KEPT: Final = 320  # px of the longer side
_CACHED: Final = 2_000
_FEWEST: Final = 64


@dataclass(frozen=True)
class Augmentation:
    """How a photo is augmented each time it is seen.

    Attributes:
        least_area: share of the photo that a random window has at least, 0 to 1.
        rotate: by quarter turns, as things lie on a tray.
        flip: mirrored half of the time; never for what bears print.
        light: standard deviation of the logarithm of brightness.
    """

    least_area: float = 0.6
    rotate: bool = False
    flip: bool = False
    light: float = 0.1

    def __post_init__(self) -> None:
        if not (0 < self.least_area <= 1 and 0 <= self.light <= 2):
            raise ValueError(
                f"augmentation: expected 0 < least_area <= 1 and 0 <= light <= 2, got "
                f"{self.least_area} and {self.light}"
            )


class PhotoBatches:
    """Training photos, in batches or one by one.

    A photo, or the part of it that is used, is read at no more than max(320, side) px of its longer
    side: what a network sees whole loses nothing by it, also at the papers' 448 px.

    Args:
        examples: N of them, at least two classes.
        side: S.
        augmentation: of each photo in `batch`.
        rank: of this process among `processes`, which share each batch's photos out.
        processes: how many train together.

    Raises:
        DataError: no photo, photos of one class alone, or different numbers of key points.
    """

    def __init__(
        self,
        examples: Sequence[LabelledPhoto],
        side: int,
        augmentation: Augmentation | None = None,
        *,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        labels = {example.label for example in examples}
        if len(labels) < 2:
            raise DataError(
                f"recognition: {len(examples)} training photos of {len(labels)} classes; expected "
                "two classes or more to tell apart"
            )
        if len(counts := {len(example.points) for example in examples}) > 1:
            raise DataError(
                f"recognition: photos have {' or '.join(map(str, sorted(counts)))} key points; "
                "expected the same number for all, those out of sight marked so"
            )
        self.examples, self.side = tuple(examples), side
        self.augmentation = augmentation or Augmentation()
        self.rank, self.processes = rank, processes

    @property
    def fingerprint(self) -> str:
        """Of the photos, their order and how they are augmented."""
        parts = [f"{e.path.name} {e.label} {e.crop} {e.box} {e.points}" for e in self.examples]
        text = "\n".join([*parts, str(asdict(self.augmentation)), str(self.side)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def batch(self, settings: HowMany, phase: int, step: int) -> Batch:
        """Batch `step` of a phase: photos without repeats until all were seen, augmented anew."""
        seed, size = settings.seed, settings.batch_size
        first = (step * self.processes + self.rank) * size
        chosen = [self._in_order(seed, phase, place) for place in range(first, first + size)]
        made = []
        for place, row in enumerate(chosen, start=first):
            rng = np.random.default_rng([seed, phase, place, _VARY])
            made.append(self._augmented(self.examples[row], rng))
        return _stack(made, [self.examples[row] for row in chosen])

    def plain(self, rows: Sequence[int] | None = None, batch_size: int = 32) -> Iterator[Batch]:
        """Photos once each, in order, whole and unaugmented: all, or those of some rows."""
        chosen = self.examples if rows is None else [self.examples[row] for row in rows]
        for start in range(0, len(chosen), batch_size):
            yield seen_batch(chosen[start : start + batch_size], self.side)

    def passes(self, seed: int, phase: int) -> PlainPasses:
        """The passes for a phase in closed form."""
        return PlainPasses(self, np.random.default_rng([seed, phase, _PASS]))

    def _in_order(self, seed: int, phase: int, place: int) -> int:
        """Which photo comes at a place of the endless sequence of shuffled rounds."""
        count = len(self.examples)
        return int(_shuffled(count, seed, phase, place // count)[place % count])

    def _augmented(self, example: LabelledPhoto, rng: np.random.Generator) -> Seen:
        rgb, placed = _taken(example, self.side)
        height, width = rgb.shape[:2]
        share = rng.uniform(self.augmentation.least_area, 1.0)
        aspect = np.exp(rng.uniform(-0.2, 0.2))
        window = np.minimum(np.sqrt(share) * np.array([aspect, 1 / aspect]), 1.0)
        window = window * [width, height]
        corner = rng.uniform(0, 1, 2) * (np.array([width, height]) - window)
        matrix = fit_window(corner, window, self.side)
        if self.augmentation.rotate:
            matrix = about_middle(self.side, quarter_turn(int(rng.integers(4)))) @ matrix
        if self.augmentation.flip and rng.random() < 0.5:
            matrix = about_middle(self.side, np.diag([-1.0, 1.0])) @ matrix
        seen = warp_photo(rgb, placed, matrix, self.side)
        gain = np.exp(rng.normal(0, self.augmentation.light) + rng.normal(0, 0.03, 3))
        lit = (seen.image * gain + rng.normal(0, 5)).clip(0, 255).astype(np.uint8)
        return Seen(lit, seen.box, seen.points)


@dataclass(frozen=True)
class PlainPasses:
    """The training photos, unaugmented, and chance; see `rpc.recognition.systems.system.Passes`."""

    data: PhotoBatches
    rng: np.random.Generator

    @property
    def mirrored(self) -> bool:
        """Whether photos may be mirrored."""
        return self.data.augmentation.flip

    def once(self) -> Iterator[Batch]:
        """Every photo once, in order."""
        return self.data.plain()

    def some(self, count: int) -> Iterator[Batch]:
        """So many photos, drawn by chance: the first ones would be of few classes."""
        rows = self.rng.permutation(len(self.data.examples))[:count]
        return self.data.plain(rows.tolist())


def seen_whole(example: LabelledPhoto, side: int) -> Seen:
    """A photo in the middle of a square (S, S, 3), undistorted, grey around."""
    rgb, placed = _taken(example, side)
    height, width = rgb.shape[:2]
    return warp_photo(rgb, placed, fit_window(np.zeros(2), np.array([width, height]), side), side)


def seen_batch(examples: Sequence[LabelledPhoto], side: int) -> Batch:
    """Photos as `seen_whole` shows them, with their boxes, key points and labels."""
    return _stack([seen_whole(example, side) for example in examples], examples)


def _taken(example: LabelledPhoto, side: int) -> tuple[Rgb, Placed]:
    """The used part of a photo, not larger than `side` needs, with box and points in its pixels.

    Raises:
        DataError: the photo is missing or damaged, or the box has no pixel of it.
    """
    rgb, scale = _reader(max(_KEPT, side))(example.path, example.crop, example.size)
    left, top = (0.0, 0.0) if example.crop is None else _corner(example.crop)
    whole = np.array([0, 0, rgb.shape[1], rgb.shape[0]], np.float64)
    box = whole
    if example.box is not None:
        box = (np.asarray(example.box, np.float64) - [left, top, left, top]) * scale
        if (np.minimum(box[2:], whole[2:]) <= np.maximum(box[:2], 0)).any():
            raise DataError(
                f"{example.path}: the box {example.box} lies outside the photo; mend the list of "
                "boxes"
            )
    points = np.asarray(example.points, np.float64).reshape(-1, 3).copy()
    points[:, :2] = (points[:, :2] - [left, top]) * scale
    return rgb, Placed(box, points)


def _corner(crop: tuple[float, float, float, float]) -> tuple[int, int]:
    return max(int(crop[0]), 0), max(int(crop[1]), 0)


Crop = tuple[float, float, float, float] | None
Read = Callable[[Path, Crop, tuple[int, int] | None], tuple[Rgb, float]]


@lru_cache(maxsize=4)
def _reader(most: int) -> Read:
    """`_decoded` at no more than so many px, which remembers what it read last."""
    count = max(_CACHED * _KEPT**2 // most**2, _FEWEST)
    return lru_cache(maxsize=count)(partial(_decoded, most))


def _decoded(most: int, path: Path, crop: Crop, size: tuple[int, int] | None) -> tuple[Rgb, float]:
    """The pixels, at no more than `most` px of the longer side, and how much they were shrunk.

    Raises:
        DataError: the photo is missing or damaged, crop and box belong to another size of it, or
            the crop has no pixel in it.
    """
    rgb = read_entry_photo(path, size) if crop is None else _whole(path, size)
    if crop is not None:
        left, top = _corner(crop)
        rgb = rgb[top : int(np.ceil(crop[3])), left : int(np.ceil(crop[2]))]
        if not rgb.size:
            raise DataError(f"{path}: the box {crop} has no pixel in the photo")
    scale = min(most / max(rgb.shape[:2]), 1.0)
    if scale < 1:
        size = tuple(max(round(n * scale), 1) for n in rgb.shape[1::-1])
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    return rgb.copy(), scale


@lru_cache(maxsize=4)
def _whole(path: Path, size: tuple[int, int] | None) -> Rgb:
    """A photo with several things on it, that come one after the other; not to be written to."""
    return read_entry_photo(path, size)


@lru_cache(maxsize=4)
def _shuffled(count: int, seed: int, phase: int, round_: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, phase, round_, _ORDER]).permutation(count)


def _stack(seen: Sequence[Seen], examples: Sequence[LabelledPhoto]) -> Batch:
    images = np.stack([one.image for one in seen]).transpose(0, 3, 1, 2)
    return Batch(
        torch.from_numpy(np.ascontiguousarray(images)),
        torch.tensor([example.label for example in examples]),
        torch.from_numpy(np.stack([one.box for one in seen])),
        torch.from_numpy(np.stack([one.points for one in seen])),
    )
