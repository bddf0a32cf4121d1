"""A picture of how far a training has come: scene | rendered | real, row by row.

Key: B rows, S x S pixels of a crop.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synth.render.training.crops import Batch, to_rgb

GAP = 4  # px between pictures


@torch.no_grad()
def sample_sheet(translator: nn.Module, batch: Batch) -> NDArray[np.uint8]:
    """Crops of scenes (B, 3, S, S), their translations, and crops of photos.

    Returns:
        RGB (B * S + gaps, 3 * S + gaps, 3).
    """
    device = next(translator.parameters()).device
    made: Tensor = translator(batch.source.to(device)).cpu()
    rows = [
        _beside([to_rgb(part[row]) for part in (batch.source, made, batch.target)], axis=1)
        for row in range(len(made))
    ]
    return _beside(rows, axis=0)


def _beside(pictures: list[NDArray[np.uint8]], axis: int) -> NDArray[np.uint8]:
    shape = list(pictures[0].shape)
    shape[axis] = GAP
    gap = np.full(shape, 255, np.uint8)
    parts = [part for picture in pictures for part in (gap, picture)][1:]
    return np.concatenate(parts, axis=axis)
