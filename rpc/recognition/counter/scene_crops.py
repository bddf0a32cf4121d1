"""Crops of composed scenes in random order, as a recogniser is to see them in training.

Key: B crops of a batch, S x S pixels of a crop, K SKUs; label K is 'no single product'.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

from rpc.data.dataset import Dataset
from rpc.data.entry_photo import read_entry_photo
from rpc.data.files import DataError, safe_join
from rpc.recognition.counter.crops import Cover, box_extents, cut_crops, jitter_boxes, stray_boxes
from rpc.recognition.systems.system import Batch
from rpc.recognition.training.batch_source import HowMany
from rpc.runs.data_workers import TrainingLoader

POOL: Final = 6  # batches in the pool, so that a batch mixes many scenes
EXTENT_NOISE: Final = 0.05  # of log2: a counter's camera may hang 3 % higher
_PLAIN: Final = 32  # crops of a batch of a pass
_PASS: Final = 1  # keeps the chance of passes apart from that of batches


@dataclass(frozen=True)
class CropSettings:
    """How crops are taken from scenes.

    Attributes:
        stray_share: stray boxes (no single product) for each item.
        hidden_share: share of the items whose middle is covered (`Cover`).

    Raises:
        ValueError: a value is out of its range.
    """

    stray_share: float = 0.15
    hidden_share: float = 0.1

    def __post_init__(self) -> None:
        if not (0 <= self.stray_share <= 10 and 0 <= self.hidden_share <= 1):
            raise ValueError(
                "scene crops: expected stray_share of 0 to 10 and hidden_share of 0 to 1, got "
                f"{self.stray_share} and {self.hidden_share}"
            )


class SceneCrops:
    """Crops of composed scenes as training batches; see `BatchSource`.

    A process beside this one makes the batches of a phase one after the other; asked for another
    batch than the next, it goes through the random choices up to that one, without their pixels.

    Args:
        data: the scenes.
        folder: of their images.
        side: S.
        settings: how crops are taken.
        rank: of this process among those that train together.
    """

    def __init__(
        self,
        data: Dataset,
        folder: Path,
        side: int = 128,
        settings: CropSettings | None = None,
        *,
        rank: int = 0,
    ) -> None:
        self.data, self.folder, self.side = data, folder, side
        self.settings = settings or CropSettings()
        self.rank = rank
        self._open: tuple[tuple[int, int, int, int], Iterator[Batch]] | None = None

    @property
    def fingerprint(self) -> str:
        """Of the scenes, their items, and how crops are taken."""
        parts = [f"{image.file_name} {image.width} {image.height}" for image in self.data.images]
        parts += [f"{a.image_id} {a.category_id} {a.bbox}" for a in self.data.annotations]
        text = "\n".join([*parts, str(asdict(self.settings)), str(self.side)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def batch(self, settings: HowMany, phase: int, step: int) -> Batch:
        """Batch `step` of a phase.

        Raises:
            DataError: a scene's image is missing or damaged.
        """
        wanted = (settings.seed, settings.batch_size, phase, step)
        if self._open is None or self._open[0] != wanted:
            self.close()
            stream = CropStream(
                self, [settings.seed, phase, self.rank], settings.batch_size, first=step
            )
            self._open = (wanted, _made_beside(stream))
        batches = self._open[1]
        self._open = ((*wanted[:3], step + 1), batches)
        return next(batches)

    def passes(self, seed: int, phase: int) -> ScenePasses:
        """The items of the scenes, unaugmented."""
        return ScenePasses(self, np.random.default_rng([seed, phase, self.rank, _PASS]))

    def close(self) -> None:
        """End the process that makes batches."""
        self._open = None


class CropStream(IterableDataset[Batch]):
    """The batches of one phase, without end.

    Args:
        source: of what.
        key: of chance.
        size: B.
        first: the batch that it begins with.
    """

    def __init__(self, source: SceneCrops, key: Sequence[int], size: int, first: int = 0) -> None:
        self.source, self.key, self.size, self.first = source, list(key), size, first

    def __iter__(self) -> Iterator[Batch]:
        """Batches of crops from a shuffled pool."""
        rng = np.random.default_rng(self.key)
        pool: list[tuple[_Scene, int]] = []
        made = 0
        while True:
            for index in rng.permutation(len(self.source.data.images)):
                scene = _Scene.drawn(self.source, int(index), rng)
                pool += [(scene, row) for row in range(len(scene.labels))]
                while len(pool) >= POOL * self.size:
                    order = rng.permutation(len(pool))
                    if made >= self.first:
                        yield _batch([pool[i] for i in order[: self.size]])
                    pool = [pool[i] for i in order[self.size :]]
                    made += 1


@dataclass(frozen=True)
class _Change:
    """How one crop is changed: a cover, a quarter turn and another light; never mirrored."""

    cover: Cover | None
    turns: int
    gain: NDArray[np.float64]  # (3,)
    offset: float

    @classmethod
    def drawn(cls, cover: Cover | None, rng: np.random.Generator) -> _Change:
        turns = int(rng.integers(4))
        gain = np.exp(rng.normal(0, 0.08) + rng.normal(0, 0.03, 3))
        return cls(cover, turns, gain, rng.normal(0, 6))

    def of(self, crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The changed crop (S, S, 3)."""
        if self.cover is not None:
            crop = self.cover.over(crop)
        lit = np.rot90(crop, self.turns).astype(np.float32) * self.gain.astype(np.float32)
        return (lit + np.float32(self.offset)).clip(0, 255).astype(np.uint8)


