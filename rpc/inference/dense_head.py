"""Raw numbers of a one-stage detector's head to boxes: what mmdet's own decoding does, in numpy.

A dense head says for each cell of each of its maps how much each class is there, and how far the
four sides of a box are from the cell's point. Arithmetic is in float64 whatever the network ran in:
half precision has cost other detectors their boxes.

Key: K classes, L levels of h x w cells each, C candidates, N boxes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Maps = NDArray[np.float32]
# Corners (N, 4) in any order, scores (N,) and labels (N,), best first.
Found = tuple[FloatArray, FloatArray, NDArray[np.int64]]

# Least and most of each setting, as `rpc.detection.description` allows them in a model file.
_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "score_threshold": (0, 1),
    "nms_iou": (0, 1),
    "candidates": (1, 100_000),
    "most": (1, 10_000),
    "least_side": (-1, 10_000),
    "offset": (0, 1),
}
_LEVELS: Final = 8
_STRIDE: Final = 256


@dataclass(frozen=True)
class DenseHead:
    """Decodes the maps of a dense head with points and sigmoid classes, such as RTMDet's.

    Attributes:
        strides: pixels of the picture from one cell to the next, by level.
        offset: where a cell's point lies, as a share of the stride.
        score_threshold: a class scores more than this, or the cell is no candidate for it.
        candidates: at most so many of each level go on, the best first.
        nms_iou: boxes of a class that overlap a better one by more are dropped.
        most: boxes of a picture.
        least_side: both sides of a box are longer than this, px; below 0 any box goes on.

    Raises:
        ValueError: a setting of another type or out of its range.
    """

    strides: tuple[int, ...]
    offset: float
    score_threshold: float
    candidates: int
    nms_iou: float
    most: int
    least_side: float

    def __post_init__(self) -> None:
        levels = self.strides
        fine = isinstance(levels, tuple) and 1 <= len(levels) <= _LEVELS
        if not fine or not all(type(one) is int and 1 <= one <= _STRIDE for one in levels):
            raise ValueError(
                f"head.strides: expected 1 to {_LEVELS} whole numbers of 1 to {_STRIDE} px, "
                f"got {levels!r:.60}"
            )
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            whole = name in ("candidates", "most")
            if type(value) not in ((int,) if whole else (int, float)) or not least <= value <= most:
                kind = "a whole number" if whole else "a number"
                raise ValueError(
                    f"head.{name}: expected {kind} of {least:g} to {most:g}, got {value!r:.40}"
                )

    @classmethod
    def from_dict(cls, values: object) -> DenseHead:
        """From plain values, as `to_dict` gives them.

        Raises:
            ValueError: it is something else.
        """
        names = {field.name for field in fields(cls)}
        if not isinstance(values, Mapping) or set(values) != names:
            raise ValueError(f"head: expected a dict of {', '.join(sorted(names))}")
        strides = values["strides"]
        if not isinstance(strides, list | tuple):
            raise ValueError(f"head.strides: expected a list, got {strides!r:.60}")
        return cls(**{**values, "strides": tuple(strides)})

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "strides": list(self.strides)}

    def decode_batch(
        self,
        classes: Sequence[Maps],
        sides: Sequence[Maps],
        objects: Sequence[Maps],
        shape: tuple[int, int],
    ) -> list[Found]:
        """The boxes of each of several pictures, from maps (B, ., h, w); see `decode`."""
        found = []
        for row in range(len(classes[0])):
            named, placed, there = (
                [level[row] for level in maps] for maps in (classes, sides, objects)
            )
            found.append(self.decode(named, placed, there, shape))
        return found

    def decode(
        self,
        classes: Sequence[Maps],
        sides: Sequence[Maps],
        objects: Sequence[Maps],
        shape: tuple[int, int],
    ) -> Found:
        """The boxes of one picture, best first.

        Args:
            classes: scores before the sigmoid, of each level (K, h, w).
            sides: distances left, up, right and down from a cell's point to the sides of its box,
                px, of each level (4, h, w).
            objects: objectness before the sigmoid, of each level (1, h, w): a score is then the
                geometric mean of both. Empty for a head without it.
            shape: height and width of the picture, px; boxes end there.

        Returns:
            Boxes in pixels of the picture with scores and labels. With a negative `least_side`, an
            untrained network turns some of them inside out.

        Raises:
            ValueError: other shapes than these, or numbers that are not finite.
        """
        self._check(classes, sides, objects)
        there: Sequence[Maps | None] = objects or [None] * len(classes)
        levels = zip(self.strides, classes, sides, there, strict=True)
        parts = [self._level(*level) for level in levels]
        boxes, scores, labels = (np.concatenate(some) for some in zip(*parts, strict=True))
        boxes[:, 0::2] = boxes[:, 0::2].clip(0, shape[1])
        boxes[:, 1::2] = boxes[:, 1::2].clip(0, shape[0])
        if self.least_side >= 0:
            wide = ((boxes[:, 2:] - boxes[:, :2]) > self.least_side).all(axis=1)
            boxes, scores, labels = boxes[wide], scores[wide], labels[wide]
        order = np.argsort(-scores, kind="stable")
        kept = order[suppressed(boxes[order], labels[order], self.nms_iou, self.most)]
        return boxes[kept], scores[kept], labels[kept]

    def _level(self, stride: int, classes: Maps, sides: Maps, objects: Maps | None) -> Found:
        """The candidates of one level."""
        width = classes.shape[2]
        # In the order of cells, then classes.
        raw = classes.reshape(len(classes), -1).T  # (h * w, K)
        # Few cells are above the threshold: the others are told without an exponential. With
        # objectness, of 1 at most, a class has to have the threshold's square.
        least = self.score_threshold ** (1 if objects is None else 2)
        cells, labels = np.nonzero(raw > _logit(least) - 1e-3)
        scores = _sigmoid(raw[cells, labels])
        if objects is not None:
            scores = np.sqrt(scores * _sigmoid(objects.reshape(-1)[cells]))
        above = scores > self.score_threshold
        cells, labels, scores = cells[above], labels[above], scores[above]
        best = np.argsort(-scores, kind="stable")[: self.candidates]
        cells, labels, scores = cells[best], labels[best], scores[best]
        points = (np.stack([cells % width, cells // width], axis=1) + self.offset) * stride
        away = sides.reshape(4, -1).T[cells].astype(np.float64)  # (C, 4)
        boxes = np.concatenate([points - away[:, :2], points + away[:, 2:]], axis=1)
        return boxes, scores, labels

    def _check(
        self, classes: Sequence[Maps], sides: Sequence[Maps], objects: Sequence[Maps]
    ) -> None:
        levels = len(self.strides)
        maps = (*classes, *sides, *objects)
        fine = len(classes) == len(sides) == levels and len(objects) in (0, levels)
        fine = fine and all(np.ndim(one) == 3 for one in maps)
        rows = [(len(classes[0]), classes), (4, sides), (1, objects)] if fine else []
        fits = all(
            one.shape == (count, *classes[level].shape[1:])
            for count, some in rows
            for level, one in enumerate(some)
        )
        if not (fine and fits):
            raise ValueError(
                f"head: expected (K, h, w), (4, h, w) and (1, h, w) or none of {levels} levels, "
                f"got {[np.shape(one) for one in maps]}"
            )
        if not all(np.isfinite(one).all() for one in maps):
            raise ValueError("head: the network gave numbers that are NaN or infinite")


def suppressed(
    boxes: FloatArray, labels: NDArray[np.int64], iou: float, most: int
) -> NDArray[np.int64]:
    """Rows (N,) that stay, in their order: at most so many, none near a better one of its label.

    Args:
        boxes: (C, 4), best first.
        labels: (C,).
        iou: a box that overlaps one that stays by more than this goes.
        most: rows that stay.
    """
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = np.arange(len(boxes))
    kept: list[int] = []
    while len(left) and len(kept) < most:
        first, others = left[0], left[1:]
        kept.append(int(first))
        low = np.maximum(boxes[first, :2], boxes[others, :2])
        high = np.minimum(boxes[first, 2:], boxes[others, 2:])
        inter = (high - low).clip(min=0).prod(axis=1)
        union = areas[first] + areas[others] - inter
        # Without a division: boxes without area overlap nothing.
        near = (inter > iou * union) & (labels[others] == labels[first])
        left = others[~near]
    return np.array(kept, dtype=np.int64)


def _sigmoid(values: Maps) -> FloatArray:
    found: FloatArray = 1 / (1 + np.exp(-values.astype(np.float64)))
    return found


def _logit(share: float) -> float:
    if share <= 0:
        return -np.inf
    return np.inf if share >= 1 else float(np.log(share / (1 - share)))
