"""Images, boxes and labels as the network sees them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmdet.registry import TRANSFORMS

from rpc.data import DataError, Store
from rpc.detection.config import build_config
from rpc.detection.dataset import CheckoutDataset, read_source, without_skus
from rpc.detection.transforms import light_table, rotate_boxes
from tests.detection.drawn_store import COLOURS, SKUS, draw

CONFIG = "configs/rtmdet_tiny_rpc.py"
LABELLED = [{"type": "LoadRGB"}, {"type": "LoadAnnotations", "with_bbox": True}]


def packed(root, source, steps, **kwargs):
    from mmengine.registry import init_default_scope

    init_default_scope("mmdet")
    return CheckoutDataset(root, source, pipeline=[*steps, {"type": "PackDetInputs"}], **kwargs)


def test_the_network_sees_red_in_its_first_channel(tiny_store, tiny_options):
    """Channel order end to end: from the file through the config's pipeline and normalisation."""
    from mmdet.registry import MODELS

    config = build_config(CONFIG, tiny_store, options=tiny_options)
    data = packed(tiny_store, "exemplars", config.test_pipeline[:-1])
    sample = data[
        next(i for i in range(3) if data.get_data_info(i)["instances"][0]["bbox_label"] == 2)
    ]
    preprocess = MODELS.build(config.model.data_preprocessor)
    batch = preprocess({"inputs": [sample["inputs"]], "data_samples": [sample["data_samples"]]})
    height, width = batch["inputs"].shape[2:]
    pixel = batch["inputs"][0, :, height // 2, width // 2]
    cfg = config.model.data_preprocessor
    rgb = pixel * torch.tensor(cfg.std) + torch.tensor(cfg.mean)
    assert rgb.tolist() == pytest.approx(COLOURS[7], abs=2)  # category 7 is label 2, and red


def test_labels_follow_the_taxonomy_and_boxes_their_items(tiny_scenes):
    data = packed(tiny_scenes, "scenes", LABELLED)
    assert data.metainfo["classes"] == SKUS.names
    for index in range(len(data)):
        sample = data[index]
        truth = sample["data_samples"].gt_instances
        assert len(truth) == len(data.get_data_info(index)["instances"])
        for box, label in zip(truth.bboxes.tensor, truth.labels, strict=True):
            x1, y1, x2, y2 = (int(v) for v in box)
            item = sample["inputs"][:, y1:y2, x1:x2].reshape(3, -1)
            assert item[:, 0].tolist() == list(COLOURS[SKUS.category_id(int(label))])
            assert (item == item[:, :1]).all()


def test_every_source_is_read_with_its_own_images(tiny_store, tiny_scenes):
    for root, source, number in (
        (tiny_store, "exemplars", 3),
        (tiny_store, "val", 5),
        (tiny_scenes, "scenes", 12),
    ):
        dataset, path_of = read_source(root, source)
        assert len(dataset) == number
        assert all(path_of(image).is_file() for image in dataset.images)


def test_an_unknown_source_and_an_empty_one_are_refused(tiny_store, tmp_path):
    with pytest.raises(DataError, match="expected one of scenes, exemplars, val, test"):
        read_source(tiny_store, "photos")
    with pytest.raises(DataError, match=r"instances\.json"):
        read_source(tmp_path, "scenes")


def test_without_skus_every_item_is_a_product(tiny_store):
    dataset = Store.open(tiny_store).split("val")
    plain = without_skus(dataset)
    assert plain.counts().tolist() == dataset.counts().sum(axis=1, keepdims=True).tolist()
    data = packed(tiny_store, "val", LABELLED, agnostic=True)
    assert data.metainfo["classes"] == ("product",)
    assert data[0]["data_samples"].gt_instances.labels.unique().tolist() == [0]


@settings(deadline=None)  # a busy machine is no failure
@given(st.integers(0, 7), st.integers(1, 20), st.integers(1, 20), st.data())
def test_rotated_boxes_lie_on_the_rotated_pixels(turns, width, height, data):
    x1, y1 = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    x2, y2 = data.draw(st.integers(x1 + 1, width)), data.draw(st.integers(y1 + 1, height))
    image = np.zeros((height, width), bool)
    image[y1:y2, x1:x2] = True
    (box,) = rotate_boxes(np.array([[x1, y1, x2, y2]]), turns, width, height)
    expected = np.zeros_like(np.rot90(image, turns))
    expected[box[1] : box[3], box[0] : box[2]] = True
    assert np.array_equal(np.rot90(image, turns), expected)


def test_turning_keeps_boxes_on_their_items(tiny_scenes):
    torch.manual_seed(0)
    data = packed(tiny_scenes, "scenes", [*LABELLED, {"type": "RandomQuarterTurn"}])
    shapes = set()
    for _ in range(8):
        sample = data[4]
        truth = sample["data_samples"].gt_instances
        for box, label in zip(truth.bboxes.tensor, truth.labels, strict=True):
            x1, y1, x2, y2 = (int(v) for v in box)
            colours = sample["inputs"][:, y1:y2, x1:x2].reshape(3, -1)
            assert (colours.T == torch.tensor(COLOURS[SKUS.category_id(int(label))])).all()
        shapes.add(tuple(truth.bboxes.tensor[0].tolist()))
    assert len(shapes) > 1


def test_light_of_no_strength_changes_nothing():
    assert np.array_equal(light_table(0, 0, 0, 0, 0, 0), np.arange(256)[:, None].repeat(3, 1))


def test_light_follows_torchs_seed():
    light = TRANSFORMS.build({"type": "RandomLight"})
    image = draw([(7, 10, 10, 40, 40)])
    results = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        results.append(light({"img": image.copy()})["img"])
    assert np.array_equal(results[0], results[1])
    assert not np.array_equal(results[0], results[2])
    assert results[0].dtype == np.uint8


def test_a_photo_that_is_cut_off_is_named(tiny_scenes, tmp_path):
    whole = next((tiny_scenes / "images").iterdir()).read_bytes()
    path = tmp_path / "cut.png"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut\.png"):
        TRANSFORMS.build({"type": "LoadRGB"})({"img_path": str(path)})
