"""A counter's two networks in ONNX Runtime: a detector, and the recogniser of its crops."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.inference.dense_head import DenseHead, Found
from rpc.inference.finding import find_on_photos
from rpc.inference.letterbox import Rgb, square_side
from rpc.inference.session import OnnxNetwork
from rpc.structures import Detections

PICTURES = "pictures"  # input of a detector: (B, S, S, 3) uint8 RGB
CROPS, EXTENTS, LOGITS = "crops", "extents", "logits"  # of a recogniser
_BYTES, _FLOATS = "tensor(uint8)", "tensor(float)"


def map_names(levels: int, *, objectness: bool) -> list[str]:
    """Names of a detector's outputs: classes and sides by level, and objectness where it is."""
    kinds = ("classes", "sides", "objects") if objectness else ("classes", "sides")
    return [f"{kind}_{level}" for kind in kinds for level in range(levels)]


class OnnxDetector:
    """A detector of one stage; see `rpc.detection.detector.Detector`.

    Args:
        content: of its ONNX file.
        where: the file, for errors.
        head: decodes what it says.
        objectness: whether it says so apart.
        image_size: side of the square that photos are laid into, px, before it is rounded up.
        labels: how many it tells apart.
        device: see `rpc.inference.session.OnnxNetwork`.

    Raises:
        DataError: the file holds something else, or the device is not there.
    """

    def __init__(
        self,
        content: bytes,
        where: str,
        head: DenseHead,
        *,
        objectness: bool,
        image_size: int,
        labels: int,
        device: str = "cpu",
    ) -> None:
        names = map_names(len(head.strides), objectness=objectness)
        self._network = OnnxNetwork(content, where, {PICTURES: _BYTES}, names, device=device)
        self.head, self.image_size, self._labels = head, image_size, labels
        side = square_side(image_size)
        if self._network.shape_of_input(PICTURES)[1:] != (side, side, 3):
            raise DataError(f"{where}: takes other pictures than of {side} px; export it again")

    def predict(self, rgb: Rgb) -> Detections:
        """All detections of a photo (H, W, 3), before any counting rule; best score first.

        Raises:
            ValueError: not an RGB photo.
        """
        return self.predict_batch([rgb])[0]

    def predict_batch(self, photos: Sequence[Rgb]) -> list[Detections]:
        """All detections of each photo, as `predict`.

        Raises:
            ValueError: one of them is not an RGB photo.
        """
        return find_on_photos(photos, (self.image_size, self.image_size), self._run)

    def _run(self, pictures: Sequence[Rgb]) -> list[Found]:
        maps = self._network(np.stack(pictures))
        levels = len(self.head.strides)
        classes, sides, objects = (maps[n * levels : (n + 1) * levels] for n in range(3))
        if classes[0].shape[1] != self._labels:
            raise DataError(
                f"{self._network.where}: tells {classes[0].shape[1]} kinds of items apart, "
                f"expected {self._labels}; export it again"
            )
        return self.head.decode_batch(classes, sides, objects, pictures[0].shape[:2])


class OnnxLogits:
    """Scores of crops by a recogniser: the `logits` of `rpc.inference.naming.NamesCrops`.

    Args:
        content: of its ONNX file.
        where: the file, for errors.
        side: of a crop, px.
        classes: that it tells apart.
        device: see `rpc.inference.session.OnnxNetwork`.

    Raises:
        DataError: the file holds something else, or the device is not there.
    """

    def __init__(
        self, content: bytes, where: str, *, side: int, classes: int, device: str = "cpu"
    ) -> None:
        given = {CROPS: _BYTES, EXTENTS: _FLOATS}
        self._network = OnnxNetwork(content, where, given, [LOGITS], device=device)
        self._classes = classes
        if self._network.shape_of_input(CROPS)[1:] != (side, side, 3):
            raise DataError(f"{where}: takes other crops than of {side} px; export it again")

    def __call__(self, crops: Rgb, extents: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (B, K) of crops (B, S, S, 3) and their extents (B, 2)."""
        (logits,) = self._network(crops, extents)
        if logits.shape != (len(crops), self._classes):
            raise DataError(
                f"{self._network.where}: gave scores {logits.shape}, expected "
                f"{(len(crops), self._classes)}; export it again"
            )
        return logits
