"""Support vectors on whitened vectors, as one layer: buffers of a network.

Key: B vectors, N of them for training, D dimensions, d directions kept, K classes.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from rpc.features.encodings.linear_svm import fit_linear_svm
from rpc.features.encodings.whitening import fit_whitening

Floats = NDArray[np.floating[Any]]

# Directions for each training vector, at most: the share of Mask-CNN's 4,096 of 5,994 photos. With
# as many directions as vectors, whitened training vectors are all equally far from each other.
SHARE: Final = 4096 / 5994


class WhitenedSvm(nn.Module):
    """Whitening by a singular value decomposition, unit length, linear support vectors.

    Args:
        size: D.
        classes: K.
        dimension: d at most; fewer of less than 1.5 d training vectors, or if D is less.
        cost: C of the support vectors.
    """

    def __init__(
        self, size: int, classes: int, *, dimension: int = 4096, cost: float = 1.0
    ) -> None:
        super().__init__()
        self.classes, self.dimension, self.cost = classes, min(dimension, size), cost
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("axes", torch.zeros(self.dimension, size))  # over the deviations
        self.register_buffer("weights", torch.zeros(classes, self.dimension))
        self.register_buffer("bias", torch.zeros(classes))

    mean: Tensor
    axes: Tensor
    weights: Tensor
    bias: Tensor

    def whitened(self, vectors: Tensor) -> Tensor:
        """Vectors (B, D) whitened, of unit length, (B, d); directions not in use are zero."""
        return F.normalize(F.linear(vectors.float() - self.mean, self.axes), dim=1)

    def forward(self, vectors: Tensor) -> Tensor:
        """Vectors (B, D) to scores (B, K)."""
        return F.linear(self.whitened(vectors), self.weights, self.bias)

    @torch.no_grad()
    def fit(self, vectors: Floats, labels: NDArray[np.integer[Any]]) -> None:
        """Whitening and support vectors of training vectors (N, D) and labels (N,).

        Raises:
            ValueError: one class alone, fewer than two different vectors, or one is not finite.
        """
        whitening = fit_whitening(vectors, max(min(self.dimension, int(SHARE * len(vectors))), 1))
        weights, bias = fit_linear_svm(whitening(vectors), labels, self.classes, cost=self.cost)
        used = len(whitening.deviations)
        self.mean.copy_(torch.from_numpy(np.asarray(whitening.mean)))
        self.axes.zero_()
        self.axes[:used] = torch.from_numpy(whitening.axes / whitening.deviations[:, None]).to(
            self.axes
        )
        self.weights.zero_()
        self.weights[:, :used] = torch.from_numpy(weights).to(self.weights)
        self.bias.copy_(torch.from_numpy(bias))
