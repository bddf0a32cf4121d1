"""A set of photos, measured: features by view and plain figures, photo by photo.

Key: N photos, P patches, D dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rpc.data.images import read_image
from synth.quality.crops import fit
from synth.quality.features import VIEWS, FloatArray, PhotoEncoder
from synth.quality.statistics import STATISTICS, photo_statistics

Values = NDArray[np.float64]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Measured:
    """One set of N photos.

    Attributes:
        views: features (N, P, D) by view of `features.VIEWS`; P is 1 where the photo is whole.
        figures: by name, N arrays of the photo's values: one value for a figure of the photo, a
            value an item for one of its items; none where it cannot be told.
    """

    views: Mapping[str, FloatArray]
    figures: Mapping[str, Sequence[Values]]

    def __len__(self) -> int:
        """Number of photos."""
        return len(next(iter(self.views.values())))

    def values(self, name: str, rows: NDArray[np.intp] | None = None) -> Values:
        """All values of a figure, or those of some photos."""
        arrays = self.figures[name]
        chosen = arrays if rows is None else [arrays[row] for row in rows.tolist()]
        return np.concatenate([np.zeros(0), *chosen])


def measure(
    paths: Sequence[Path],
    side: int,
    encoder: PhotoEncoder,
    seed: int,
    items: Mapping[str, Sequence[Values]] | None = None,
    progress: Progress | None = None,
) -> Measured:
    """Read and measure photos; photo i depends on its file, `side`, `seed` and i alone.

    Args:
        paths: N photos, at least one.
        side: px of the longer side that all are brought to, see `crops.common_side`.
        encoder: the network.
        seed: places of the patches.
        items: figures of the items to keep beside, see `items.item_statistics`.
        progress: is told how many are done, of how many.

    Raises:
        DataError: a photo is missing or damaged.
    """
    views: dict[str, list[FloatArray]] = {name: [] for name in VIEWS}
    figures: dict[str, list[Values]] = {name: [] for name in STATISTICS}
    for index, path in enumerate(paths):
        rgb = fit(read_image(path), side)
        for name, view in encoder(rgb, np.random.default_rng([seed, index])).items():
            views[name].append(view)
        for name, value in photo_statistics(rgb).items():
            figures[name].append(np.array([value] if np.isfinite(value) else []))
        if progress is not None:
            progress(index + 1, len(paths))
    stacked = {name: np.stack(photos) for name, photos in views.items()}
    return Measured(stacked, {**figures, **(items or {})})
