"""What a recogniser sees in a gallery's pictures tells apart what the descriptor cannot."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rpc.data.files import DataError
from rpc.recognition.ensemble.gallery_classifier import GalleryClassifier
from rpc.recognition.ensemble.gallery_features import (
    SHARE,
    gallery_with_features,
    joined_embeddings,
)
from rpc.retrieval.gallery.comparison import Comparison
from rpc.retrieval.gallery.fusion import Fusion
from rpc.retrieval.gallery.gallery import Gallery
from rpc.retrieval.gallery.gallery_edit import (
    NewPhoto,
    NewSku,
    add_skus,
    create_gallery,
    remove_skus,
    set_setting,
)

COLOURS = {"blue": (20, 20, 220), "green": (20, 220, 20), "red": (220, 20, 20)}
RECIPE = {"name": "how bright"}
BOXES = np.array([[0.0, 0, 20, 20], [20, 0, 40, 20], [40, 0, 60, 20]])


class HowBright:
    """A descriptor that is blind to colour: all packs of this file are alike to it."""

    recipe = RECIPE

    def __call__(self, pictures):
        return np.array([[one.max() / 255, 1.0] for one in pictures], np.float32)


class KnowsRed:
    """Names red alone, and sees colours; it remembers how many pictures it was asked for."""

    def __init__(self, width=3):
        self.asked, self.width = 0, width

    def probabilities(self, rgb, boxes):
        return np.tile([0.5, 0.5], (len(boxes), 1))

    def features(self, pictures):
        self.asked += len(pictures)
        means = np.array([one.mean(axis=(0, 1)) for one in pictures], np.float32)
        return np.pad(means, ((0, 0), (0, self.width - 3)))


def pack(colour):
    return np.full((20, 20, 3), colour, np.uint8)


def new_sku(name, picture=True, turns=2):
    rows = np.tile(HowBright()([pack(COLOURS[name])]), (turns, 1))
    return NewSku(name, [NewPhoto(rows, f"{name}.png", pack(COLOURS[name]) if picture else None)])


@pytest.fixture
def folder(tmp_path):
    create_gallery(tmp_path, RECIPE, 2)
    add_skus(tmp_path, RECIPE, [new_sku(name) for name in COLOURS])
    return tmp_path


def similarities(classifier):
    rgb = np.concatenate([pack(COLOURS[name]) for name in COLOURS], axis=1)
    return classifier.similarities(rgb, BOXES)


def plain(folder, recogniser):
    return GalleryClassifier(
        Gallery.open(folder),
        HowBright(),
        recogniser=recogniser,
        recogniser_names=("red",),
        fusion=Fusion(0.5, 0.5),
    )


def kept(folder):
    return [path.name for path in folder.glob(".features-*.npz")]


def test_products_that_the_recogniser_cannot_name_are_told_apart_by_what_it_sees(folder):
    alone = similarities(plain(folder, KnowsRed()))
    assert np.ptp(alone) < 1e-3
    seen = similarities(plain(folder, KnowsRed()).with_features())
    assert seen.argmax(axis=1).tolist() == [0, 1, 2]
    assert (seen.diagonal() > np.sort(seen, axis=1)[:, -2] + 0.2).all()


def test_pictures_are_asked_for_once_and_later_only_new_ones(folder):
    first = KnowsRed()
    before = gallery_with_features(Gallery.open(folder), first).embeddings
    assert first.asked == 1 + 3 * 2  # a probe; two turns of each photo
    again = KnowsRed()
    np.testing.assert_array_equal(
        gallery_with_features(Gallery.open(folder), again).embeddings, before
    )
    assert again.asked == 1
    remove_skus(folder, ["green"])
    add_skus(folder, RECIPE, [new_sku("green", turns=4)])
    more = KnowsRed()
    gallery_with_features(Gallery.open(folder), more)
    assert more.asked == 1 + 4
    (name,) = kept(folder)
    gallery_with_features(Gallery.open(folder), KnowsRed(width=4))
    assert len(kept(folder)) == 2  # another recogniser has a file of its own
    assert name in kept(folder)


@pytest.mark.parametrize("damage", [b"", b"PK no archive", "other"])
def test_a_damaged_file_of_features_is_made_anew(folder, damage):
    before = gallery_with_features(Gallery.open(folder), KnowsRed()).embeddings
    (name,) = kept(folder)
    if damage == "other":  # whole, of other numbers than it should hold
        np.savez(folder / name, **{"a.jpg/2": np.zeros((3, 3), np.float16)})
    else:
        (folder / name).write_bytes(damage)
    recogniser = KnowsRed()
    after = gallery_with_features(Gallery.open(folder), recogniser).embeddings
    assert recogniser.asked == 7
    np.testing.assert_array_equal(after, before)


def test_a_photo_without_a_picture_is_compared_by_its_descriptor(folder):
    remove_skus(folder, ["green"])
    add_skus(folder, RECIPE, [new_sku("green", picture=False)])
    both = plain(folder, KnowsRed()).with_features()
    seen = similarities(both)
    assert np.isfinite(seen).all()
    named = [both.taxonomy.names[label] for label in seen.argmax(axis=1)]
    assert named[::2] == ["blue", "red"]


def test_a_gallery_that_was_tuned_with_features_needs_the_recogniser_that_gave_them(folder):
    both = plain(folder, KnowsRed()).with_features()
    rng = np.random.default_rng(0)
    comparison = Comparison.learnt(both.comparison.original, rng.normal(size=(40, 5)))
    set_setting(
        folder,
        "fusion",
        {
            "weight": 0.5,
            "novelty": 0.5,
            "features": True,
            "open_set": {"threshold": 0.1, "temperature": 0.2},
            **{name: value for name, value in comparison.to_settings().items() if value},
        },
    )

    def tuned(recogniser):
        return GalleryClassifier(
            Gallery.open(folder), HowBright(), recogniser=recogniser, recogniser_names=("red",)
        )

    found = tuned(KnowsRed())
    np.testing.assert_allclose(
        similarities(found), similarities(both.with_comparison(comparison)), atol=1e-3
    )
    assert found.open_set.threshold == 0.1
    assert similarities(tuned(None)).shape == (3, 3)  # the gallery alone, as it was
    with pytest.raises(DataError, match="tune it anew"):
        tuned(KnowsRed(width=4))

    class NamesAlone:
        probabilities = KnowsRed.probabilities

    with pytest.raises(DataError, match="give that model"):
        tuned(NamesAlone())
    assert plain(folder, NamesAlone()).with_features().sees is None


numbers = st.floats(0.125, 9)


@given(arrays(float, (2, 4), elements=numbers), arrays(float, (2, 6), elements=numbers))
def test_a_similarity_is_a_share_of_each_whatever_their_lengths(descriptors, features):
    first, second = joined_embeddings(descriptors, features)
    cosine = lambda pair: pair[0] @ pair[1] / np.prod(np.linalg.norm(pair, axis=1))  # noqa: E731
    expected = (1 - SHARE) * cosine(descriptors) + SHARE * cosine(features)
    assert first @ second == pytest.approx(expected)
    longer = joined_embeddings(7 * descriptors, features / 3)
    np.testing.assert_allclose(longer, [first, second])