@dataclass(frozen=True)
class _Scene:
    """The boxes of one scene and how their crops are changed; pixels follow when asked for."""

    source: SceneCrops
    index: int
    boxes: NDArray[np.float64]  # (N, 4)
    extents: NDArray[np.float32]  # (N, 2)
    labels: list[int]
    changes: list[_Change]

    @classmethod
    def drawn(cls, source: SceneCrops, index: int, rng: np.random.Generator) -> _Scene:
        """Items as a detector might frame them, and stray boxes, by chance."""
        image, data, settings = source.data.images[index], source.data, source.settings
        items = data.annotations_of(image.id)
        boxes = np.array([a.bbox for a in items], dtype=np.float64).reshape(-1, 4)
        moved = jitter_boxes(boxes, image.width, image.height, rng)
        count = rng.poisson(settings.stray_share * len(items))
        strays = stray_boxes(boxes, count, image.width, image.height, rng)
        nothing = len(data.taxonomy)
        labels = [data.taxonomy.label(a.category_id) for a in items] + [nothing] * len(strays)
        framed = np.concatenate([moved, strays])
        extents = box_extents(framed, image.width) + np.float32(rng.normal(0, EXTENT_NOISE))
        changes = []
        for label in labels:
            hidden = label != nothing and rng.random() < settings.hidden_share
            cover = Cover.drawn(source.side, rng) if hidden else None
            changes.append(_Change.drawn(cover, rng))
        return cls(source, index, framed, extents, labels, changes)

    @cached_property
    def crops(self) -> list[NDArray[np.uint8]]:
        """The changed crops (S, S, 3)."""
        rgb = _pixels(self.source, self.index)
        cut = cut_crops(rgb, self.boxes, self.source.side)
        return [change.of(crop) for crop, change in zip(cut, self.changes, strict=True)]


@dataclass(frozen=True)
class ScenePasses:
    """The items of scenes in their true boxes, and chance; see `Passes`."""

    source: SceneCrops
    rng: np.random.Generator

    def once(self) -> Iterator[Batch]:
        """Every item once, in order."""
        return self._items(range(len(self.source.data.annotations)))

    def some(self, count: int) -> Iterator[Batch]:
        """So many items, drawn by chance, in order."""
        rows = self.rng.permutation(len(self.source.data.annotations))[:count]
        return self._items(sorted(rows.tolist()))

    def _items(self, rows: Sequence[int]) -> Iterator[Batch]:
        data, side = self.source.data, self.source.side
        places = {image.id: index for index, image in enumerate(data.images)}
        for start in range(0, len(rows), _PLAIN):
            items = [data.annotations[row] for row in rows[start : start + _PLAIN]]
            crops, extents = [], []
            for item in items:
                index = places[item.image_id]
                box = np.array([item.bbox], dtype=np.float64)
                crops += list(cut_crops(_pixels(self.source, index), box, side))
                extents.append(box_extents(box, data.images[index].width)[0])
            yield _stack(crops, extents, [data.taxonomy.label(a.category_id) for a in items])


def _pixels(source: SceneCrops, index: int) -> NDArray[np.uint8]:
    image = source.data.images[index]
    path = safe_join(source.folder, image.file_name)
    return read_entry_photo(path, (image.width, image.height))


def _batch(chosen: Sequence[tuple[_Scene, int]]) -> Batch:
    return _stack(
        [scene.crops[row] for scene, row in chosen],
        [scene.extents[row] for scene, row in chosen],
        [scene.labels[row] for scene, row in chosen],
    )


def _stack(
    crops: Sequence[NDArray[np.uint8]],
    extents: Sequence[NDArray[np.float32]],
    labels: Sequence[int],
) -> Batch:
    stacked = np.stack(crops).transpose(0, 3, 1, 2)
    count, side = len(crops), stacked.shape[2]
    return Batch(
        torch.from_numpy(np.ascontiguousarray(stacked)),
        torch.tensor(labels),
        torch.tensor([[0.0, 0.0, side, side]]).repeat(count, 1),
        torch.zeros(count, 0, 3),
        torch.from_numpy(np.stack(extents)),
    )


def _made_beside(stream: CropStream) -> Iterator[Batch]:
    """The batches, made by another process.

    Raises:
        DataError: a scene's image is missing or damaged.
    """
    try:
        yield from TrainingLoader(stream, batch_size=None, num_workers=1, prefetch_factor=4)
    except DataError as error:  # its text holds the worker's traceback; the last line is ours
        last = str(error).strip().splitlines()[-1]
        raise DataError(last.partition("DataError: ")[2] or last) from error
