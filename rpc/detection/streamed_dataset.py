"""Scenes that are made while a detector learns, for mmdet: each is new, and known by its number."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import torch
from mmdet.registry import DATA_SAMPLERS, DATASETS
from mmengine.dataset import Compose
from mmengine.dist import get_dist_info
from torch.utils.data import Dataset, Sampler

from rpc.data.scene_stream import SceneSource
from rpc.detection.dataset import PRODUCT

STREAMED: Final = "StreamedScenes"
ENDLESS: Final = 2**31 - 1  # scenes, for whoever asks


@DATASETS.register_module(STREAMED)
class StreamedScenes(Dataset[Any]):
    """The scenes of a source; what is done to scene i by chance depends on the seed and i alone.

    Args:
        source: makes the scenes, in the worker that asks for one.
        pipeline: mmdet's steps, `LoadRGB` first.
        agnostic: every SKU becomes the one class "product".
        seed: of augmentation.
    """

    def __init__(
        self,
        source: SceneSource,
        pipeline: Sequence[Any],
        agnostic: bool = False,
        seed: int = 0,
    ) -> None:
        taxonomy = PRODUCT if agnostic else source.taxonomy
        self.metainfo = {
            "classes": taxonomy.names,
            "category_ids": taxonomy.ids,
            "scenes": source.fingerprint,
        }
        self.source, self.agnostic, self.seed = source, agnostic, seed
        self.pipeline = Compose(list(pipeline))

    def __len__(self) -> int:
        return ENDLESS if self.source.count is None else self.source.count

    def __getitem__(self, index: int) -> Any:
        """Scene `index`, augmented, as mmdet's models want it.

        Raises:
            DataError: what it is made of is missing or damaged.
        """
        scene = self.source.scene(index)
        labels = np.zeros_like(scene.labels) if self.agnostic else scene.labels
        entry = {
            "img_id": index,
            "img_path": f"scene {index}",
            "img": scene.read(),
            "height": scene.height,
            "width": scene.width,
            "instances": [
                {"bbox": box, "bbox_label": label, "ignore_flag": 0}
                for box, label in zip(scene.boxes.tolist(), labels.tolist(), strict=True)
            ],
        }
        with torch.random.fork_rng(devices=[]):  # what `rpc.detection.transforms` draws from
            state = np.random.SeedSequence([self.seed, index]).generate_state(1, np.uint64)
            torch.manual_seed(int(state[0] >> 1))
            return self.pipeline(entry)


@DATA_SAMPLERS.register_module()
class SceneOrder(Sampler[int]):
    """Scenes 0, 1, 2, ... dealt to the processes in turn, from the one that an update begins with.

    Args:
        dataset: whose scenes.
        seed: not used: the order is that of the numbers. mmengine gives one.
    """

    def __init__(self, dataset: Any, seed: int | None = None) -> None:
        self._scenes = len(dataset)
        self._first = 0
        self._rank, self._processes = get_dist_info()

    def begin(self, done: int) -> None:
        """Go on after so many scenes of each process."""
        self._first = done

    def __iter__(self) -> Iterator[int]:
        for number in itertools.count(self._first):
            yield (number * self._processes + self._rank) % self._scenes

    def __len__(self) -> int:
        return self._scenes
