import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.retrieval.gallery.exemplar_photos import READ, ExemplarPhoto, describe_photos
from rpc.retrieval.gallery.gallery_edit import NewSku, add_photos, rename_sku
from rpc.retrieval.gallery.gallery_files import read_state
from rpc.retrieval.gallery.gallery_json import from_json, to_json, words_from_json, words_to_json
from rpc.retrieval.gallery.gallery_state import PhotoWords, surest_words
from rpc.structures.readings import PackText, Reading
from tests.retrieval.gallery.gallery_makers import RECIPE, make_gallery, new_sku

CODE = "04006381333931"


def with_words(name="milk", seed=8, text="OAT"):
    sku = new_sku(name, seed)
    photos = [
        replace(photo, words=PhotoWords(photo.source, (Reading(text, 0.75),), (CODE,)))
        for photo in sku.photos
    ]
    return NewSku(name, photos)


def words_of(folder, name):
    return read_state(folder).sku(name).words


def test_words_stay_with_their_sku(tmp_path):
    add_photos(make_gallery(tmp_path), RECIPE, [with_words()])
    kept = words_of(tmp_path, "milk")
    assert [one.source for one in kept] == ["milk_0.jpg", "milk_1.jpg"]
    assert kept[0].readings == (Reading("OAT", 0.75),)
    assert kept[0].codes == (CODE,)
    rename_sku(tmp_path, "milk", "oat drink")
    assert words_of(tmp_path, "oat drink") == kept
    assert words_of(tmp_path, "soap") == ()


def test_the_same_photos_again_change_nothing(tmp_path):
    state, _ = add_photos(make_gallery(tmp_path), RECIPE, [with_words()])
    again, known = add_photos(tmp_path, RECIPE, [with_words()])
    assert len(known) == 2
    assert again == state


def test_a_photo_that_nobody_read_is_read_when_it_comes_again(tmp_path):
    make_gallery(tmp_path, ["milk"])  # seed 0, without words
    before = read_state(tmp_path).sku("milk")
    add_photos(tmp_path, RECIPE, [with_words("milk", 0)])
    after = read_state(tmp_path).sku("milk")
    assert after.photos == before.photos
    assert len(after.words) == 2


def test_a_gallery_from_before_words_opens_and_one_without_words_is_as_it_was(tmp_path):
    state = read_state(make_gallery(tmp_path))
    values = to_json(state)
    assert all("words" not in entry for entry in values["skus"])
    assert from_json(values, "gallery") == state


@pytest.mark.parametrize(
    "words",
    [
        {},
        [1],
        [["a.jpg", []]],
        [[1, [], []]],
        [["a.jpg", [["x", 3]], []]],
        [["a.jpg", "x", []]],
        [["a.jpg", [], ["123"]]],
        [["a.jpg", [], "04006381333931"]],
        [["a.jpg", [], [4006381333931]]],
    ],
)
def test_damaged_words_are_told_in_one_line(tmp_path, words):
    path = make_gallery(tmp_path) / "gallery.json"
    values = json.loads(path.read_text())
    values["skus"][0]["words"] = words
    path.write_text(json.dumps(values))
    with pytest.raises(DataError, match=r"damaged: .*(words|confidence)"):
        read_state(tmp_path)


@given(
    st.text(max_size=9),
    st.lists(st.builds(Reading, st.text(min_size=1, max_size=9), st.sampled_from([0, 0.5, 1]))),
)
def test_words_come_back_from_plain_values(source, readings):
    words = PhotoWords(source, tuple(readings), (CODE,))
    assert words_from_json(words_to_json(words)) == words


def test_what_is_on_most_photos_is_told_first(tmp_path):
    photos = [(Reading("BRAND", 0.9), Reading("mint", 0.8)), (Reading("mint", 0.8),)]
    state, _ = add_photos(make_gallery(tmp_path), RECIPE, [with_words()])
    sku = replace(state.sku("milk"), words=tuple(PhotoWords("", some) for some in photos))
    assert surest_words(sku) == ("mint", "BRAND")


def test_only_some_photos_are_read_spread_over_all(tmp_path):
    class MeanColour:
        def __call__(self, pictures):
            return np.array([p.reshape(-1, 3).mean(axis=0) for p in pictures], np.float32)

    colours = 20 + 10 * np.arange(2 * READ + 1)
    for number, colour in enumerate(colours.tolist()):
        write_image(tmp_path / f"{number:02d}.png", np.full((20, 20, 3), colour, np.uint8))
    photos = [ExemplarPhoto(path, whole=True) for path in sorted(tmp_path.iterdir())]
    asked = []

    def read(picture):
        asked.append(int(picture[0, 0, 0]))
        return PackText((Reading("tea"),))

    made = describe_photos(MeanColour(), photos, read=read)
    assert len(asked) == READ
    assert max(asked) - min(asked) > 100
    assert sum(one.words is not None for one in made) == READ
    assert all(one.words is None for one in describe_photos(MeanColour(), photos))
