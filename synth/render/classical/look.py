"""The difference between products of scenes and of photos, as one bounded change for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from synth.render.classical.camera_statistics import ItemsLook
from synth.render.colours import Floats, from_opponent

# Bounds, so that another assortment on the photos cannot turn one product into another.
_BRIGHTNESS: Final = 0.5  # natural logarithm
_CHROMA: Final = 0.2
_CONTRAST: Final = (0.7, 1.4)
_SATURATION: Final = (0.6, 1.5)
_SAME: Final = 0.1  # distance in colour below which two photos show the same assortment
_FEWEST: Final = 4  # assortments whose spread says anything
_ERRORS: Final = 2.0  # standard errors that a difference must exceed to count


@dataclass(frozen=True)
class Look:
    """A change of logarithmic colours.

    Attributes:
        shift: added to brightness, redness and blueness.
        contrast: factor of brightness about the products' mean.
        saturation: factor of each colour's distance to its grey.
    """

    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)
    contrast: float = 1.0
    saturation: float = 1.0

    def apply(self, log: NDArray[Any], items: ItemsLook | None) -> Floats:
        """Changed colours (H, W, 3) of logarithmic ones.

        Args:
            log: natural logarithms of RGB.
            items: the look of the products; None leaves the contrast as it is.
        """
        brightness = log.mean(axis=-1, keepdims=True)
        middle = brightness if items is None else np.float32(items.colour[0])
        chroma = (log - brightness) * np.float32(self.saturation)
        new = middle + (brightness - middle) * np.float32(self.contrast)
        return np.asarray(new + chroma + from_opponent(np.asarray(self.shift)), dtype=np.float32)

    def brightness(self, value: float, items: ItemsLook) -> float:
        """The new value of one brightness."""
        middle = float(items.colour[0])
        return middle + (value - middle) * self.contrast + self.shift[0]

    def then(self, other: Look) -> Look:
        """Both changes, within the bounds."""
        bounds = np.array([_BRIGHTNESS, _CHROMA, _CHROMA])
        shift = (np.asarray(self.shift) + other.shift).clip(-bounds, bounds)
        return Look(
            shift=(float(shift[0]), float(shift[1]), float(shift[2])),
            contrast=float(np.clip(self.contrast * other.contrast, *_CONTRAST)),
            saturation=float(np.clip(self.saturation * other.saturation, *_SATURATION)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "shift": list(self.shift),
            "contrast": self.contrast,
            "saturation": self.saturation,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Look:
        """Read the values that `to_dict` wrote.

        Raises:
            KeyError, TypeError, ValueError: it is damaged.
        """
        brightness, redness, blueness = (float(value) for value in values["shift"])
        contrast, saturation = float(values["contrast"]), float(values["saturation"])
        if not np.isfinite([brightness, redness, blueness, contrast, saturation]).all():
            raise ValueError("look: expected finite numbers")
        return cls((brightness, redness, blueness), contrast, saturation)


def match_look(now: Sequence[ItemsLook | None], wanted: Sequence[ItemsLook | None]) -> Look:
    """The change from the medians of one set of images to another's; none where a set is empty.

    Other products on the photos make another look, too. So a difference counts only as far as it
    exceeds what chance gives between so many independent assortments (James and Stein's shrinking,
    positive part, at two standard errors): a few photos of a few carts say nothing of the camera.

    Args:
        now: of images that are to be changed.
        wanted: of images that they shall look like.
    """
    ours, theirs = _assortments(now), _assortments(wanted)
    if ours is None or theirs is None:
        return Look()
    difference = np.median(theirs, axis=0) - np.median(ours, axis=0)
    sure = difference * _reliability(difference, ours, theirs)
    return Look(
        (float(sure[0]), float(sure[1]), float(sure[2])),
        float(np.exp(sure[3])),
        float(np.exp(sure[4])),
    ).then(Look())


def _reliability(
    difference: NDArray[np.float64], ours: NDArray[np.float64], theirs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Share of each difference of medians, 0 to 1, that chance does not explain."""
    if min(len(ours), len(theirs)) < _FEWEST:
        return np.zeros_like(difference)
    # The median of normal values has pi / 2 times the variance of their mean.
    error = np.pi / 2 * sum(np.var(rows, axis=0, ddof=1) / len(rows) for rows in (ours, theirs))
    share = 1 - _ERRORS**2 * error / np.maximum(np.square(difference), 1e-12)
    return np.asarray(np.maximum(0, share), np.float64)


def _assortments(looks: Sequence[ItemsLook | None]) -> NDArray[np.float64] | None:
    """Looks of assortments (A, 5): photos whose products look the same are shots of one.

    Colour, and the logarithms of contrast and saturation.
    """
    rows = np.array(
        [
            [*look.colour, *np.log(np.maximum([look.contrast, look.saturation], 1e-3))]
            for look in looks
            if look is not None
        ],
        dtype=np.float64,
    )
    if not len(rows):
        return None
    if len(rows) == 1:
        return rows
    groups = fcluster(linkage(rows[:, :3], "average"), _SAME, "distance")
    return np.stack([np.median(rows[groups == group], axis=0) for group in np.unique(groups)])
