"""The gallery's default descriptor: what must not change a vector, and what a vector must tell."""

import json

import cv2
import numpy as np
import pytest

from rpc.data.files import DataError
from rpc.features.encodings.discriminant import Discriminant, write_discriminant
from rpc.retrieval.descriptors.product_descriptor import MEASURED, MapStatistics, ProductDescriptor
from synth.drawn import draw_package, tray_view
from tests.runs.device_calls import META, devices_used

# Channels of the eleven statistics: 3 x 1280, 2 x 672, 2 x 320, 2 x 112, 2 x 40.
WIDTH = 6128


@pytest.fixture(scope="module")
def describe():
    return ProductDescriptor()


def on_white(product, sibling=None):
    rgba = draw_package(77, product, "front", 0, sibling=sibling)
    alpha = rgba[..., 3:] / 255
    return (rgba[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def test_vectors_are_of_unit_length_and_of_the_recipes_dimension(describe):
    embeddings = describe([on_white(1), on_white(2)])
    assert embeddings.shape == (2, describe.recipe["dimension"])
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    assert json.loads(json.dumps(describe.recipe)) == describe.recipe


def test_a_vector_does_not_depend_on_the_pictures_beside_it(describe):
    pictures = [on_white(n) for n in range(3)]
    together = describe(pictures)
    alone = np.concatenate([describe([picture]) for picture in pictures])
    np.testing.assert_allclose(together, alone, atol=1e-4)
    assert np.array_equal(together, describe(pictures))


def test_the_rows_of_an_exemplar_are_the_same_set_however_it_lies(describe):
    picture = on_white(3)
    (embeddings,) = describe.exemplar_embeddings([picture])
    (rotated,) = describe.exemplar_embeddings([np.rot90(picture)])
    quarter = len(embeddings) // 4
    np.testing.assert_allclose(rotated, np.roll(embeddings, -quarter, axis=0), atol=1e-4)
    query = describe([np.ascontiguousarray(np.rot90(picture, 3))])
    assert (query @ embeddings.T).max() > 0.9999


def test_brightness_changes_a_vector_less_than_another_product_does(describe):
    picture = on_white(4)
    dark, bright = (np.clip(picture * f, 0, 255).astype(np.uint8) for f in (0.75, 1.15))
    own, darker, brighter, other = describe([picture, dark, bright, on_white(5)])
    assert min(own @ darker, own @ brighter) > own @ other + 0.2


def test_products_never_seen_are_named_on_invented_trays(describe):
    products = range(6)
    embeddings = describe.exemplar_embeddings([on_white(n) for n in products])
    cutouts = [draw_package(77, n, "front", 1) for n in products]
    views = [tray_view(cutouts[n], [], np.random.default_rng(n)) for n in products]
    scores = np.stack([(describe(views) @ block.T).max(axis=1) for block in embeddings], axis=1)
    assert (scores.argmax(axis=1) == np.arange(6)).mean() >= 0.8


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 300, 3), (224, 2, 3)])
def test_tiny_and_thin_crops_give_vectors(describe, shape):
    row = describe([np.full(shape, 120, np.uint8)])
    np.testing.assert_allclose(np.linalg.norm(row), 1, atol=1e-5)


def test_a_grey_picture_gives_a_vector(describe):
    grey = cv2.cvtColor(cv2.cvtColor(on_white(6), cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert np.isfinite(describe([grey])).all()


def test_no_picture_gives_no_row(describe):
    assert describe([]).shape == (0, describe.recipe["dimension"])
    assert describe.exemplar_embeddings([]) == []


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((5, 5), np.uint8),
        np.zeros((5, 0, 3), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((5, 5, 3), np.float32),
    ],
)
def test_what_is_no_picture_is_refused(describe, picture):
    with pytest.raises(ValueError, match=r"picture 1: expected \(h, w, 3\) uint8"):
        describe([on_white(0), picture])


def test_another_projection_is_another_recipe(describe, tmp_path):
    other = Discriminant(np.zeros(WIDTH, np.float32), np.eye(5, WIDTH, dtype=np.float32))
    path = write_discriminant(tmp_path / "p.pth", other, {})
    assert ProductDescriptor(path).recipe["projection"] != describe.recipe["projection"]
    assert ProductDescriptor(path)([on_white(0)]).shape == (1, 5)
    with pytest.raises(DataError, match="no such checkpoint"):
        ProductDescriptor(tmp_path / "none.pth")


@pytest.mark.parametrize("turns", [0, 37])
def test_turns_are_at_least_one(turns):
    with pytest.raises(ValueError, match="1 to 36"):
        ProductDescriptor(turns=turns)


def test_statistics_may_be_chosen():
    one = MapStatistics(64, measured=MEASURED[:1])([on_white(0)])
    assert one.shape == (1, 1280)
    assert MapStatistics(64)([on_white(0)]).shape == (1, WIDTH)
    assert MapStatistics(64)([]).shape == (0, 0)


def test_the_network_runs_on_its_device():
    picture = on_white(1)
    assert devices_used(lambda: ProductDescriptor(device=META)([picture])) == {"meta"}
    measure = MapStatistics(side=64, device=META)
    assert devices_used(lambda: measure([picture])) == {"meta"}
