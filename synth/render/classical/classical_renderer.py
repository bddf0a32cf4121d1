"""Give scenes the look of the target's camera, read off its photos: no training.

Scenes are composed with more variety than one camera has, so every scene is brought from its own
statistics to those of a target photo drawn by chance: the set comes out as varied as the photos.
Gains are the same for all products of an image, so that two which differ by colour still do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from rpc.data.files import DataError
from synth.render.classical.board import light_basis
from synth.render.classical.camera_statistics import COLUMNS, CameraStatistics, measure_camera
from synth.render.classical.grain import Grain, add_noise, blockiness, measure_grain
from synth.render.classical.look import Look, match_look
from synth.render.classical.sharpness import match_blur
from synth.render.colours import Floats, Rgb, from_log, to_log, to_opponent_vector

MOST_SCENES: Final = 40  # that a fit looks at; medians change little after that
_EXPOSURE: Final = 0.6  # bound of the products' change of brightness, natural logarithm
_EXPOSURE_SHARE: Final = 0.7  # of it that is taken for the camera's, the rest for other products
_WHITEST: Final = -0.03  # logarithm to which exposure may bring highlights
_WHITE: Final = 0.06  # bound of a photo's own white balance, logarithm
_LIGHT: Final = 0.5  # bound of the change of light at any place, logarithm
_ALIKE: Final = np.array([0.3, 0.1, 0.1])  # spread of one board's colours: opponent logarithms
_BOARD_GAIN: Final = 1.6  # bound of the board's change, logarithm
_QUALITIES: Final = (30, 40, 50, 60, 70, 80, 88, 95)  # the last: as scenes are written


@dataclass(frozen=True)
class ClassicalRenderer:
    """Colour, light, blur, noise and compression of the target's photos.

    Attributes:
        photos: (P, `COLUMNS`) rows of `CameraStatistics`, one a target photo.
        look: what all products are changed by besides.
        quality: of the JPEG compression that the photos show; None where they show none.
    """

    photos: NDArray[np.float64]
    look: Look = field(default_factory=Look)
    quality: int | None = None

    def __post_init__(self) -> None:
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise ValueError(f"quality: expected 1 to 100, got {self.quality}")
        if self.photos.ndim != 2 or self.photos.shape[1] != COLUMNS or not len(self.photos):
            raise ValueError(f"photos: expected (P, {COLUMNS}), got {self.photos.shape}")

    @cached_property
    def one_board(self) -> bool:
        """Whether the photos show boards so alike that scenes shall have them too.

        Photos taken on tables, floors and carpets say nothing of the board of the next one.
        """
        boards = self.photos[~np.isnan(self.photos[:, 0]), :3]
        if not len(boards):
            return False
        opponent = to_opponent_vector(boards)
        apart = 1.4826 * np.median(np.abs(opponent - np.median(opponent, axis=0)), axis=0)
        return bool((apart < _ALIKE).all())

    @classmethod
    def fit(
        cls,
        scenes: Iterable[Rgb],
        photos: Iterable[Rgb],
        progress: Callable[[int], None] | None = None,
    ) -> ClassicalRenderer:
        """Read the photos' statistics, and what products still lack when scenes have them.

        Photos are looked at in the size of the scenes: blur and noise are told in their pixels.

        Args:
            scenes: composed scenes, RGB (H, W, 3); the first `MOST_SCENES` are looked at.
            photos: unlabelled photos of the target.
            progress: is told how many images were looked at.

        Raises:
            DataError: there is no scene or no photo.
        """
        done = 0

        def told(image: Rgb) -> Rgb:
            nonlocal done
            done += 1
            if progress is not None:
                progress(done)
            return image

        seen = [told(scene) for scene, _ in zip(scenes, range(MOST_SCENES), strict=False)]
        side = max((max(scene.shape[:2]) for scene in seen), default=1)
        rows, blocks = [], []
        for photo in photos:
            rows.append(measure_camera(_of_side(told(photo), side))[0])
            blocks.append(blockiness(photo))
        if not rows or not seen:
            raise DataError("classical renderer: expected scenes and photos, got none of one kind")
        renderer = cls(np.stack([row.to_row() for row in rows]))
        for _ in range(2):  # the second time corrects what bounds and clipping left
            rendered = renderer._render_all(seen)
            looks = [measure_camera(image)[0].items for image in rendered]
            change = match_look(looks, [row.items for row in rows])
            renderer = replace(renderer, look=renderer.look.then(change))
        return replace(renderer, quality=_match_quality(renderer._render_all(seen), blocks))

    def render(self, rgb: Rgb, rng: np.random.Generator) -> Rgb:
        """A scene (H, W, 3) as the target's camera would show it.

        Args:
            rgb: the scene, uint8.
            rng: draws the photo whose statistics it gets, and the noise.
        """
        target = self._target(int(rng.integers(len(self.photos))))
        scene, matte = measure_camera(rgb)
        if not self.one_board:
            matte = np.zeros_like(matte)  # what lies under the products is changed as they are
        sharp = rgb
        if scene.blur is not None and target.blur is not None:
            sharp = match_blur(rgb, scene.blur, target.blur)
        sharp = _quieter(sharp, scene.grain, target.grain)
        coloured = self._colour(sharp, scene, target, matte)
        grained = _grain_of(coloured, target.grain, matte, rng)
        out = grained.round().clip(0, 255).astype(np.uint8)
        return out if self.quality is None else _compressed(out, self.quality)

    def to_state(self) -> dict[str, Any]:
        """The state that `from_state` reads: tensors and plain values."""
        return {
            "photos": torch.from_numpy(self.photos.copy()),
            "look": self.look.to_dict(),
            "quality": self.quality,
        }

    def _render_all(self, scenes: Sequence[Rgb]) -> list[Rgb]:
        return [self.render(rgb, np.random.default_rng([7, n])) for n, rgb in enumerate(scenes)]

    def _target(self, row: int) -> CameraStatistics:
        """A photo's statistics; what it does not tell is the photos' median."""
        known = ~np.isnan(self.photos)
        middle = np.array(
            [np.median(column[told]) if told.any() else np.nan for column, told in
             zip(self.photos.T, known.T, strict=True)]
        )  # fmt: skip
        return CameraStatistics.from_row(np.where(known[row], self.photos[row], middle))

    def _colour(
        self, rgb: Rgb, scene: CameraStatistics, target: CameraStatistics, matte: Floats
    ) -> Floats:
        """The scene (H, W, 3), 0 to 255, under the target's light, board and exposure."""
        height, width = rgb.shape[:2]
        log = to_log(rgb)
        gain = self._products_gain(scene, target)
        free = matte[..., None]
        log = free * log + (1 - free) * self.look.apply(log, scene.items) + gain
        if scene.board is not None and target.board is not None:
            change = (target.board.colour - scene.board.colour).clip(-_BOARD_GAIN, _BOARD_GAIN)
            log += free * (change - gain)
            basis = light_basis(32, 32)
            light = np.tensordot(target.board.light - scene.board.light, basis, 1)
            light = cv2.resize(light.clip(-_LIGHT, _LIGHT), (width, height))
            log += light[..., None]
        return from_log(log)

    def _products_gain(self, scene: CameraStatistics, target: CameraStatistics) -> Floats:
        """(3,) logarithmic gains of the products: exposure, and the photo's own white balance."""
        exposure = 0.0
        if scene.items is not None and target.items is not None:
            step = float(target.items.colour[0] - scene.items.colour[0])
            exposure = float(np.clip(_EXPOSURE_SHARE * step, -_EXPOSURE, _EXPOSURE))
            room = max(0.0, _WHITEST - self.look.brightness(scene.items.highlight, scene.items))
            exposure = min(exposure, room)  # print on white must not drown in it
        gain = np.full(3, exposure, np.float32)
        if target.board is not None:
            boards = self.photos[:, :3]
            usual = np.median(boards[~np.isnan(boards[:, 0])], axis=0)
            own = to_opponent_vector(target.board.colour - usual)[1:].clip(-_WHITE, _WHITE)
            gain += np.array([own[0], 0, own[1]], np.float32)
        return gain


