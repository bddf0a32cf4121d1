import json

import numpy as np
import pytest

from rpc.data.exemplars import Exemplar
from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.retrieval.descriptors.exemplar_views import exemplar_embeddings
from rpc.retrieval.descriptors.plain_descriptor import PlainDescriptor
from rpc.retrieval.descriptors.product_crops import crop_products
from rpc.retrieval.descriptors.recipes import describer, describer_of
from rpc.retrieval.gallery.exemplar_photos import ExemplarPhoto, describe_photos, spread
from tests.runs.device_calls import META, devices_used


class FirstPixel:
    """Describes a picture by its upper left pixel: a turn changes it."""

    def __init__(self):
        self.recipe = {"name": "first pixel"}

    def __call__(self, pictures):
        return np.array([p[0, 0] / np.linalg.norm(p[0, 0]) for p in pictures], np.float32)


def test_the_plain_descriptor_gives_unit_rows_in_four_turns():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (40, 30, 3), dtype=np.uint8)
    describe = PlainDescriptor(side=64)
    embeddings = describe.exemplar_embeddings([picture, picture[:20]])
    assert [block.shape for block in embeddings] == [(4, 864), (4, 864)]
    np.testing.assert_allclose(np.linalg.norm(embeddings[0], axis=1), 1, rtol=1e-5)
    rotated = describe([np.ascontiguousarray(np.rot90(picture, 2))])
    np.testing.assert_allclose(embeddings[0][2], rotated[0], atol=1e-5)


def test_a_descriptor_without_rows_of_its_own_gives_one_a_photo():
    picture = np.full((5, 5, 3), 90, np.uint8)
    assert [
        embeddings.shape for embeddings in exemplar_embeddings(FirstPixel(), [picture] * 2)
    ] == [(1, 3), (1, 3)]


def test_a_recipe_is_found_again_from_json_and_another_version_is_told():
    recipe = json.loads(json.dumps(dict(PlainDescriptor().recipe)))
    assert describer_of(recipe).recipe == recipe
    with pytest.raises(DataError, match="side = 64, this version makes 160"):
        describer_of({**recipe, "side": 64})
    with pytest.raises(DataError, match="expected one of plain, product"):
        describer("magic")


def test_exemplars_are_spread_over_cameras_and_views(tmp_path):
    photos = [
        Exemplar(tmp_path / f"{camera}-{view}.jpg", sku, camera, view, (0, 0, 1, 1))
        for sku in (1, 2)
        for camera in (1, 0)
        for view in range(5)
    ]
    chosen = spread(photos, 4)
    assert {number: len(few) for number, few in chosen.items()} == {1: 4, 2: 4}
    assert [(e.camera, e.view) for e in chosen[1]] == [(0, 0), (0, 3), (1, 1), (1, 4)]
    assert len(spread(photos, 99)[1]) == 10


def test_a_photo_is_cropped_by_its_box_or_taken_whole(tmp_path):
    rgb = np.full((40, 60, 3), 250, np.uint8)
    rgb[10:30, 20:40] = (200, 30, 30)
    path = write_image(tmp_path / "red.png", rgb)
    assert ExemplarPhoto(path, whole=True).crop().shape == (40, 60, 3)
    crop = ExemplarPhoto(path, (20, 10, 40, 30)).crop()
    assert crop.shape == (22, 22, 3)  # 4 % on each side
    made = describe_photos(FirstPixel(), [ExemplarPhoto(path, (21, 11, 30, 29))])
    assert (made[0].source, made[0].embeddings.shape) == ("red.png", (1, 3))
    assert made[0].picture is not None


def test_boxes_at_the_border_and_without_area_still_give_pixels():
    rgb = np.zeros((10, 20, 3), np.uint8)
    crops = crop_products(rgb, np.array([[-5, -5, 4, 4], [19, 9, 40, 40], [3, 3, 3, 3]], float))
    assert all(min(crop.shape[:2]) >= 1 for crop in crops)
    assert crop_products(rgb, np.zeros((0, 4))) == []
    with pytest.raises(ValueError, match="finite"):
        crop_products(rgb, np.array([[0, 0, np.nan, 4]]))


@pytest.mark.parametrize("name", ["plain", "product"])
def test_a_described_picture_goes_through_the_network_on_its_device(name):
    picture = np.full((40, 30, 3), 90, np.uint8)
    describe = describer(name, device=META)
    assert devices_used(lambda: describe([picture])) == {"meta"}
    again = describer_of(describe.recipe, device=META)
    assert devices_used(lambda: again([picture])) == {"meta"}
    with pytest.raises(DataError, match="device 'tpu'"):
        describer(name, device="tpu")
    assert PlainDescriptor(device=META).device == META
