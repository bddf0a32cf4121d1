"""What the own decoding makes of a network's maps is what mmdet's makes of them."""

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope

from rpc.detection import runtime
from rpc.detection.config import build_config
from rpc.detection.dense_heads import dense_head
from rpc.detection.detector import Detector
from tests.detection.drawn_store import SKUS, TINY
from tests.detection.test_detector import saved


def built(config, **changes):
    """A network whose head says what chance says: an untrained one says the same of all cells."""
    network = MODELS.build(ConfigDict({**config.model, **changes})).eval()

    chance = torch.Generator()

    def by_chance(layer, _given, maps):
        chance.manual_seed(maps.shape[2])  # the same whoever asks, another for each level
        if layer.out_channels == 4:
            return torch.empty_like(maps).uniform_(0, 4, generator=chance)
        return torch.empty_like(maps).normal_(-1, 2, generator=chance)

    for name, layer in network.bbox_head.named_modules():
        if isinstance(layer, torch.nn.Conv2d) and "rtm_" in name:
            layer.register_forward_hook(by_chance)
    return network


@pytest.fixture(scope="module")
def configs(tiny_store):
    runtime.setup()
    init_default_scope("mmdet")
    return {
        agnostic: build_config(
            "configs/rtmdet_tiny_rpc.py", tiny_store, None, {**TINY, "agnostic": agnostic}
        )
        for agnostic in (False, True)
    }


@pytest.mark.parametrize("agnostic", [False, True])
@pytest.mark.parametrize("shape", [(64, 64), (96, 64)])
def test_the_boxes_are_those_of_mmdet(configs, agnostic, shape):
    network = built(configs[agnostic])
    detector = Detector(network, saved({"bbox_head": {"num_classes": 1}}), shape)
    assert detector.head is not None
    rng = np.random.default_rng(1)
    photos = [rng.integers(0, 256, (50, 80, 3), np.uint8) for _ in range(3)]
    own = detector.predict_batch(photos)
    detector.head = None
    for found, expected in zip(own, detector.predict_batch(photos), strict=True):
        assert len(found) == len(expected) > 20
        assert found.labels.tolist() == expected.labels.tolist()
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-6)
        np.testing.assert_allclose(found.boxes, expected.boxes, atol=1e-3)


def test_settings_that_plain_suppression_does_not_know_are_left_to_mmdet(configs):
    model = configs[False].model
    assert dense_head(built(configs[False])).nms_iou == model.test_cfg.nms.iou_threshold
    for changes in (
        {"nms": {"type": "soft_nms", "iou_threshold": 0.6}},
        {"nms": {"type": "nms", "iou_threshold": 0.6, "max_num": 5}},
        {"nms_pre": -1},
    ):
        assert dense_head(built(configs[False], test_cfg={**model.test_cfg, **changes})) is None
    assert dense_head(torch.nn.Linear(1, 1)) is None
    assert len(SKUS) > 1
