"""Crops of composed scenes in random order, as a recogniser is to see them in training.

Key: B crops of a batch, S x S pixels of a crop, K SKUs; label K is 'no single product'.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import IterableDataset, get_worker_info

from rpc.data.dataset import Dataset
from rpc.data.files import safe_join
from rpc.data.images import read_image
from rpc.recognition.classifier import CROP_SIDE
from rpc.recognition.crops import cut_crops, jitter_boxes, stray_boxes


class SceneCrops(IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """Endless crops of composed scenes in random order, ready-made batches from a shuffled pool.

    Args:
        data: the scenes.
        folder: of their images.
        size: B.
        stray_share: stray boxes (no single product) for each item.
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
        seed: int = 0,
        skip: int = 0,
    ) -> None:
        self.data = data
        self.folder = folder
        self.size = size
        self.stray_share = stray_share
        self.seed = seed
        self.skip = skip

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Batches: crops (B, 3, S, S) uint8 and labels (B,)."""
        worker = get_worker_info()
        number = 0 if worker is None else worker.id
        rng = np.random.default_rng([self.seed, self.skip, number])
        crops: list[NDArray[np.uint8]] = []
        labels: list[int] = []
        size = self.size
        while True:
            for index in rng.permutation(len(self.data.images)):
                found, named = self._scene(int(index), rng)
                crops += list(found)
                labels += named
                while len(crops) >= 6 * size:  # a pool, so that a batch mixes many scenes
                    order = rng.permutation(len(crops))
                    chosen, rest = order[:size], order[size:]
                    batch = np.stack([crops[i] for i in chosen]).transpose(0, 3, 1, 2)
                    target = torch.tensor([labels[i] for i in chosen])
                    crops, labels = [crops[i] for i in rest], [labels[i] for i in rest]
                    yield torch.from_numpy(np.ascontiguousarray(batch)), target

    def _scene(
        self, index: int, rng: np.random.Generator
    ) -> tuple[list[NDArray[np.uint8]], list[int]]:
        """Crops and labels of one scene, turned and lit at random."""
        image = self.data.images[index]
        rgb = read_image(safe_join(self.folder, image.file_name))
        items = self.data.annotations_of(image.id)
        boxes = np.array([a.bbox for a in items], dtype=np.float64).reshape(-1, 4)
        moved = jitter_boxes(boxes, image.width, image.height, rng)
        strays = stray_boxes(
            boxes,
            rng.poisson(self.stray_share * len(items)),
            image.width,
            image.height,
            rng,
        )
        nothing = len(self.data.taxonomy)
        labels = [self.data.taxonomy.label(a.category_id) for a in items] + [nothing] * len(strays)
        crops = cut_crops(rgb, np.concatenate([moved, strays]), CROP_SIDE)
        return [_vary(crop, rng) for crop in crops], labels


def _vary(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A quarter turn and another light; never mirrored, as print is not."""
    turned = np.rot90(crop, int(rng.integers(4)))
    gain = np.exp(rng.normal(0, 0.08) + rng.normal(0, 0.03, 3))
    lit = turned.astype(np.float32) * gain.astype(np.float32) + np.float32(rng.normal(0, 6))
    return lit.clip(0, 255).astype(np.uint8)
