"""Layouts of an object's parts seen in training: buffers of a network, and priors from them.

Key: G parts, N photos, M remembered photos of a part, T Gaussians, D values of a look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rpc.features.parts.part_geometry import LayoutPrior, fit_mixture, fit_neighbours, nearest

Floats = NDArray[np.floating[Any]]


class LayoutMemory(nn.Module):
    """Mixtures of layouts, and layouts beside looks; all of it saved as tensors.

    Args:
        parts: G.
        look_size: D.
        remembered: M, at most; more training photos are drawn from by chance.
        gaussians: T.
    """

    def __init__(
        self, parts: int, look_size: int, *, remembered: int = 500, gaussians: int = 4
    ) -> None:
        super().__init__()
        self.remembered, self.gaussians = remembered, gaussians
        for name, shape in {
            "weights": (parts, gaussians),
            "means": (parts, gaussians, 4),
            "deviations": (parts, gaussians, 4),
            "layouts": (parts, remembered, 4),
            "looks": (parts, remembered, look_size),
            "known": (parts,),  # how many of the rows are in use
        }.items():
            self.register_buffer(name, torch.zeros(shape))

    weights: Tensor
    means: Tensor
    deviations: Tensor
    layouts: Tensor
    looks: Tensor
    known: Tensor

    def fit(self, part: int, layouts: Floats, rng: np.random.Generator) -> None:
        """The mixture of a part's layouts (N, 4); see `fit_mixture`.

        Raises:
            ValueError: no layout.
        """
        prior = fit_mixture(layouts, self.gaussians, int(rng.integers(2**31)))
        used = slice(0, len(prior.weights))
        self.weights[part], self.deviations[part] = 0.0, 1.0  # what is left over weighs nothing
        self.weights[part, used] = torch.from_numpy(prior.weights).to(self.weights)
        self.means[part, used] = torch.from_numpy(prior.means).to(self.means)
        self.deviations[part, used] = torch.from_numpy(prior.deviations).to(self.means)

    def remember(self, part: int, looks: Floats, layouts: Floats, rng: np.random.Generator) -> None:
        """Keep how a part looked (N, D) beside how it lay (N, 4), of M photos at most."""
        rows = np.sort(rng.permutation(len(looks))[: self.remembered])
        self.known[part] = len(rows)
        self.looks[part, : len(rows)] = torch.from_numpy(looks[rows]).to(self.looks)
        self.layouts[part, : len(rows)] = torch.from_numpy(layouts[rows]).to(self.layouts)

    def mixture(self, part: int) -> LayoutPrior | None:
        """delta^MG of a part; None before it was fitted."""
        stored = [values[part].cpu().numpy() for values in self._mixtures()]
        return LayoutPrior(*stored) if stored[0].any() else None

    def alike(self, part: int, look: Floats, neighbours: int) -> LayoutPrior | None:
        """delta^NP of a part that looks like this (D,); None before anything was remembered."""
        used = int(self.known[part])
        if not used:
            return None
        rows = nearest(look, self.looks[part, :used].cpu().numpy(), neighbours)
        return fit_neighbours(self.layouts[part].cpu().numpy()[rows])

    def _mixtures(self) -> Sequence[Tensor]:
        return self.weights, self.means, self.deviations
