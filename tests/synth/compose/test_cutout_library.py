from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from rpc.data.cutouts import CutoutSet, read_cutouts
from rpc.data.files import DataError
from rpc.data.taxonomy import Category, Taxonomy
from synth.compose import CutoutLibrary


def test_cutouts_are_drawn_by_weight(cutout_dir) -> None:
    found = read_cutouts(cutout_dir)
    weighted = tuple(replace(c, weight=(1.0, 3.0, 0.0)[c.view]) for c in found.cutouts)
    library = CutoutLibrary(CutoutSet(weighted, found.root, "drawn"))
    rng = np.random.default_rng(0)
    views = Counter(library.draw(rng, 5).view for _ in range(4000))
    assert views[2] == 0
    assert views[1] / views[0] == pytest.approx(3, rel=0.15)


def test_a_sku_without_a_kept_cutout_is_named(cutout_dir) -> None:
    found = read_cutouts(cutout_dir)
    without = tuple(replace(c, keep=c.category_id != 3) for c in found.cutouts)
    with pytest.raises(DataError, match=r"no kept cut-out for category_id 3"):
        CutoutLibrary(CutoutSet(without, found.root, "drawn"))
    with pytest.raises(DataError, match=r"no kept cut-out for category_id 77"):
        CutoutLibrary(found, taxonomy=Taxonomy([Category(1, "one"), Category(77, "other")]))


def test_an_empty_set_is_refused(tmp_path) -> None:
    with pytest.raises(DataError, match="no cut-out"):
        CutoutLibrary(CutoutSet((), tmp_path, "drawn"))


def test_the_cache_keeps_to_its_memory(cutout_dir) -> None:
    library = CutoutLibrary.open(cutout_dir, cache_bytes=40_000)
    for cutout in read_cutouts(cutout_dir).cutouts:
        library.pixels(cutout)
        assert library._cached <= 40_000 or len(library._cache) == 1
        assert library._cached == sum(pixels.nbytes for pixels in library._cache.values())


def test_pixels_are_multiplied_by_alpha(cutout_dir) -> None:
    found = read_cutouts(cutout_dir)
    pixels, fraction = CutoutLibrary(found).pixels(found.cutouts[0])
    rgba = found.read(found.cutouts[0]).astype(float)
    assert fraction == 1
    np.testing.assert_allclose(pixels[..., :3], rgba[..., :3] * rgba[..., 3:] / 255, atol=0.51)
    np.testing.assert_array_equal(pixels[..., 3], rgba[..., 3])


def test_a_cutout_that_is_drawn_small_is_halved(cutout_dir) -> None:
    found = read_cutouts(cutout_dir)
    pixels, fraction = CutoutLibrary(found).pixels(found.cutouts[0], scale=0.3)
    assert 0.45 < fraction < 0.55  # halved once: 0.25 would be too small for 0.3
    assert abs(pixels.shape[0] - found.cutouts[0].height / 2) <= 1


def test_a_damaged_cutout_is_named(cutout_dir, tmp_path) -> None:
    found = read_cutouts(cutout_dir)
    moved = CutoutSet(found.cutouts, tmp_path, "drawn")
    with pytest.raises(DataError, match=r"view_0\.png"):
        CutoutLibrary(moved).pixels(found.cutouts[0])
