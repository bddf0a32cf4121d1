"""Drawn packages depend on their numbers alone and make cut-outs that compose can use."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rpc.data.cutouts import read_cutouts
from rpc.structures import mask_to_box
from synth.drawn import draw_cutouts, draw_package, draw_texture, drawn_taxonomy
from synth.drawn.cutouts import SMALLEST
from synth.drawn.lettering import Lettering, letter
from synth.drawn.package import Words

LETTERED = st.booleans()
VIEWS = st.sampled_from(["front", "back", "end"])


@given(st.integers(0, 50), st.integers(0, 300), VIEWS, st.integers(0, 3), LETTERED, st.booleans())
@settings(max_examples=60)
def test_a_package_is_drawn_the_same_every_time_and_fills_its_picture(
    seed, product, view, number, lettered, bodied
):
    def drawn():
        return draw_package(seed, product, view, number, lettered=lettered, bodied=bodied)

    picture = drawn()
    assert np.array_equal(picture, drawn())
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert picture.shape[2] == 4
    height, width = picture.shape[:2]
    assert max(height, width) <= 1.1 * 224
    x1, y1, x2, y2 = mask_to_box(picture[..., 3] > 127)
    assert x2 - x1 >= 0.85 * width  # its size is what the cut-out list says of it
    assert y2 - y1 >= 0.85 * height


def test_another_seed_or_product_is_another_package():
    def colours(seed, product):
        picture = draw_package(seed, product, "front", 0)
        return tuple(picture[picture[..., 3] > 127].mean(axis=0).round(3).tolist())

    looks = {colours(seed, product) for seed in range(3) for product in range(8)}
    assert len(looks) == 24


def test_two_photos_of_one_view_share_the_print_but_not_the_light():
    first, second = (draw_package(0, 4, "front", variant) for variant in (0, 1))
    assert first.shape == second.shape
    assert not np.array_equal(first, second)


@given(st.integers(0, 20), st.integers(0, 100), st.sampled_from(["front", "back"]), LETTERED)
@settings(max_examples=25)
def test_siblings_share_their_outline_and_differ_in_little(seed, family, view, lettered):
    def drawn(sibling):
        return draw_package(seed, family, view, 1, sibling=sibling, lettered=lettered).astype(int)

    one, two = drawn(0), drawn(1)
    assert np.array_equal(one[..., 3], two[..., 3])
    assert not np.array_equal(one, two)
    assert np.array_equal(drawn(1), two)


def test_lettered_siblings_differ_in_their_words_and_agree_in_their_typefaces():
    for family in range(20):
        words = [Words.drawn(0, family, sibling) for sibling in range(4)]
        assert len({one.sort for one in words}) == 4
        assert len({(one.name, one.letterings, one.name_place, one.plate) for one in words}) == 1


@given(st.integers(0, 99), st.floats(20, 300), st.floats(5, 80), st.floats(0.2, 1.0))
@settings(max_examples=40)
def test_words_keep_within_their_room_in_every_typeface(seed, width, height, share):
    lettering = Lettering.drawn(np.random.default_rng(seed))
    picture = Image.new("RGB", (320, 100))
    letter(picture, "kalo mi", (160, 50), (share * width, height), (255, 255, 255), lettering)
    x1, y1, x2, y2 = picture.getbbox()
    assert x2 - x1 <= share * width + 1
    assert y2 - y1 <= height + 1
    assert x2 - x1 >= 0.8 * share * width - 2  # it is as wide as asked for


def test_look_alikes_look_more_alike_than_strangers():
    def distance(first, second):
        height, width = np.minimum(first.shape[:2], second.shape[:2])
        return np.abs(first[:height, :width, :3] - second[:height, :width, :3].astype(int)).mean()

    fronts = [draw_package(0, n, "front", 0, sibling=0).astype(int) for n in range(12)]
    siblings = [draw_package(0, n, "front", 0, sibling=1).astype(int) for n in range(12)]
    alike = np.mean([distance(a, b) for a, b in zip(fronts, siblings, strict=True)])
    strange = np.mean([distance(a, b) for a, b in zip(fronts, siblings[1:], strict=False)])
    assert alike < 0.5 * strange


@given(st.integers(0, 20), st.integers(0, 200), st.sampled_from([64, 97, 160]))
@settings(max_examples=15)
def test_a_texture_is_drawn_the_same_every_time_in_any_size(seed, index, side):
    picture = draw_texture(seed, index, side)
    assert picture.shape == (side, side, 3)
    assert picture.dtype == np.uint8
    assert np.array_equal(picture, draw_texture(seed, index, side))


def test_textures_differ():
    assert len({draw_texture(0, index, 64).tobytes() for index in range(10)}) == 10


@pytest.fixture(scope="module")
def cutouts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    draw_cutouts(folder, 12, seed=3)
    return read_cutouts(folder)


def test_every_product_has_a_front_view_that_is_kept(cutouts):
    fronts = {c.category_id for c in cutouts.kept() if "front" in c.file}
    assert fronts == set(drawn_taxonomy(12).ids) == set(range(1, 13))


def test_what_is_kept_can_be_told_from_dirt_and_fits_on_a_tray(cutouts):
    for cutout in cutouts.cutouts:
        short = min(cutout.width, cutout.height) * cutout.scale
        assert cutout.keep == (short >= SMALLEST)
        assert max(cutout.width, cutout.height) * cutout.scale <= 400
        picture = cutouts.read(cutout)  # refuses a picture of another size than listed
        assert cutout.area == int((picture[..., 3] > 127).sum())


def test_the_views_of_one_product_share_its_scale(cutouts):
    for product in range(1, 13):
        assert len({c.scale for c in cutouts.cutouts if c.category_id == product}) == 1


def test_a_family_of_cutouts_shares_its_size(tmp_path):
    draw_cutouts(tmp_path, 6, seed=3, siblings=3)
    scales = {c.category_id: c.scale for c in read_cutouts(tmp_path).cutouts}
    assert scales[1] == scales[2] == scales[3] != scales[4] == scales[5] == scales[6]


def test_sharper_pictures_appear_as_large(tmp_path):
    one, two = (
        read_cutouts(draw_cutouts(tmp_path / str(side), 2, seed=5, long_side=side).parent)
        for side in (112, 224)
    )
    for small, large in zip(one.cutouts, two.cutouts, strict=True):
        assert max(small.height, small.width) < 0.6 * max(large.height, large.width)
        assert small.height * small.scale == pytest.approx(large.height * large.scale, rel=0.05)


def test_the_same_seed_draws_the_same_files_and_tells_its_progress(cutouts, tmp_path):
    told = []
    draw_cutouts(tmp_path, 2, seed=3, progress=lambda *step: told.append(step))
    assert told == [(1, 2), (2, 2)]
    for cutout in read_cutouts(tmp_path).cutouts:
        assert (tmp_path / cutout.file).read_bytes() == (cutouts.root / cutout.file).read_bytes()
