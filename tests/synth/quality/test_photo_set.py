"""Which photos stand for a set, and what is known of the items on them."""

import numpy as np
import pytest

from rpc.data.dataset import Dataset, write_dataset
from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.data.records import Annotation, ImageInfo
from rpc.data.taxonomy import Category, Taxonomy
from synth.quality.items import item_statistics
from synth.quality.photo_set import PhotoSet, scenes_of


def scenes(visible=(1.0, 0.5, 0.8)):
    """Three images of 100 x 50 px with 2, 0 and 1 items."""
    images = [ImageInfo(n, f"{n}.png", 100, 50) for n in (3, 5, 9)]
    boxes = [(3, (0, 0, 50, 25)), (3, (10, 10, 60, 35)), (9, (0, 0, 100, 50))]
    items = [
        Annotation(n, image, 1, box, 10.0, visible=share)
        for n, ((image, box), share) in enumerate(zip(boxes, visible, strict=True))
    ]
    return Dataset(images, items, Taxonomy([Category(1, "tea")]))


def test_items_are_counted_and_measured_image_by_image():
    figures = item_statistics(scenes(), [9, 3, 5])
    told = {name: [values.tolist() for values in one] for name, one in figures.items()}
    assert told["items"] == [[1], [2], [0]]
    assert told["item_size"] == [[1], [0.5, 0.5], []]
    assert told["visible"] == [[0.8], [1.0, 0.5], []]


def test_what_the_file_does_not_say_of_every_item_is_left_out():
    assert "visible" not in item_statistics(scenes((1.0, None, 0.8)), [3, 9])
    assert "visible" in item_statistics(scenes((1.0, None, 0.8)), [9])
    assert set(item_statistics(scenes(), [5])) == {"items", "item_size"}


def test_a_folder_of_scenes_brings_its_items(tmp_path):
    write_dataset(tmp_path / "instances.json", scenes())
    one = scenes_of(tmp_path)
    assert one.paths == tuple(tmp_path / "images" / f"{n}.png" for n in (3, 5, 9))
    assert one.image_ids == (3, 5, 9)
    assert len(one.dataset.annotations) == 3


def test_a_folder_of_plain_photos_brings_no_items(tmp_path):
    for name in ("b.png", "a.png"):
        write_image(tmp_path / name, np.zeros((4, 4, 3), np.uint8))
    assert scenes_of(tmp_path) == PhotoSet((tmp_path / "a.png", tmp_path / "b.png"))


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path):
    write_dataset(tmp_path / "instances.json", scenes())
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "5.png").symlink_to(tmp_path.parent / "elsewhere.png")
    with pytest.raises(DataError, match="leads out of the data folder"):
        scenes_of(tmp_path)


def test_a_sample_keeps_order_and_ids_and_repeats_nothing(tmp_path):
    write_dataset(tmp_path / "instances.json", scenes())
    whole = scenes_of(tmp_path)
    assert whole.sample(3, np.random.default_rng(0)) is whole
    for seed in range(5):
        part = whole.sample(2, np.random.default_rng(seed))
        rows = [whole.paths.index(path) for path in part.paths]
        assert rows == sorted(set(rows))
        assert part.image_ids == tuple(whole.image_ids[row] for row in rows)
    plain = PhotoSet(whole.paths).sample(1, np.random.default_rng(0))
    assert len(plain.paths) == 1
    assert plain.image_ids == ()
