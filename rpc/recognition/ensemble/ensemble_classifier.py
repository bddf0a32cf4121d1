"""An ensemble of a recognition system and the counter's own recogniser, on a detector's boxes.

The system knows SKUs only. Whether a box frames a single product at all is left to the counter's
recogniser, which was shown boxes that do not.

Key: N boxes of a photo of H x W pixels, K SKUs of the counter, J classes of the system, S x S
pixels of its input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rpc.recognition.box_classifier import BoxClassifier
from rpc.recognition.systems.system import System
from rpc.recognition.training.loop import predict
from rpc.recognition.training.photo_geometry import Placed, fit_window, warp_photo
from rpc.retrieval.gallery.fusion import Fusion, choose_fusion, known_labels
from rpc.retrieval.gallery.open_set import softmax

FloatArray = NDArray[np.float64]
Rgb = NDArray[np.uint8]
TEMPERATURES: Final = tuple(float(t) for t in np.geomspace(0.02, 20, 61))


def box_views(rgb: Rgb, boxes: FloatArray, side: int, margin: float, turns: int = 1) -> Tensor:
    """A system's views of boxes: (turns * N, 3, S, S) uint8, as in learning, undistorted on grey.

    Args:
        rgb: (H, W, 3).
        boxes: (N, 4) x1, y1, x2, y2 px; a box beyond the photo is cut at its edge.
        side: S.
        margin: around a box, as a share of its sides.
        turns: quarter turns of each: all boxes as they lie, then all rotated once, and so on.
    """
    height, width = rgb.shape[:2]
    views = np.zeros((turns, len(boxes), side, side, 3), np.uint8)
    for row, (x1, y1, x2, y2) in enumerate(np.asarray(boxes, np.float64).reshape(-1, 4)):
        across, down = margin * (x2 - x1), margin * (y2 - y1)
        left, top = (
            int(max(min(x1 - across, width - 1), 0)),
            int(max(min(y1 - down, height - 1), 0)),
        )
        right, bottom = int(np.ceil(min(x2 + across, width))), int(np.ceil(min(y2 + down, height)))
        crop = np.ascontiguousarray(rgb[top : max(bottom, top + 1), left : max(right, left + 1)])
        size = np.array(crop.shape[1::-1], np.float64)
        nowhere = Placed(np.zeros(4), np.zeros((0, 3)))
        seen = warp_photo(crop, nowhere, fit_window(np.zeros(2), size, side), side).image
        for turn in range(turns):
            views[turn, row] = np.rot90(seen, turn)
    flat = views.reshape(-1, side, side, 3).transpose(0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(flat))


class SystemClassifier:
    """A trained system that classifies boxes.

    Args:
        system: trained.
        names: of its J classes, by label.
        margin: around a box, as a share of its sides; what it was trained with.
        turns: quarter turns of each box whose probabilities are averaged: 4 where products lie in
            any direction.
    """

    def __init__(
        self, system: System, names: Sequence[str], *, margin: float, turns: int = 1
    ) -> None:
        if len(names) != system.num_classes or not 1 <= turns <= 4 or not 0 <= margin <= 10:
            raise ValueError(
                f"classifier: expected {system.num_classes} names, 1 to 4 turns and a margin of 0 "
                f"to 10, got {len(names)}, {turns}, {margin}"
            )
        self.system, self.names = system.eval(), tuple(names)
        self.margin, self.turns = margin, turns

    def scores(self, rgb: Rgb, boxes: FloatArray) -> FloatArray:
        """Scores (turns, N, J) of boxes (N, 4) of a photo (H, W, 3), before any softmax."""
        views = box_views(rgb, boxes, self.system.side, self.margin, self.turns)
        found = predict(self.system, list(views)).numpy().astype(np.float64)
        return found.reshape(self.turns, len(boxes), len(self.names))


def temper(scores: FloatArray, temperature: float) -> FloatArray:
    """Probabilities (N, J) of scores (turns, N, J): softmax at a temperature, mean over turns.

    Raises:
        ValueError: the temperature is not above 0.
    """
    if not temperature > 0:
        raise ValueError(f"temperature: expected above 0, got {temperature}")
    return np.asarray(np.mean([softmax(rows / temperature) for rows in scores], axis=0))


def rejoined(
    own: FloatArray, probabilities: FloatArray, fusion: Fusion, known: NDArray[np.int64]
) -> FloatArray:
    """Probabilities (N, K + 1) of both: the SKUs' shares are joined, 'no product' stays as it was.

    Args:
        own: (N, K + 1) of the counter's recogniser.
        probabilities: (N, J) of the system.
        fusion: the system's weight, and its constant for SKUs that it does not know.
        known: (K,) the system's class of each SKU, -1 where it has none.
    """
    nothing = own[:, -1:]
    skus = fusion.join(own, _with_nothing(probabilities, nothing), known)[:, :-1]
    share = skus / np.maximum(skus.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    return np.concatenate([share * (1 - nothing), nothing], axis=1)


def choose_system_temperature(scores: FloatArray, truth: NDArray[np.int64]) -> float:
    """The temperature under which the true classes (N,) are likeliest, from scores (turns, N, J).

    Raises:
        ValueError: no box.
    """
    if len(truth) == 0:
        raise ValueError("temperature: expected one box or more of a class to choose on, got none")
    rows = np.arange(len(truth))
    costs = [
        -np.log(np.maximum(temper(scores, t)[rows, truth], 1e-12)).mean() for t in TEMPERATURES
    ]
    return TEMPERATURES[int(np.argmin(costs))]


def choose_weight(
    own: FloatArray, probabilities: FloatArray, known: NDArray[np.int64], labels: NDArray[np.int64]
) -> Fusion:
    """The fusion under which the true SKUs of validation boxes are likeliest.

    Args:
        own: (N, K + 1) of the counter's recogniser.
        probabilities: (N, J) of the system.
        known: (K,) the system's class of each SKU, -1 where it has none.
        labels: (N,) true SKU, below K.

    Raises:
        ValueError: no box.
    """
    return choose_fusion(own, _with_nothing(probabilities, own[:, -1:]), known, labels)


def _with_nothing(probabilities: FloatArray, nothing: FloatArray) -> FloatArray:
    return np.concatenate([probabilities * (1 - nothing), nothing], axis=1)


class EnsembleClassifier:
    """A counter's recogniser and a system, as one.

    Args:
        own: the counter's recogniser.
        names: its K SKUs by label.
        classifier: the system.
        temperature: of the system's softmax.
        fusion: the system's weight; chosen on validation.
    """

    def __init__(
        self,
        own: BoxClassifier,
        names: Sequence[str],
        classifier: SystemClassifier,
        *,
        temperature: float,
        fusion: Fusion,
    ) -> None:
        self.own, self.classifier = own, classifier
        self.temperature, self.fusion = temperature, fusion
        self.known = known_labels(tuple(names), classifier.names)

    def probabilities(self, rgb: Rgb, boxes: FloatArray) -> FloatArray:
        """(N, K + 1), each row summing to 1, of boxes (N, 4) of a photo (H, W, 3)."""
        own = self.own.probabilities(rgb, boxes)
        probabilities = temper(self.classifier.scores(rgb, boxes), self.temperature)
        return rejoined(own, probabilities, self.fusion, self.known)
