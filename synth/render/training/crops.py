"""Unpaired crops of scenes and of photos: batch i is a function of the seed and i alone.

Key: B crops of each side in a batch, S x S pixels of a crop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rpc.data.files import DataError
from rpc.data.images import image_size, read_image
from rpc.runs.prefetch import Prefetch
from synth.render.training.settings import CropSettings

Rgb = NDArray[np.uint8]
MOST_ENLARGED = 2.0  # a photo that must be enlarged more to match the scenes shows blur alone
AHEAD = 4  # batches that each thread is to have ready
_CROPS = 1  # ends the seeds of crops, and keeps them apart from other seeds


class Batch(NamedTuple):
    """Crops (B, 3, S, S) in [-1, 1] of scenes (`source`) and of photos (`target`)."""

    source: Tensor
    target: Tensor


class UnpairedCrops:
    """Random crops of random scenes beside random crops of random photos.

    A photo is brought to the scenes' size (shorter side) first, so that products appear equally
    large on both sides; then both are scaled by `load_scale`.

    Args:
        scenes: files of composed scenes.
        photos: files of real photos.
        settings: of the crops.
        batch_size: B.
        seed: of the stream.
        rank: of this process among `processes`, which share the stream's crops out.
        processes: how many take part.

    Raises:
        DataError: no scene, no photo, one that cannot be read, or one too small: smaller than a
            crop, or so small that matching the scenes would more than double it.
    """

    def __init__(
        self,
        scenes: Sequence[Path],
        photos: Sequence[Path],
        settings: CropSettings,
        *,
        batch_size: int,
        seed: int,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        if not scenes or not photos:
            raise DataError(
                f"crops: {len(scenes)} scenes and {len(photos)} photos; expected one or more of "
                "each to learn from"
            )
        self.scenes, self.photos = tuple(scenes), tuple(photos)
        self.settings = settings
        self.batch_size = batch_size
        self.seed, self.rank, self.processes = seed, rank, processes
        self.scene_side = min(image_size(self.scenes[0]))
        for path, of_scene in ((self.scenes[0], True), *((path, False) for path in self.photos)):
            width, height = image_size(path)
            self._window(path, height, width, self._scale(height, width, of_scene))

    def __getitem__(self, index: int) -> Batch:
        """Batch `index` of this process.

        Raises:
            DataError: a picture cannot be read, or is smaller than a crop.
        """
        first = (index * self.processes + self.rank) * self.batch_size
        pairs = [self._pair(first + place) for place in range(self.batch_size)]
        source, target = (_tensor(crops) for crops in zip(*pairs, strict=True))
        return Batch(source, target)

    def _pair(self, number: int) -> tuple[Rgb, Rgb]:
        """Crop `number` of the whole stream: of a scene and of a photo."""
        chance = np.random.default_rng([self.seed, number, _CROPS])
        scene, photo = (
            paths[int(chance.integers(len(paths)))] for paths in (self.scenes, self.photos)
        )
        return self._crop(scene, True, chance), self._crop(photo, False, chance)

    def _crop(self, path: Path, of_scene: bool, chance: np.random.Generator) -> Rgb:
        rgb = read_image(path)
        height, width = rgb.shape[:2]
        window = self._window(path, height, width, self._scale(height, width, of_scene))
        top, left = (int(chance.integers(full - window + 1)) for full in (height, width))
        mirror = self.settings.flip and chance.random() < 0.5
        crop = scaled(rgb[top : top + window, left : left + window], self.settings.side)
        return crop[:, ::-1] if mirror else crop

    def _scale(self, height: int, width: int, of_scene: bool) -> float:
        match = 1.0 if of_scene else self.scene_side / min(height, width)
        return self.settings.load_scale * match

    def _window(self, path: Path, height: int, width: int, scale: float) -> int:
        """Side of a crop in the file's own px."""
        if scale > MOST_ENLARGED:
            raise DataError(
                f"{path}: {width}x{height} px would be enlarged {scale:.1f} times to match the "
                f"scenes: expected photos at most {MOST_ENLARGED:g} times smaller than the scenes, "
                "or a smaller crops.load_scale"
            )
        window = round(self.settings.side / scale)
        if window > min(height, width):
            raise DataError(
                f"{path}: {width}x{height} px is smaller than a crop of {window} px (side "
                f"{self.settings.side} at scale {scale:.3g}): expected larger pictures, a smaller "
                "crops.side or a larger crops.load_scale"
            )
        return window


def endless_batches(crops: UnpairedCrops, start: int, workers: int) -> Iterator[Batch]:
    """Batches from number `start` on, read ahead by so many threads.

    Raises:
        DataError: a picture cannot be read, or is smaller than a crop.
    """
    with Prefetch(crops.__getitem__, workers) as ahead:
        for index in count(start):
            yield ahead.get(index, range(index + 1, index + 1 + AHEAD * workers))


def scaled(rgb: Rgb, side: int) -> Rgb:
    """A square picture at another size."""
    if rgb.shape[0] == side:
        return rgb
    how = cv2.INTER_AREA if side < rgb.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(rgb, (side, side), interpolation=how), dtype=np.uint8)


def to_tensor(rgb: Rgb) -> Tensor:
    """(H, W, 3) of 0..255 as (3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(rgb.transpose(2, 0, 1))).float() / 127.5 - 1


def to_rgb(picture: Tensor) -> Rgb:
    """(3, H, W) in about [-1, 1] as (H, W, 3) of 0..255."""
    levels = ((picture.detach().float().cpu() + 1) * 127.5).round().clamp(0, 255)
    return np.ascontiguousarray(levels.to(torch.uint8).numpy().transpose(1, 2, 0))


def _tensor(crops: Sequence[Rgb]) -> Tensor:
    return torch.stack([to_tensor(crop) for crop in crops])
