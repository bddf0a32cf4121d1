"""Sizes in a scene: one factor for the store, corrected for single SKUs."""

import pytest

from rpc.data import Cutout, CutoutSet, DataError
from synth.exemplar.scale import TYPICAL_SIDE, common_scale, read_sizes, set_scales, size_factors

NAMES = {"can": 1, "bag": 2}


def cutout(category_id, scale=2.0):
    return Cutout(f"{category_id}.png", "a.jpg", category_id, 0, 0, 9, 9, 50, 1.0, 1.0, scale=scale)


def test_the_middle_product_gets_the_typical_size_and_others_keep_their_relation():
    scale = common_scale([1, 1, 2, 3], [100.0, 400.0, 900.0, 1600.0])
    assert scale * 30 == pytest.approx(TYPICAL_SIDE)
    with pytest.raises(ValueError, match="at least one"):
        common_scale([], [])


def test_real_sizes_correct_what_the_photos_say():
    """Both fill 100 px, yet one is twice as long: their factors differ by two."""
    factors = size_factors([1, 1, 2], [100.0, 60.0, 100.0], [900.0, 300.0, 900.0], {1: 120, 2: 240})
    assert factors[2] / factors[1] == pytest.approx(2)
    assert factors[1] * factors[2] < 1
    assert size_factors([1], [100.0], [900.0], {}) == {}
    assert size_factors([1], [100.0], [900.0], {9: 50.0}) == {}


def test_factors_multiply_the_scale_of_their_category_only(tmp_path):
    before = CutoutSet((cutout(1), cutout(2)), tmp_path, "grabcut")
    after = set_scales(before, {2: 1.5})
    assert [c.scale for c in after.cutouts] == [2.0, 3.0]
    assert [c.scale for c in before.cutouts] == [2.0, 2.0]


@pytest.mark.parametrize("factors", [{3: 1.0}, {1: 0.0}, {1: float("nan")}])
def test_a_factor_for_nothing_or_out_of_range_is_refused(factors, tmp_path):
    with pytest.raises(DataError, match=r"scale.*category"):
        set_scales(CutoutSet((cutout(1),), tmp_path, "grabcut"), factors)


def test_sizes_are_read_with_or_without_a_width(tmp_path):
    path = tmp_path / "sizes.csv"
    path.write_text("\ufeffsku,height_mm,width_mm\ncan,115,66\nbag,160,\n", encoding="utf-8")
    assert read_sizes(path, NAMES) == {1: 115, 2: 160}
    path.write_text("sku,height_mm\ncan,115\n")
    assert read_sizes(path, NAMES) == {1: 115}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,height\ncan,1\n", "expected the header"),
        ("", "expected the header"),
        ("sku,height_mm\ncup,90\n", r"line 2: 'cup' is not a SKU"),
        ("sku,height_mm\ncan,90\ncan,91\n", "line 3: 'can' is listed twice"),
        ("sku,height_mm\ncan,tall\n", r"line 2: height_mm.*'tall'"),
        ("sku,height_mm\ncan,-5\n", "above 0"),
        ("sku,height_mm\ncan,\n", "above 0"),
        ("sku,height_mm\ncan,nan\n", "above 0"),
    ],
)
def test_a_bad_list_of_sizes_is_refused_with_its_line(text, message, tmp_path):
    path = tmp_path / "sizes.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_sizes(path, NAMES)
    with pytest.raises(DataError, match="cannot be read"):
        read_sizes(tmp_path / "none.csv", NAMES)
