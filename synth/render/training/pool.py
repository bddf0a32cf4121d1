"""A memory of translations: discriminators are shown old ones, too (Shrivastava et al. 2017).

Key: B pictures, C channels, H x W pixels, N pictures in memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class ImagePool:
    """Up to `size` pictures; immutable, so that a batch that went wrong leaves no trace.

    Attributes:
        size: 50 in CycleGAN; 0 remembers nothing.
        images: each (C, H, W).
    """

    size: int
    images: tuple[Tensor, ...] = ()

    def swap(self, fresh: Tensor, chance: np.random.Generator) -> tuple[Tensor, ImagePool]:
        """Put pictures in, take as many out.

        While there is room, a picture is kept and shown itself; afterwards, with probability 1/2,
        it takes the place of an old one, which is shown instead.

        Args:
            fresh: (B, C, H, W), detached.
            chance: decides.

        Returns:
            What is shown (B, C, H, W), and the pool as it is then.
        """
        if not self.size:
            return fresh, self
        images, shown = list(self.images), []
        for picture in fresh:
            if len(images) < self.size:
                images.append(picture.clone())
                shown.append(picture)
            elif chance.random() < 0.5:
                place = int(chance.integers(len(images)))
                shown.append(images[place])
                images[place] = picture.clone()
            else:
                shown.append(picture)
        return torch.stack(shown), ImagePool(self.size, tuple(images))

    def to_state(self) -> Tensor | None:
        """The pictures (N, C, H, W) on the CPU; None for none."""
        return torch.stack(self.images).cpu() if self.images else None

    @classmethod
    def from_state(cls, size: int, state: Tensor | None, device: torch.device) -> ImagePool:
        """The pool that `to_state` described."""
        return cls(size, () if state is None else tuple(state.to(device)))