def from_state(state: Mapping[str, Any]) -> ClassicalRenderer:
    """The renderer that `ClassicalRenderer.to_state` described.

    Raises:
        KeyError, TypeError, ValueError: the state is damaged.
    """
    quality = state["quality"]
    return ClassicalRenderer(
        photos=np.asarray(state["photos"], dtype=np.float64),
        look=Look.from_dict(state["look"]),
        quality=None if quality is None else int(quality),
    )


def _of_side(rgb: Rgb, side: int) -> Rgb:
    """A photo with a longer side of so many pixels."""
    height, width = rgb.shape[:2]
    factor = side / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    if size == (width, height):
        return rgb
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, size, interpolation=how))


def _quieter(rgb: Rgb, now: Grain | None, wanted: Grain | None) -> Rgb:
    """Less noise where a scene has clearly more than the target, edges kept."""
    if now is None or wanted is None:
        return rgb
    ours, theirs = float(now.variance(128.0)), float(wanted.variance(128.0))
    if ours <= 1.5 * theirs + 2:
        return rgb
    return np.asarray(cv2.bilateralFilter(rgb, 5, 2.5 * np.sqrt(ours), 1.2))


def _grain_of(
    coloured: Floats, wanted: Grain | None, matte: Floats, rng: np.random.Generator
) -> Floats:
    """An image with the target's noise: what it has already counts, on the board it is lessened."""
    if wanted is None:
        return coloured
    now = measure_grain(coloured.round().astype(np.uint8))
    brightness = coloured.mean(axis=2)
    theirs = wanted.variance(brightness)
    ours = np.zeros_like(theirs) if now is None else now.variance(brightness)
    excess = np.sqrt(np.minimum(1, (theirs + 0.1) / (ours + 0.1)))
    if excess.min() < 0.9:
        weight = cv2.GaussianBlur(matte, (0, 0), 3.0)
        smooth = cv2.GaussianBlur(coloured * matte[..., None], (0, 0), 3.0)
        smooth = smooth / np.maximum(weight, 1e-3)[..., None]
        less = (np.square(matte) * (1 - excess))[..., None]
        coloured = coloured + less * (smooth - coloured)
        ours = ours * np.where(matte > 0.5, np.square(excess), 1)
    return add_noise(coloured, wanted, np.maximum(theirs - ours, 0), rng)


def _compressed(rgb: Rgb, quality: int) -> Rgb:
    done, data = cv2.imencode(
        ".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    assert done, "encoding uint8 cannot fail"
    bgr = cv2.imdecode(np.asarray(data, np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None, "what was just encoded can be decoded"
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _match_quality(rendered: Sequence[Rgb], blocks: Sequence[float]) -> int | None:
    """The JPEG quality that gives rendered scenes the photos' blocks.

    None where the quality at which scenes are written does (or none at all would).
    """
    few, wanted = rendered[:12], float(np.median(blocks))
    shown = [
        float(np.median([blockiness(_compressed(image, q)) for image in few])) for q in _QUALITIES
    ]
    nearest = _QUALITIES[int(np.abs(np.asarray(shown) - wanted).argmin())]
    return None if nearest == _QUALITIES[-1] else int(nearest)
