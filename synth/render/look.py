"""What products of scenes lack beside those on photos, as one bounded change for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synth.render.camera_statistics import ItemsLook
from synth.render.colours import Floats, from_opponent

# Bounds, so that another assortment on the photos cannot turn one product into another.
_BRIGHTNESS: Final = 0.5  # natural logarithm
_CHROMA: Final = 0.2
_CONTRAST: Final = (0.7, 1.4)
_SATURATION: Final = (0.6, 1.5)


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
        """What becomes of one brightness."""
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
        """What `to_dict` wrote.

        Raises:
            KeyError, TypeError, ValueError: it is damaged.
        """
        brightness, redness, blueness = (float(value) for value in values["shift"])
        return cls(
            (brightness, redness, blueness), float(values["contrast"]), float(values["saturation"])
        )


def match_look(now: Sequence[ItemsLook | None], wanted: Sequence[ItemsLook | None]) -> Look:
    """What brings the medians of one set of images to those of another; nothing where one is empty.

    Args:
        now: of images that are to be changed.
        wanted: of images that they shall look like.
    """
    ours, theirs = _medians(now), _medians(wanted)
    if ours is None or theirs is None:
        return Look()
    shift = theirs[:3] - ours[:3]
    contrast, saturation = theirs[3:] / np.maximum(ours[3:], 1e-3)
    return Look(
        (float(shift[0]), float(shift[1]), float(shift[2])), float(contrast), float(saturation)
    ).then(Look())


def _medians(looks: Sequence[ItemsLook | None]) -> NDArray[np.float64] | None:
    rows = [[*look.colour, look.contrast, look.saturation] for look in looks if look is not None]
    return np.median(np.asarray(rows, dtype=np.float64), axis=0) if rows else None
