"""A counter's two exported networks at work: a detector, and the recogniser of its crops."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.inference.dense_head import DenseHead, Found
from rpc.inference.finding import find_on_photos
from rpc.inference.letterbox import Rgb, square_side
from rpc.inference.network import BYTES, FLOATS, OpensNetwork
from rpc.structures import Detections

PICTURES = "pictures"  # input of a detector: (B, S, S, 3) uint8 RGB
CROPS, EXTENTS, LOGITS = "crops", "extents", "logits"  # of a recogniser
FEATURES = "features"  # likewise; exports of former versions lack them


def map_names(levels: int, *, objectness: bool) -> list[str]:
    """Names of a detector's outputs: classes and sides by level, and objectness where it is."""
    kinds = ("classes", "sides", "objects") if objectness else ("classes", "sides")
    return [f"{kind}_{level}" for kind in kinds for level in range(levels)]


class NetworkDetector:
    """A detector of one stage; see `rpc.detection.detector.Detector`.

    Args:
        opens: its network.
        head: decodes what it says.
        objectness: whether it says so apart.
        image_size: side of the square that photos are laid into, px, before it is rounded up.
        labels: how many it tells apart.

    Raises:
        DataError: the file holds something else.
    """

    def __init__(
        self,
        opens: OpensNetwork,
        head: DenseHead,
        *,
        objectness: bool,
        image_size: int,
        labels: int,
    ) -> None:
        names = map_names(len(head.strides), objectness=objectness)
        self._network = opens({PICTURES: BYTES}, names)
        self.head, self.image_size, self._labels = head, image_size, labels
        side = square_side(image_size)
        if self._network.shape_of_input(PICTURES)[1:] != (side, side, 3):
            raise DataError(
                f"{self._network.where}: takes other pictures than of {side} px; export it again"
            )

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


class NetworkLogits:
    """Scores of crops by a recogniser: the `logits` of `rpc.inference.naming.NamesCrops`.

    Args:
        opens: its network.
        side: of a crop, px.
        classes: that it tells apart.

    Raises:
        DataError: the file holds something else.
    """

    def __init__(self, opens: OpensNetwork, *, side: int, classes: int) -> None:
        given = {CROPS: BYTES, EXTENTS: FLOATS}
        self._outputs = [LOGITS, FEATURES]
        try:
            self._network = opens(given, self._outputs)
        except DataError:  # of a former version; or no recogniser, which is told here
            self._outputs = [LOGITS]
            self._network = opens(given, self._outputs)
        self._classes = classes
        if self._network.shape_of_input(CROPS)[1:] != (side, side, 3):
            raise DataError(
                f"{self._network.where}: takes other crops than of {side} px; export it again"
            )

    def __call__(self, crops: Rgb, extents: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (B, K) of crops (B, S, S, 3) and their extents (B, 2)."""
        logits = self._network(crops, extents)[0]
        if logits.shape != (len(crops), self._classes):
            raise DataError(
                f"{self._network.where}: gave scores {logits.shape}, expected "
                f"{(len(crops), self._classes)}; export it again"
            )
        return logits

    def features(self, crops: Rgb) -> NDArray[np.float32]:
        """Features (B, F) of crops (B, S, S, 3), before the layer that decides.

        Raises:
            DataError: the network gives none.
        """
        if FEATURES not in self._outputs:
            raise DataError(f"{self._network.where}: gives no features; export its model again")
        _, features = self._network(crops, np.zeros((len(crops), 2), np.float32))
        if features.ndim != 2 or len(features) != len(crops) or features.dtype != np.float32:
            raise DataError(
                f"{self._network.where}: gave features {features.shape}; export it again"
            )
        return features
