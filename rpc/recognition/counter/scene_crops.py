"""Crops of composed scenes in random order, as a recogniser is to see them in training.

Key: B crops of a batch, S x S pixels of a crop, K SKUs; label K is 'no single product'.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import IterableDataset

from rpc.data.files import DataError
from rpc.data.scene_stream import SceneSource, TrainingScene
from rpc.inference.crops import box_extents, cut_crops
from rpc.recognition.counter.changes import Cover, jitter_boxes, stray_boxes
from rpc.recognition.systems.system import Batch
from rpc.recognition.training.batch_source import HowMany
from rpc.runs.data_workers import TrainingLoader

POOL: Final = 6  # batches in the pool, so that a batch mixes many scenes
EXTENT_NOISE: Final = 0.05  # of log2: a counter's camera may hang 3 % higher
BLOCK: Final = 128  # batches that an endless source's scenes are dealt to together
FIRST_SCENES: Final = 500  # of an endless source, for a phase in closed form
_PLAIN: Final = 32  # crops of a batch of a pass
_BLOCK_SCENES: Final = 2**20  # numbers of scenes that a block may take
_RANK_BLOCKS: Final = 2**20  # and a process of blocks
_PASS: Final = 1  # keeps the chance of passes apart from that of batches


@dataclass(frozen=True)
class CropSettings:
    """How crops are taken from scenes.

    Attributes:
        stray_share: stray boxes (no single product) for each item.
        hidden_share: share of the items whose middle is covered (`Cover`).
        foreign_share: scenes of foreign products for each scene, where there are some.

    Raises:
        ValueError: a value is out of its range.
    """

    stray_share: float = 0.15
    hidden_share: float = 0.2
    foreign_share: float = 0.1

    def __post_init__(self) -> None:
        shares = (self.hidden_share, self.foreign_share)
        if not (0 <= self.stray_share <= 10 and 0 <= min(shares) and max(shares) <= 1):
            raise ValueError(
                "scene crops: expected stray_share of 0 to 10, hidden_share and foreign_share of "
                f"0 to 1, got {self.stray_share}, {self.hidden_share} and {self.foreign_share}"
            )


class SceneCrops:
    """Crops of composed scenes as training batches; see `BatchSource`.

    A process beside this one makes the batches of a phase one after the other; asked for another
    batch than the next, it goes through the random choices up to that one: of a written set from
    the first batch, without its pixels; of an endless source from the first batch of its block of
    `BLOCK`, which begins with scenes of its own.

    Args:
        scenes: where they come from.
        side: S.
        settings: how crops are taken.
        foreign: scenes without end of products that the store does not have: 'no single product'.
        rank: of this process among those that train together.
    """

    def __init__(
        self,
        scenes: SceneSource,
        side: int = 128,
        settings: CropSettings | None = None,
        *,
        foreign: SceneSource | None = None,
        rank: int = 0,
    ) -> None:
        self.scenes, self.side, self.foreign = scenes, side, foreign
        self.settings = settings or CropSettings()
        self.rank = rank
        self._open: tuple[tuple[int, int, int, int], Iterator[Batch]] | None = None

    @property
    def fingerprint(self) -> str:
        """Of the scenes, and how crops are taken."""
        foreign = "" if self.foreign is None else self.foreign.fingerprint
        facts = [self.scenes.fingerprint, str(asdict(self.settings)), str(self.side), foreign]
        text = "\n".join(facts)
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
        count = self.source.scenes.count
        if count is not None:
            rng = np.random.default_rng(self.key)
            drawn = self._drawn(_again(count, rng), rng)
            yield from map(_batch, itertools.islice(drawn, self.first, None))
            return
        begun, inside = divmod(self.first, BLOCK)
        for block in itertools.count(begun):
            rng = np.random.default_rng([*self.key, block])
            start = (self.source.rank * _RANK_BLOCKS + block) * _BLOCK_SCENES
            drawn = self._drawn(itertools.count(start), rng)
            yield from map(_batch, itertools.islice(drawn, inside, BLOCK))
            inside = 0

    def _drawn(self, indices: Iterable[int], rng: np.random.Generator) -> Iterator[list[_Place]]:
        """The items of one batch after the other, by chance from a pool of scenes."""
        pool: list[_Place] = []
        for index in indices:
            scene = _Scene.drawn(self.source, index, rng)
            pool += [(scene, row) for row in range(len(scene.labels))]
            foreign = self.source.foreign
            if foreign is not None and rng.random() < self.source.settings.foreign_share:
                other = _Scene.foreign(self.source, foreign, int(rng.integers(2**31)), rng)
                pool += [(other, row) for row in range(len(other.labels))]
            while len(pool) >= POOL * self.size:
                order = rng.permutation(len(pool))
                yield [pool[i] for i in order[: self.size]]
                pool = [pool[i] for i in order[self.size :]]


def _again(count: int, rng: np.random.Generator) -> Iterator[int]:
    """So many scenes again and again, each time in another order."""
    while True:
        yield from rng.permutation(count).tolist()


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


class _Scene:
    """The boxes of one scene and how their crops are changed; pixels follow when asked for.

    Args:
        scene: with its pixels, which are let go once the crops are cut.
        side: S.
        boxes: (N, 4), as a detector might give them.
        extents: (N, 2).
        labels: N of them.
        changes: N of them.
    """

    def __init__(
        self,
        scene: TrainingScene,
        side: int,
        boxes: NDArray[np.float64],
        extents: NDArray[np.float32],
        labels: list[int],
        changes: list[_Change],
    ) -> None:
        self._scene: TrainingScene | None = scene
        self._side, self._boxes, self._changes = side, boxes, changes
        self._crops: list[NDArray[np.uint8]] = []
        self.extents, self.labels = extents, labels

    @classmethod
    def drawn(cls, source: SceneCrops, index: int, rng: np.random.Generator) -> _Scene:
        """Items as a detector might frame them, and stray boxes, by chance."""
        scene = source.scenes.scene(index)
        boxes, size = scene.boxes, (scene.width, scene.height)
        moved = jitter_boxes(boxes, *size, rng)
        count = rng.poisson(source.settings.stray_share * len(boxes))
        strays = stray_boxes(boxes, count, *size, rng)
        labels = scene.labels.tolist() + [len(source.scenes.taxonomy)] * len(strays)
        return cls._framed(source, scene, np.concatenate([moved, strays]), labels, rng)

    @classmethod
    def foreign(
        cls, source: SceneCrops, scenes: SceneSource, index: int, rng: np.random.Generator
    ) -> _Scene:
        """Products that the store does not have, as a detector might frame them."""
        scene = scenes.scene(index)
        moved = jitter_boxes(scene.boxes, scene.width, scene.height, rng)
        return cls._framed(source, scene, moved, [len(source.scenes.taxonomy)] * len(moved), rng)

    @classmethod
    def _framed(
        cls,
        source: SceneCrops,
        scene: TrainingScene,
        framed: NDArray[np.float64],
        labels: list[int],
        rng: np.random.Generator,
    ) -> _Scene:
        """Framed boxes with the changes of their crops, by chance."""
        nothing = len(source.scenes.taxonomy)
        extents = box_extents(framed, scene.width) + np.float32(rng.normal(0, EXTENT_NOISE))
        changes = []
        for label in labels:
            hidden = label != nothing and rng.random() < source.settings.hidden_share
            cover = Cover.drawn(source.side, rng) if hidden else None
            changes.append(_Change.drawn(cover, rng))
        return cls(scene, source.side, framed, extents, labels, changes)

    @property
    def crops(self) -> list[NDArray[np.uint8]]:
        """The changed crops (S, S, 3)."""
        if self._scene is not None:
            cut = cut_crops(self._scene.read(), self._boxes, self._side)
            self._crops = [change.of(crop) for crop, change in zip(cut, self._changes, strict=True)]
            self._scene = None
        return self._crops


_Place = tuple[_Scene, int]  # a scene and the row of an item in it


@dataclass(frozen=True)
class ScenePasses:
    """The items of scenes in their true boxes, and chance; see `Passes`.

    Of an endless source these are the items of its first `FIRST_SCENES` scenes.
    """

    source: SceneCrops
    rng: np.random.Generator
    mirrored: bool = False  # products bear print

    def once(self) -> Iterator[Batch]:
        """Every item once, in order."""
        return self._batches(None)

    def some(self, count: int) -> Iterator[Batch]:
        """So many items, drawn by chance, in order."""
        total = sum(len(scene.labels) for scene in self._scenes())
        return self._batches(frozenset(self.rng.permutation(total)[:count].tolist()))

    def _scenes(self) -> Iterator[TrainingScene]:
        count = self.source.scenes.count
        return map(self.source.scenes.scene, range(FIRST_SCENES if count is None else count))

    def _batches(self, rows: frozenset[int] | None) -> Iterator[Batch]:
        """Batches of the items whose numbers are among `rows`; of all of them where it is None."""
        items = self._items(rows)
        while chosen := list(itertools.islice(items, _PLAIN)):
            crops, extents, labels = zip(*chosen, strict=True)
            yield _stack(crops, extents, labels)

    def _items(
        self, rows: frozenset[int] | None
    ) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32], int]]:
        """Crop, extent and label of one item after the other."""
        first = 0
        for scene in self._scenes():
            last = first + len(scene.labels)
            wanted = [n - first for n in range(first, last) if rows is None or n in rows]
            first = last
            if wanted:
                boxes = scene.boxes[wanted]
                crops = cut_crops(scene.read(), boxes, self.source.side)
                extents = box_extents(boxes, scene.width)
                yield from zip(crops, extents, scene.labels[wanted].tolist(), strict=True)


def _batch(chosen: Sequence[_Place]) -> Batch:
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
