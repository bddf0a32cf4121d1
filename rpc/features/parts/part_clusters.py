"""Clusters of part proposals, of each size of windows by itself: reduced, then a mixture.

Key: L sizes, C values of a proposal, D when reduced, T clusters of a size, N proposals of a photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rpc.features.encodings.local_encodings import FisherVector, fit_fisher
from rpc.features.encodings.whitening import fit_whitening
from rpc.features.parts.fisher_parts import contributions

Floats = NDArray[Any]


class PartClusters(nn.Module):
    """Of each size the strongest directions, whitened, and a Gaussian mixture; all in buffers.

    Args:
        sizes: L.
        channels: C.
        values: D; where proposals vary in fewer directions the rest are zeros.
        clusters: T.
    """

    def __init__(self, sizes: int, channels: int, values: int, clusters: int) -> None:
        super().__init__()
        self.values, self.clusters = values, clusters
        self.register_buffer("centre", torch.zeros(sizes, channels))
        self.register_buffer("axes", torch.zeros(sizes, values, channels))
        self.register_buffer("weights", torch.full((sizes, clusters), 1 / clusters))
        self.register_buffer("means", torch.zeros(sizes, clusters, values))
        self.register_buffer("deviations", torch.ones(sizes, clusters, values))

    centre: Tensor
    axes: Tensor
    weights: Tensor
    means: Tensor
    deviations: Tensor

    def fit(self, size: int, proposals: Floats, seed: int) -> None:
        """Of one size, on proposals (M, C) of training photos.

        Raises:
            ValueError: fewer proposals than clusters, or all of them equal.
        """
        whitening = fit_whitening(proposals, self.values)
        used = len(whitening.deviations)
        reduced = np.zeros((len(proposals), self.values))
        reduced[:, :used] = whitening.scores(proposals)
        fisher = fit_fisher(reduced, self.clusters, seed)
        self.axes[size] = 0.0
        self.axes[size, :used] = self._tensor(whitening.axes / whitening.deviations[:, None])
        self.centre[size] = self._tensor(whitening.mean)
        self.weights[size] = self._tensor(fisher.weights)
        self.means[size] = self._tensor(fisher.means)
        self.deviations[size] = self._tensor(fisher.deviations)

    def reduced(self, proposals: Sequence[Tensor]) -> list[Floats]:
        """A photo's proposals (N, C) of each size, reduced: (N, D) of each."""
        each = zip(proposals, self.centre, self.axes, strict=True)
        return [_array((own - centre) @ axes.T) for own, centre, axes in each]

    def gradients(self, reduced: Sequence[Floats]) -> Floats:
        """The photo's Fisher vector before it is normalised, by cluster: (L * T, 2 * D)."""
        found = [self._fisher(size).gradient(own) for size, own in enumerate(reduced)]
        return np.stack(found).transpose(0, 2, 1, 3).reshape(-1, 2 * self.values)

    def added(self, reduced: Sequence[Floats], slopes: Floats) -> Floats:
        """The share of each proposal, of all sizes in turn, in `(slopes * gradients).sum()`.

        Args:
            reduced: of `reduced`.
            slopes: (L * T, 2 * D).
        """
        by_size = slopes.reshape(-1, self.clusters, 2, self.values).transpose(0, 2, 1, 3)
        each = zip(reduced, by_size, strict=True)
        return np.concatenate(
            [contributions(self._fisher(n), own, slope) for n, (own, slope) in enumerate(each)]
        )

    def _fisher(self, size: int) -> FisherVector:
        stored = (self.weights, self.means, self.deviations)
        return FisherVector(*(_array(values[size].double()) for values in stored))

    def _tensor(self, values: Floats) -> Tensor:
        return torch.from_numpy(values).to(self.centre)


def _array(values: Tensor) -> Floats:
    array: Floats = values.detach().cpu().numpy()
    return array
