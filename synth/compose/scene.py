"""One scene: drawn, laid out, photographed and annotated, from (seed, index) alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpc.data.cutouts import Cutout
from rpc.data.files import DataError
from rpc.data.levels import Level
from rpc.data.taxonomy import Taxonomy
from rpc.structures.boxes import FloatArray, as_boxes
from rpc.structures.masks import BoolMask, decode_rle, mask_to_box
from synth.compose.backgrounds import TraySource, as_backgrounds
from synth.compose.blend import draw_gains, paste
from synth.compose.config import SceneConfig
from synth.compose.heap import clip_window
from synth.compose.layout import draw_layout
from synth.compose.library import CutoutLibrary
from synth.compose.photometric import vary_camera
from synth.compose.placement import Placement, draw_plan, place_items
from synth.compose.runs import encode_window
from synth.compose.shadow import cast_shadow, draw_light
from synth.compose.warp import Patch, Pose, draw_pose, warp_cutout

Box = tuple[int, int, int, int]

# Streams of chance: what one part draws does not move what another draws, so that two
# configurations that differ in light alone have the same items at the same places.
_LAYOUT, _PLACES, _TRAY, _LIGHT, _CAMERA, _SIZES = range(6)

_FILL = 0.45  # items cover at most this part of a scene, overlaps counted twice
_SMALLER = 0.93  # a heap that does not fit is made smaller by this factor ...
_ROUNDS = 40  # ... at most so often
_FEWEST_PIXELS = 4  # an item with fewer is not an item any more
_DEFAULT = SceneConfig()


@dataclass(frozen=True)
class Item:
    """One item of a scene.

    Attributes:
        category_id: the file's id of its SKU.
        cutout: file of the cut-out.
        box: x1, y1, x2, y2 of the part in sight, tight on it.
        full_box: of its whole extent inside the image.
        segmentation: RLE of the part in sight.
        full_segmentation: RLE of its whole extent inside the image.
        area: pixels in sight.
        visible: `area` over the pixels of its whole extent inside the image.
        point: x, y of the centre of mass of the part in sight.
    """

    category_id: int
    cutout: str
    box: Box
    full_box: Box
    segmentation: dict[str, Any]
    full_segmentation: dict[str, Any]
    area: int
    visible: float
    point: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Scene:
    """A composed checkout image.

    Attributes:
        index: its number in the set.
        image: RGB (H, W, 3) uint8.
        level: clutter level.
        items: from the lowest to the one on top; N of them.
        taxonomy: the SKUs of the set that the scene belongs to.
    """

    index: int
    image: NDArray[np.uint8]
    level: Level
    items: tuple[Item, ...]
    taxonomy: Taxonomy

    @property
    def boxes(self) -> FloatArray:
        """Boxes (N, 4), xyxy in pixels, tight on what is in sight of each item."""
        return as_boxes([item.box for item in self.items])

    @property
    def labels(self) -> NDArray[np.int64]:
        """0-based SKU index (N,) of each item, see `taxonomy`."""
        return self.taxonomy.labels(item.category_id for item in self.items)

    @property
    def masks(self) -> BoolMask:
        """Visible part of each item, (N, H, W)."""
        return np.stack([decode_rle(item.segmentation) for item in self.items])

    @property
    def counts(self) -> dict[str, int]:
        """The shopping list: items by SKU name, in the order of the taxonomy."""
        found = Counter(item.category_id for item in self.items)
        return {c.name: found[c.id] for c in self.taxonomy.categories if found[c.id]}


def compose_scene(
    cutouts: CutoutLibrary | str | Path,
    *,
    seed: int,
    index: int,
    config: SceneConfig = _DEFAULT,
    background: TraySource | NDArray[np.uint8] | str | Path | None = None,
) -> Scene:
    """Compose scene `index` of the set that `seed` names.

    It is the scene that `compose_dataset` writes with the same settings, before it becomes a JPEG.

    Example:
        >>> import synth
        >>> scene = synth.compose_scene("work/cutouts", seed=0, index=7)
        >>> scene.image.shape
        (800, 800, 3)
        >>> len(scene.boxes) == len(scene.labels) == len(scene.masks)
        True
        >>> sum(scene.counts.values()) == len(scene.items)  # items by SKU name
        True

    Args:
        cutouts: folder with `cutouts.json`, or an open library: open it once for many scenes, or
            to name the SKUs as a store does.
        seed: names the set, >= 0.
        index: number of the scene, >= 0.
        config: what scenes look like.
        background: where the empty tray comes from: a photo of one, RGB (H, W, 3) uint8; a folder
            of such photos; `Backgrounds`; or None for a plain board.

    Returns:
        The scene: the same whenever, wherever and in whatever order scenes are composed.

    Raises:
        DataError: a cut-out or background is damaged, or the items find no place on the tray
            even when they are made very small.
        ValueError: `seed` or `index` is negative, or the photo no RGB array.
    """
    if seed < 0 or index < 0:
        raise ValueError(f"scene: expected seed and index >= 0, got {seed} and {index}")
    library = cutouts if isinstance(cutouts, CutoutLibrary) else CutoutLibrary.open(cutouts)
    backgrounds = as_backgrounds(background)
    layout_rng, places_rng, tray_rng, light_rng, camera_rng, sizes_rng = (
        np.random.default_rng([seed, index, stream])
        for stream in (_LAYOUT, _PLACES, _TRAY, _LIGHT, _CAMERA, _SIZES)
    )
    layout = draw_layout(layout_rng, library, config)
    poses = _draw_poses(places_rng, sizes_rng, layout.cutouts, config)
    patches, placement = _lay_out(places_rng, library, layout.cutouts, poses, config, index)
    canvas = backgrounds.draw(tray_rng, config.width, config.height)
    light = draw_light(light_rng, config.shadow)
    for patch, corner in zip(patches, placement.corners, strict=True):
        cast_shadow(canvas, patch, corner, light)
        paste(canvas, patch, corner, draw_gains(light_rng, config.tint))
    image = vary_camera(canvas, camera_rng, config.photometric)
    items = tuple(
        _annotate(number, cutout, patches[number], placement)
        for number, cutout in enumerate(layout.cutouts)
    )
    return Scene(index, image, layout.level, items, library.taxonomy)


def _draw_poses(
    rng: np.random.Generator,
    sizes_rng: np.random.Generator,
    cutouts: Sequence[Cutout],
    config: SceneConfig,
) -> list[Pose]:
    """Draw how each item lies; items of one SKU share a factor of size."""
    low, high = (math.log(value) for value in config.sku_scale)
    skus = sorted({cutout.category_id for cutout in cutouts})
    factors = dict(zip(skus, np.exp(sizes_rng.uniform(low, high, len(skus))), strict=True))
    poses = [draw_pose(rng, config) for _ in cutouts]
    return [
        replace(pose, scale=pose.scale * float(factors[cutout.category_id]))
        for pose, cutout in zip(poses, cutouts, strict=True)
    ]


def _lay_out(
    rng: np.random.Generator,
    library: CutoutLibrary,
    cutouts: Sequence[Cutout],
    poses: Sequence[Pose],
    config: SceneConfig,
    index: int,
) -> tuple[list[Patch], Placement]:
    """Warp the items and find their places; the whole scene gets smaller until all fit."""
    low, high = (math.log(value) for value in config.scene_scale)
    scale = math.exp(rng.uniform(low, high)) * config.width / 1000
    covered = sum(
        c.area * (c.scale * scale * p.scale) ** 2 for c, p in zip(cutouts, poses, strict=True)
    )
    scale *= min(1.0, math.sqrt(_FILL * config.width * config.height / max(covered, 1.0)))
    plan = draw_plan(rng, len(cutouts), config)
    for _ in range(_ROUNDS):
        patches = [
            _warp(library, cutout, pose, scale, config)
            for cutout, pose in zip(cutouts, poses, strict=True)
        ]
        placement = place_items(rng, patches, plan, config.width, config.height)
        if placement is not None:
            return patches, placement
        scale *= _SMALLER
    raise DataError(
        f"scene {index}: {len(cutouts)} items find no place on {config.width}x{config.height} px; "
        "lower min_visible or the number of items"
    )


def _warp(
    library: CutoutLibrary, cutout: Cutout, pose: Pose, scale: float, config: SceneConfig
) -> Patch:
    pixels, fraction = library.pixels(cutout, cutout.scale * config.largest_scale)
    patch = warp_cutout(pixels, cutout.scale * scale / fraction, pose)
    if patch.area < _FEWEST_PIXELS:
        raise DataError(
            f"cut-out {cutout.file}: has {patch.area} pixels left in a scene {config.width} px "
            f"wide (scale {cutout.scale:g}); make scenes larger or correct its scale"
        )
    return patch


def _annotate(number: int, cutout: Cutout, patch: Patch, placement: Placement) -> Item:
    owners = placement.owners
    height, width = owners.shape
    window, part = clip_window(patch.mask.shape, placement.corners[number], owners.shape)
    top, left = window[0].start, window[1].start
    full = patch.mask[part].astype(bool)
    seen = owners[window] == number
    area, extent = int(np.count_nonzero(seen)), int(np.count_nonzero(full))
    segmentation = encode_window(seen, left, top, width, height)
    whole = segmentation if area == extent else encode_window(full, left, top, width, height)
    rows, columns = seen.sum(axis=1), seen.sum(axis=0)
    centre = (
        left + float(columns @ np.arange(columns.size)) / area + 0.5,
        top + float(rows @ np.arange(rows.size)) / area + 0.5,
    )
    return Item(
        category_id=cutout.category_id,
        cutout=cutout.file,
        box=_box(seen, left, top),
        full_box=_box(full, left, top),
        segmentation=segmentation,
        full_segmentation=whole,
        area=area,
        visible=area / extent,
        point=centre,
    )


def _box(mask: NDArray[np.bool_], left: int, top: int) -> Box:
    box = mask_to_box(mask)
    assert box is not None, "every item keeps pixels in sight"
    return box[0] + left, box[1] + top, box[2] + left, box[3] + top
