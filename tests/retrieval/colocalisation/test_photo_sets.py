import json

import cv2
import numpy as np
import pytest

from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.data.store import Store
from rpc.retrieval.colocalisation.colocalised_set import colocalise_set, default_layers
from rpc.retrieval.colocalisation.photo_sets import folder_set, store_sets, video_set


def draw(number, side=64):
    """A bright square on grey, at a place of its own; and its box."""
    rng = np.random.default_rng(number)
    rgb = np.full((side, side + 16, 3), 90, np.uint8)
    x, y = (int(v) for v in rng.integers(8, side - 32, 2))
    rgb[y : y + 24, x : x + 24] = (250, 220, 30)
    return rgb, (x, y, x + 24, y + 24)


def cells(rgb):
    """Maps of one channel a colour, a cell for 8 px: a network that needs no weights."""
    height, width = (n // 8 for n in rgb.shape[:2])
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    return (small.transpose(2, 0, 1).astype(np.float32),)


@pytest.fixture
def shop(tmp_path):
    """Two SKUs: tea with three photos, tin with one."""
    images, annotations = [], []
    for number, category in enumerate((1, 1, 1, 2), start=1):
        rgb, (x1, y1, x2, y2) = draw(number)
        name = f"{category}_{number}.png"
        write_image(tmp_path / "exemplars" / name, rgb)
        images.append({"id": number, "file_name": name, "width": 80, "height": 64})
        bbox = [x1, y1, x2 - x1, y2 - y1]
        annotations.append(
            {"id": number, "image_id": number, "category_id": category, "bbox": bbox, "area": 576}
        )
    categories = [{"id": 1, "name": "tea"}, {"id": 2, "name": "tin"}]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (tmp_path / "instances_train.json").write_text(json.dumps(content))
    return Store.open(tmp_path)


def test_each_sku_is_a_set_and_one_with_a_single_photo_is_named(shop):
    sets, few = store_sets(shop)
    assert [(s.category.name, len(s.photos)) for s in sets] == [("tea", 3)]
    assert few == ["tin: 1 photo, left out (2 or more are needed)"]
    assert sets[0].photos[1].truths == (tuple(map(float, draw(2)[1])),)


def test_all_photos_are_one_set_where_that_is_wanted(shop):
    sets, few = store_sets(shop, as_one=True)
    assert [len(s.photos) for s in sets] == [4]
    assert few == []


def test_a_folder_is_a_set_and_one_photo_alone_is_refused(tmp_path):
    write_image(tmp_path / "mug" / "a.png", draw(1)[0])
    with pytest.raises(DataError, match=r"mug: 1 photo; .* 2 or more"):
        folder_set(tmp_path / "mug")
    write_image(tmp_path / "mug" / "b.png", draw(2)[0])
    photos = folder_set(tmp_path / "mug")
    assert photos.category.name == "mug"
    np.testing.assert_array_equal(photos.photos[1].read(), draw(2)[0])


@pytest.mark.parametrize("budget", [0, 1 << 20])
def test_the_object_of_a_set_is_found_whether_maps_are_kept_or_not(shop, budget):
    steps = []
    sets, _ = store_sets(shop, as_one=True)
    _, results = colocalise_set(sets[0], cells, budget=budget, step=lambda: steps.append(1))
    for photo, rgb, found in results:
        assert found.mask.shape == rgb.shape[:2]
        assert np.abs(np.subtract(found.box, photo.truths[0])).max() <= 8
    assert len(steps) == 2 * 4


def test_a_photo_that_cannot_be_read_is_named(shop):
    (shop.root / "exemplars" / "1_2.png").write_text("no photo")
    with pytest.raises(DataError, match=r"1_2\.png"):
        colocalise_set(store_sets(shop)[0][0], cells)


def test_the_frames_of_a_video_are_a_set(tmp_path):
    path = tmp_path / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (80, 64))
    for number in range(12):
        rgb = np.full((64, 80, 3), 90, np.uint8)
        rgb[20:44, 3 * number : 3 * number + 24] = (250, 220, 30)
        writer.write(rgb[..., ::-1].copy())
    writer.release()
    photos, frames = video_set(path, most=6)
    assert len(photos.photos) == len(frames) == 6
    _, results = colocalise_set(photos, cells)
    for number, (_, _, found) in zip(frames.numbers, results, strict=True):
        assert np.abs(np.subtract(found.box, (3 * number, 20, 3 * number + 24, 44))).max() <= 8


def test_vgg_has_the_layers_of_the_papers():
    assert default_layers("vgg19") == ("relu5_4", "relu5_3")
    assert default_layers("efficientnet_lite0") == (-1, -2)
