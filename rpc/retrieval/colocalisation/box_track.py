"""Boxes over the frames of a video: jumps taken out, short gaps closed.

Key: T frames in their order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Box = tuple[float, float, float, float]


def smooth_boxes(boxes: Sequence[Sequence[float] | None], reach: int = 2) -> list[Box | None]:
    """Each frame's box by the median of the boxes around it, coordinate by coordinate.

    DDT boxes every frame for itself. A single wrong box is outvoted by its neighbours; a frame
    without one gets theirs where there is a box on both sides within `reach`.

    Args:
        boxes: T of them, xyxy, None where nothing was found.
        reach: frames on either side that vote; 0 changes nothing.

    Returns:
        T boxes; None where no box is near.

    Raises:
        ValueError: `reach` is negative, or a box is not four finite numbers.
    """
    if reach < 0:
        raise ValueError(f"reach: expected 0 frames or more, got {reach}")
    track = np.full((len(boxes), 4), np.nan)
    for row, box in enumerate(boxes):
        if box is not None:
            values = np.asarray(box, dtype=np.float64)
            if values.shape != (4,) or not np.isfinite(values).all():
                raise ValueError(f"box of frame {row}: expected 4 finite numbers, got {box}")
            track[row] = values
    there = np.isfinite(track[:, 0])
    smooth: list[Box | None] = []
    for row in range(len(track)):
        start, end = max(0, row - reach), row + reach + 1
        bridged = there[start:row].any() and there[row + 1 : end].any()
        if not (there[row] or bridged):
            smooth.append(None)
            continue
        # The same number of frames on both sides, or a moving object's box would lag at the ends.
        if there[row]:
            arm = min(row - start, min(end, len(track)) - row - 1)
            start, end = row - arm, row + arm + 1
        votes = track[start:end][there[start:end]]
        x1, y1, x2, y2 = np.median(votes, axis=0).tolist()
        smooth.append((x1, y1, x2, y2))
    return smooth
