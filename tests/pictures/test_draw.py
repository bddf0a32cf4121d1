import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from rpc.data import Category, DataError, Taxonomy
from rpc.pictures import draw_tray
from rpc.pictures.lettering import Lettering
from rpc.pictures.palette import MISSED, RIGHT, SKU_COLOURS, sku_colours
from rpc.pictures.panel import WIDTH
from rpc.pictures.tags import Mark, TagPainter
from rpc.structures import Detections

TAXONOMY = Taxonomy(
    [Category(1, "1_膨化食品", title="膨化食品 200 g"), Category(2, "soap"), Category(5, "café")]
)
ONE = Detections([[10, 20, 40, 50]], [0.9], [1])


def has(picture, colour):
    return (picture == np.array(colour)).all(axis=-1).any()


def test_the_photo_stands_left_of_the_list(no_system_fonts):
    picture = draw_tray(no_system_fonts, ONE, TAXONOMY)
    assert picture.shape == (750, 1000 + WIDTH, 3)
    assert picture.dtype == np.uint8
    assert (picture[700, 900] == 200).all()  # the photo, enlarged
    assert has(picture[:, :1000], SKU_COLOURS[1])
    assert has(picture[:, 1000:], SKU_COLOURS[1])


def test_the_photo_given_stays_as_it_was(no_system_fonts):
    before = no_system_fonts.copy()
    draw_tray(no_system_fonts, ONE, TAXONOMY)
    assert (no_system_fonts == before).all()


def test_with_the_truth_right_boxes_are_green_and_missed_ones_red(no_system_fonts):
    truth = Detections([[10, 20, 40, 50], [50, 5, 70, 25]], [1, 1], [1, 1])
    photo = draw_tray(no_system_fonts, ONE, TAXONOMY, truth=truth)[:, :1000]
    assert has(photo[200:700, :550], RIGHT)
    assert not has(photo[200:700, :550], MISSED)
    assert has(photo[:400, 600:], MISSED)
    right = draw_tray(no_system_fonts, ONE, TAXONOMY, truth=ONE)
    assert not has(right[:, :1000], MISSED)


@pytest.mark.parametrize("shape", [(1, 1), (2000, 30), (30, 2000), (5, 700)])
def test_photos_of_any_shape_are_drawn(shape, no_system_fonts):
    rgb = np.zeros((*shape, 3), dtype=np.uint8)
    one = Detections([[0, 0, shape[1], shape[0]]], [0.9], [0])
    picture = draw_tray(rgb, one, TAXONOMY, truth=Detections.empty(), title="一")
    assert picture.shape[1] > WIDTH


def test_an_empty_tray_is_drawn(no_system_fonts):
    assert draw_tray(no_system_fonts, Detections.empty(), TAXONOMY).shape[0] == 750


def test_a_list_too_long_is_summed_up(no_system_fonts):
    many = Taxonomy([Category(i, f"sku {i}") for i in range(1, 201)])
    every = Detections([[0, 0, 5, 5]] * 200, [0.5] * 200, range(200))
    assert draw_tray(no_system_fonts, every, many).shape[0] == 2000


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-50, 350)] * 2, *[st.floats(0, 200)] * 2), max_size=8),
    st.text(max_size=30),
)
def test_no_tag_leaves_the_picture_and_none_hides_another_where_there_is_room(boxes, text):
    painter = TagPainter(ImageDraw.Draw(Image.new("RGB", (300, 200))), (300, 200), Lettering(), 15)
    for x, y, w, h in boxes:
        mark = Mark((x, y, x + w, y + h), text, (200, 0, 0), dashed=len(boxes) % 2 == 0)
        painter.outline(mark)
        painter.tag(mark)
    for x1, y1, x2, y2 in painter._taken:
        assert 0 <= x1 <= x2 <= 300
        assert 0 <= y1 <= y2 <= 200


def test_tags_of_two_equal_boxes_do_not_hide_each_other():
    painter = TagPainter(ImageDraw.Draw(Image.new("RGB", (300, 200))), (300, 200), Lettering(), 15)
    for _ in range(3):
        painter.tag(Mark((50, 50, 200, 150), "soap", (200, 0, 0)))
    assert len(set(painter._taken)) == 3
    assert all(painter._hidden(place) == (place[2] - place[0]) * (place[3] - place[1])
               for place in painter._taken)  # fmt: skip


def test_names_that_no_font_has_become_the_id_and_plain_letters():
    lettering = Lettering(system=())
    assert lettering.name(TAXONOMY.category(0)) == "#1"  # the name's only plain word is the id
    assert lettering.name(Category(4, "膨化食品_200g (x)")) == "#4 200g x"
    assert lettering.name(Category(5, "café")) == "cafe"
    assert lettering.name(Category(6, "drink", title="可乐")) == "drink"
    assert lettering.name(Category(7, "a\tb\nc")) == "a b c"
    assert lettering.plain("一.jpg") == "jpg"


@given(st.text(max_size=20), st.floats(0, 200))
def test_a_text_is_cut_to_the_room_there_is(text, room):
    lettering = Lettering(system=())
    short = lettering.fit(text, 15, room)
    assert lettering.width(short, 15) <= room


def test_a_font_that_is_none_is_refused(tmp_path):
    path = tmp_path / "no.ttf"
    path.write_text("no font")
    with pytest.raises(DataError, match="not a font that can be read"):
        Lettering(path)


@given(st.sets(st.integers(0, 300), max_size=20))
def test_up_to_twenty_skus_have_colours_of_their_own(labels):
    assert len(set(sku_colours(labels).values())) == len(labels)


def test_arguments_that_do_not_fit_are_refused(no_system_fonts):
    with pytest.raises(ValueError, match=r"rgb: expected \(H, W, 3\) uint8"):
        draw_tray(no_system_fonts[..., 0], ONE, TAXONOMY)
    with pytest.raises(DataError, match="label 9"):
        draw_tray(no_system_fonts, Detections([[0, 0, 5, 5]], [0.5], [9]), TAXONOMY)
