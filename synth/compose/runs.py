"""COCO's run-length codes of masks that fill only a small window of the image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_mask


def encode_window(mask: NDArray[Any], x: int, y: int, width: int, height: int) -> dict[str, Any]:
    """Compressed RLE of an image `width` x `height` whose mask lies in a window.

    The same as `rpc.structures.encode_rle` of the whole mask, without ever making it.

    Args:
        mask: (h, w), non-zero inside.
        x: column of the window's left side.
        y: row of the window's upper side.
        width: pixels of the image.
        height: pixels of the image.

    Raises:
        ValueError: the window reaches out of the image.
    """
    h, w = mask.shape
    if not (0 <= x and 0 <= y and x + w <= width and y + h <= height):
        raise ValueError(f"mask {w}x{h} at {x}, {y}: expected it inside an image {width}x{height}")
    columns = np.zeros((w, h + 2), dtype=np.int8)  # COCO's runs go down the columns
    columns[:, 1:-1] = (mask != 0).T
    steps = np.diff(columns, axis=1)  # (w, h + 1)
    start_column, start_row = np.nonzero(steps == 1)
    end_column, end_row = np.nonzero(steps == -1)
    starts = (x + start_column) * height + y + start_row
    ends = (x + end_column) * height + y + end_row
    # A run that ends at the foot of a column and goes on at the top of the next one is one run.
    joined = starts[1:] == ends[:-1]
    starts = starts[np.concatenate([[True], ~joined])] if starts.size else starts
    ends = ends[np.concatenate([~joined, [True]])] if ends.size else ends
    borders = np.stack([starts, ends], axis=1).reshape(-1)
    counts = np.diff(np.concatenate([[0], borders, [width * height]]))
    if counts[-1] == 0:
        counts = counts[:-1]
    plain = {"size": [height, width], "counts": counts.tolist()}
    rle = coco_mask.frPyObjects(plain, height, width)
    return {"size": [height, width], "counts": rle["counts"].decode("ascii")}
