"""Steps of the image pipeline that mmdet lacks. Images are RGB (H, W, 3) uint8 throughout.

There is no mirroring: print that reads backwards does not lie on any tray.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmdet.structures.bbox import HorizontalBoxes
from numpy.typing import NDArray

from rpc.data.entry_photo import read_entry_photo


@TRANSFORMS.register_module()
class LoadRGB(BaseTransform):
    """Read `img_path` as RGB, upright, with all the checks of `rpc.data.entry_photo`.

    An `img` that is there already (a streamed scene) is taken as it is.
    """

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add `img`, `img_shape` and `ori_shape` (H, W).

        Raises:
            DataError: the image is missing, truncated, too large, or no image, or its boxes
                belong to another size of it.
        """
        image = results.get("img")
        if image is None:
            known = "width" in results and "height" in results
            size = (results["width"], results["height"]) if known else None
            image = read_entry_photo(results["img_path"], size)
        results["img"] = image
        results["img_shape"] = results["ori_shape"] = image.shape[:2]
        return results


@TRANSFORMS.register_module()
class RandomQuarterTurn(BaseTransform):
    """Turn image and boxes by 0, 90, 180 or 270 degrees, each as likely: a tray has no top."""

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Turn `img` and `gt_bboxes`."""
        turns = int(_random().integers(4))
        if turns:
            height, width = results["img"].shape[:2]
            results["img"] = np.ascontiguousarray(np.rot90(results["img"], turns))
            results["img_shape"] = results["img"].shape[:2]
            boxes = results["gt_bboxes"].numpy()
            rotated = rotate_boxes(boxes, turns, width, height).astype(np.float32)
            results["gt_bboxes"] = HorizontalBoxes(torch.from_numpy(rotated))
        return results


@TRANSFORMS.register_module()
class RandomLight(BaseTransform):
    """Another lamp: brightness, contrast, gamma and colour balance, each within +- its strength.

    Args:
        brightness: shift as a fraction of white.
        contrast: change of slope.
        gamma: change of the exponent.
        colour: change of each channel's gain.
    """

    def __init__(
        self,
        brightness: float = 0.12,
        contrast: float = 0.2,
        gamma: float = 0.15,
        colour: float = 0.06,
    ) -> None:
        self.strength = np.array([brightness, contrast, gamma, colour, colour, colour])

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Change `img`."""
        draw = _random().uniform(-self.strength, self.strength)
        results["img"] = cv2.LUT(results["img"], light_table(*draw)[None])
        return results


def rotate_boxes(boxes: NDArray[Any], turns: int, width: int, height: int) -> NDArray[Any]:
    """Boxes (N, 4) of an image of `width` x `height` px after `turns` quarter turns to the left."""
    for _ in range(turns % 4):
        x1, y1, x2, y2 = boxes.T
        boxes = np.stack([y1, width - x2, y2, width - x1], axis=1)
        width, height = height, width
    return boxes


def light_table(
    brightness: float, contrast: float, gamma: float, *colour: float
) -> NDArray[np.uint8]:
    """Look-up table (256, 3), one column a channel; all zeros change nothing."""
    values = np.linspace(0, 1, 256)[:, None] ** (1 + gamma)
    values = (values - 0.5) * (1 + contrast) + 0.5 + brightness
    coloured = 255 * values * (1 + np.array(colour)) + 0.5
    return np.asarray(coloured.clip(0, 255), dtype=np.uint8)


def _random() -> np.random.Generator:
    """Chance that follows torch's seed, which every worker process has of its own."""
    return np.random.default_rng(int(torch.randint(2**62, (1,)).item()))
