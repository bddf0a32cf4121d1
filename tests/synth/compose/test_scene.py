from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpc.data.cutouts import CutoutSet, read_cutouts
from rpc.data.files import DataError
from rpc.data.levels import LEVEL_RULES
from rpc.structures.masks import decode_rle, mask_to_box
from synth.compose import CutoutLibrary, Scene, SceneConfig, compose_scene

scenes = st.tuples(
    st.integers(0, 2**32 - 1), st.integers(0, 10**6), st.sampled_from([0.3, 0.5, 0.8, 1.0])
)


def masks_of(scene: Scene) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Full and visible masks (H, W) of each item."""
    full = [decode_rle(item.full_segmentation) for item in scene.items]
    return full, [decode_rle(item.segmentation) for item in scene.items]


@settings(max_examples=25, deadline=None)
@given(scenes)
def test_visibility_follows_from_full_masks_and_order(library, small, drawn) -> None:
    seed, index, least = drawn
    scene = compose_scene(library, seed=seed, index=index, config=replace(small, min_visible=least))
    full, seen = masks_of(scene)
    above = np.zeros_like(full[0])
    for item, whole, visible in reversed(list(zip(scene.items, full, seen, strict=True))):
        np.testing.assert_array_equal(visible, whole & ~above)
        assert item.visible == pytest.approx(visible.sum() / whole.sum())
        assert item.visible >= least
        assert item.area == visible.sum()
        above |= whole


@settings(max_examples=15, deadline=None)
@given(scenes)
def test_boxes_are_tight_to_their_masks(library, small, drawn) -> None:
    scene = compose_scene(library, seed=drawn[0], index=drawn[1], config=small)
    full, seen = masks_of(scene)
    for item, whole, visible in zip(scene.items, full, seen, strict=True):
        assert item.box == mask_to_box(visible)
        assert item.full_box == mask_to_box(whole)
        x1, y1, x2, y2 = item.box
        assert x1 < item.point[0] < x2
        assert y1 < item.point[1] < y2


@settings(max_examples=15, deadline=None)
@given(scenes)
def test_numbers_of_skus_and_items_follow_the_level(library, small, drawn) -> None:
    scene = compose_scene(library, seed=drawn[0], index=drawn[1], config=small)
    rule = LEVEL_RULES[scene.level]
    skus = len({item.category_id for item in scene.items})
    assert rule.items[0] <= len(scene.items) <= rule.items[1]
    assert min(rule.skus[0], 5) <= skus <= min(rule.skus[1], 5)  # the store has five


def test_a_scene_is_the_same_whatever_was_composed_before(cutout_dir, small) -> None:
    fresh = CutoutLibrary.open(cutout_dir, cache_bytes=0)
    used = CutoutLibrary.open(cutout_dir)
    later = [compose_scene(used, seed=3, index=index, config=small) for index in (9, 2, 7)][-1]
    alone = compose_scene(fresh, seed=3, index=7, config=small)
    np.testing.assert_array_equal(later.image, alone.image)
    assert later.items == alone.items


def test_seeds_and_indices_make_different_scenes(library, small) -> None:
    images = [
        compose_scene(library, seed=s, index=i, config=small).image
        for s, i in ((0, 0), (0, 1), (1, 0))
    ]
    assert not np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


def test_light_and_camera_change_pixels_but_no_annotation(library, small) -> None:
    plain = replace(small, shadow=0, photometric=0, tint=0)
    one, other = (
        compose_scene(library, seed=0, index=4, config=config) for config in (small, plain)
    )
    assert one.items == other.items
    assert not np.array_equal(one.image, other.image)


def test_an_item_on_top_shows_its_own_pixels(cutout_dir) -> None:
    """Oracle: without light and camera, the last item's inside is the cut-out's own colour."""
    found = read_cutouts(cutout_dir)
    only = replace(found.cutouts[0], scale=3.0)
    library = CutoutLibrary(CutoutSet((only,), found.root, "drawn"))
    pixels = found.read(only)
    config = SceneConfig(
        width=300,
        height=300,
        shadow=0,
        photometric=0,
        tint=0,
        warp=0,
        overlap=0,
        level_mix=(1, 0, 0),
    )
    scene = compose_scene(library, seed=0, index=0, config=config)
    inside = cv2.erode(decode_rle(scene.items[-1].segmentation).astype(np.uint8), np.ones((9, 9)))
    colour = pixels[pixels[:, :, 3] == 255][:, :3].mean(axis=0)
    assert inside.sum() > 100
    np.testing.assert_allclose(scene.image[inside > 0].mean(axis=0), colour, atol=12)


def test_a_crowded_scene_gets_smaller_and_keeps_its_items(cutout_dir) -> None:
    found = read_cutouts(cutout_dir)
    huge = CutoutSet(tuple(replace(c, scale=20.0) for c in found.cutouts), found.root, "drawn")
    config = SceneConfig(width=200, height=120, level_mix=(0, 0, 1), min_visible=0.9)
    scene = compose_scene(CutoutLibrary(huge), seed=0, index=0, config=config)
    assert len(scene.items) >= 15
    assert min(item.visible for item in scene.items) >= 0.9


def test_a_cutout_too_small_to_be_seen_is_refused(cutout_dir) -> None:
    found = read_cutouts(cutout_dir)
    tiny = CutoutSet(tuple(replace(c, scale=0.001) for c in found.cutouts), found.root, "drawn")
    with pytest.raises(DataError, match=r"product_.*scale 0.001"):
        compose_scene(CutoutLibrary(tiny), seed=0, index=0, config=SceneConfig())


def test_scenes_overlap_but_most_items_are_clear(library) -> None:
    """Real trays: about three quarters of the items are not hidden at all, some are."""
    config = SceneConfig(width=256, height=256)
    made = [compose_scene(library, seed=0, index=index, config=config) for index in range(30)]
    visible = np.array([item.visible for scene in made for item in scene.items])
    assert 0.5 < (visible > 0.98).mean() < 0.95
    assert (visible < 0.9).mean() > 0.03


def test_a_wide_scene_has_its_size(library, tmp_path: Path) -> None:
    config = SceneConfig(width=200, height=90, level_mix=(1, 0, 0))
    assert compose_scene(library, seed=0, index=0, config=config).image.shape == (90, 200, 3)


def test_items_of_a_sku_share_their_factor_of_size(library) -> None:
    config = SceneConfig(width=400, height=400, warp=0, item_scale=(1, 1), scene_scale=(0.4, 0.4))
    wide = replace(config, sku_scale=(0.5, 2.0), cut_by_border=0)
    one, other = (compose_scene(library, seed=0, index=1, config=c) for c in (config, wide))
    extents = [
        [decode_rle(item.full_segmentation).sum() for item in scene.items] for scene in (one, other)
    ]
    by_sku: dict[int, list[float]] = {}
    for item, before, after in zip(one.items, *extents, strict=True):
        by_sku.setdefault(item.category_id, []).append(after / before)
    factors = [np.mean(ratios) for ratios in by_sku.values()]
    for ratios in by_sku.values():
        assert max(ratios) / min(ratios) < 1.2
    assert max(factors) / min(factors) > 1.3
