"""Crops of composed scenes in random order, as a recogniser is to see them in training.

Key: B crops of a batch, S x S pixels of a crop, K SKUs; label K is 'no single product'.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from rpc.data.dataset import Dataset
from rpc.data.files import safe_join
from rpc.data.images import read_image
from rpc.recognition.classifier import CROP_SIDE
from rpc.recognition.crops import box_extents, cut_crops, hide_face, jitter_boxes, stray_boxes

Batch = tuple[Tensor, Tensor, Tensor]  # crops (B, 3, S, S) uint8, extents (B, 2), labels (B,)
POOL = 6  # batches in the pool, so that a batch mixes many scenes
EXTENT_NOISE = 0.05  # of log2: a counter's camera may hang 3 % higher


@dataclass(frozen=True)
class _Example:
    crop: NDArray[np.uint8]  # (S, S, 3)
    extent: NDArray[np.float32]  # (2,)
    label: int


class SceneCrops(IterableDataset[Batch]):
    """Endless crops of composed scenes in random order, ready-made batches from a shuffled pool.

    Args:
        data: the scenes.
        folder: of their images.
        size: B.
        stray_share: stray boxes (no single product) for each item.
        hidden_share: share of the items whose middle is covered (`hide_face`).
        seed: of order and augmentation.
        skip: batches that an earlier run has seen: the order goes on from another point.
    """

    def __init__(
        self,
        data: Dataset,
        folder: Path,
        *,
        size: int,
        stray_share: float,
        hidden_share: float = 0.0,
        seed: int = 0,
        skip: int = 0,
    ) -> None:
        self.data = data
        self.folder = folder
        self.size = size
        self.stray_share = stray_share
        self.hidden_share = hidden_share
        self.seed = seed
        self.skip = skip

    def __iter__(self) -> Iterator[Batch]:
        """Batches: crops, extents and labels."""
        worker = get_worker_info()
        number = 0 if worker is None else worker.id
        rng = np.random.default_rng([self.seed, self.skip, number])
        pool: list[_Example] = []
        while True:
            for index in rng.permutation(len(self.data.images)):
                pool += self._scene(int(index), rng)
                while len(pool) >= POOL * self.size:
                    order = rng.permutation(len(pool))
                    yield _batch([pool[i] for i in order[: self.size]])
                    pool = [pool[i] for i in order[self.size :]]

    def _scene(self, index: int, rng: np.random.Generator) -> list[_Example]:
        """Examples of one scene, rotated, lit and covered at random."""
        image = self.data.images[index]
        rgb = read_image(safe_join(self.folder, image.file_name))
        items = self.data.annotations_of(image.id)
        boxes = np.array([a.bbox for a in items], dtype=np.float64).reshape(-1, 4)
        moved = jitter_boxes(boxes, image.width, image.height, rng)
        count = rng.poisson(self.stray_share * len(items))
        strays = stray_boxes(boxes, count, image.width, image.height, rng)
        nothing = len(self.data.taxonomy)
        labels = [self.data.taxonomy.label(a.category_id) for a in items] + [nothing] * len(strays)
        framed = np.concatenate([moved, strays])
        crops = cut_crops(rgb, framed, CROP_SIDE)
        extents = box_extents(framed, image.width) + np.float32(rng.normal(0, EXTENT_NOISE))
        examples = []
        for crop, extent, label in zip(crops, extents, labels, strict=True):
            if label != nothing and rng.random() < self.hidden_share:
                crop = hide_face(crop, rng)
            examples.append(_Example(_vary(crop, rng), extent, label))
        return examples


def _batch(examples: list[_Example]) -> Batch:
    crops = np.stack([e.crop for e in examples]).transpose(0, 3, 1, 2)
    extents = np.stack([e.extent for e in examples])
    labels = torch.tensor([e.label for e in examples])
    return torch.from_numpy(np.ascontiguousarray(crops)), torch.from_numpy(extents), labels


def _vary(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A quarter turn and another light; never mirrored, as print is not."""
    rotated = np.rot90(crop, int(rng.integers(4)))
    gain = np.exp(rng.normal(0, 0.08) + rng.normal(0, 0.03, 3))
    lit = rotated.astype(np.float32) * gain.astype(np.float32) + np.float32(rng.normal(0, 6))
    return lit.clip(0, 255).astype(np.uint8)
