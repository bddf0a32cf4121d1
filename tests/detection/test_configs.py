"""Every config can be built for any data set."""

import json
from pathlib import Path

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import ConfigDict
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from rpc.data import DataError
from rpc.detection.config import build_config, model_text, taxonomy_of
from rpc.detection.dataset import PRODUCT
from rpc.detection.description import read_description
from tests.detection.drawn_store import SKUS

LEAVES = sorted(Path("configs").glob("*.py"))


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: path.stem)
def test_every_config_builds_a_model_for_the_stores_skus(path, tiny_store, tiny_scenes):
    config = build_config(path, tiny_store, tiny_scenes)
    init_default_scope("mmdet")
    Compose(config.test_pipeline)
    described = read_description(model_text(config), len(SKUS))
    model = MODELS.build(ConfigDict(described.model))  # without weights from elsewhere
    head = model.roi_head.bbox_head if hasattr(model, "roi_head") else model.bbox_head
    assert taxonomy_of(config) == (PRODUCT if config.agnostic else SKUS)
    assert head.num_classes == len(taxonomy_of(config))
    assert config.train_dataloader.dataset.root == str(tiny_scenes)
    flips = [step for step in config.train_dataloader.dataset.pipeline if "Flip" in step["type"]]
    assert not flips


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: path.stem)
def test_a_leaf_says_only_what_differs(path):
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    assert len(lines) <= 30
    assert lines[0].startswith("#")  # and why


def test_the_paper_baseline_starts_from_resnet101_by_name(tiny_store):
    config = build_config("configs/faster_rcnn_r101_fpn_rpc.py", tiny_store)
    assert config.model.backbone.init_cfg.checkpoint == "torchvision://resnet101"
    assert config.train_cfg.max_iters == 80_000
    assert config.optim_wrapper.optimizer.lr == 0.02
    assert config.train_dataloader.dataset.source == "exemplars"  # no scenes given: 'Single'


def test_options_change_image_size_everywhere(tiny_store):
    config = build_config("configs/rtmdet_s_rpc.py", tiny_store, options={"image_size": 320})
    saved = json.loads(model_text(config))
    text = json.dumps([config.to_dict()["train_dataloader"], saved["test_pipeline"]])
    assert "416" not in text
    assert "640" not in text
    assert text.count("[320, 320]") == 4


def test_a_model_file_says_how_its_photos_are_scaled(tiny_store):
    sizes = {"rtmdet_s_rpc": 640, "faster_rcnn_r50_fpn_rpc": [1333, 800]}
    for name, size in sizes.items():
        config = build_config(f"configs/{name}.py", tiny_store)
        assert json.loads(model_text(config))["image_size"] == size


@pytest.mark.parametrize(
    ("given", "minutes", "updates"),
    [({}, None, 80_000), ({"minutes": 3}, 3, 80_000), ({"minutes": 3, "iterations": 9}, 3, 9)],
)
def test_iterations_replace_the_configs_and_minutes_cap_them(tiny_store, given, minutes, updates):
    config = build_config("configs/faster_rcnn_r50_fpn_rpc.py", tiny_store, **given)
    budget = config.train_cfg
    assert (budget.get("max_minutes"), budget.max_iters) == (minutes, updates)


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: path.stem)
def test_the_budget_of_every_config_is_a_number_of_updates(path, tiny_store):
    budget = build_config(path, tiny_store).train_cfg
    assert budget.max_iters
    assert budget.get("max_minutes") is None


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


def test_amp_means_bfloat16_on_a_cpu_even_beside_a_gpu(tiny_store, two_gpus):
    config = build_config("configs/rtmdet_s_rpc.py", tiny_store, amp=True, device="cpu")
    assert config.optim_wrapper.amp is True
    assert config.model.use_syncbn is False
    assert config.env_cfg.dist_cfg.backend == "gloo"
    assert config.device == "cpu"


@pytest.mark.parametrize(("name", "device"), [("auto", "cuda"), ("cuda:1", "cuda:1")])
def test_the_device_is_a_gpu_by_itself_or_by_its_number(tiny_store, two_gpus, name, device):
    config = build_config("configs/rtmdet_s_rpc.py", tiny_store, amp=True, device=name)
    assert config.device == device
    assert config.optim_wrapper.type == "CheckedAmpOptimWrapper"
    assert config.env_cfg.dist_cfg.backend == "nccl"


def test_several_processes_do_not_share_one_gpu(tiny_store, two_gpus):
    with pytest.raises(DataError, match="device cuda:1: each process takes a GPU of its own"):
        build_config("configs/rtmdet_s_rpc.py", tiny_store, device="cuda:1", launcher="pytorch")


def test_a_text_that_no_training_wrote_is_refused():
    for text in ("", "[]", '{"model": 1}', "import os"):
        with pytest.raises(ValueError, match="not the JSON that a training writes"):
            read_description(text, 3)


def test_agnostic_is_one_class_everywhere(tiny_store):
    config = build_config("configs/rtmdet_s_rpc.py", tiny_store, options={"agnostic": True})
    assert config.model.bbox_head.num_classes == 1
    assert config.val_evaluator.agnostic
    assert config.val_dataloader.dataset.agnostic
    assert taxonomy_of(config).names == ("product",)


def test_a_store_without_validation_trays_trains_without_validation(tiny_store, tmp_path):
    for name in ("exemplars", "instances_train.json"):
        (tmp_path / name).symlink_to(tiny_store / name)
    config = build_config("configs/rtmdet_s_rpc.py", tmp_path)
    assert config.val_cfg is config.val_dataloader is config.val_evaluator is None


@pytest.mark.parametrize(
    ("path", "options", "told"),
    [
        ("configs/none.py", {}, "no such config"),
        ("configs/_base_/default_runtime.py", {}, "the config lacks model"),
        (
            "configs/rtmdet_s_rpc.py",
            {"image_size": 5},
            "image_size: expected a whole number from 32 to 8192",
        ),
        ("configs/rtmdet_s_rpc.py", {"image_size.x": 5}, "image_size holds no settings"),
    ],
)
def test_what_does_not_fit_is_one_line(tiny_store, path, options, told):
    with pytest.raises(DataError, match=told):
        build_config(path, tiny_store, options=options)


def test_scenes_of_another_store_are_refused(tiny_store):
    with pytest.raises(DataError, match="scenes of another store"):
        build_config("configs/rtmdet_s_rpc.py", "examples/ministore", _renamed(tiny_store))


def _renamed(store):
    scenes = store.parent / "other_scenes"
    scenes.mkdir(exist_ok=True)
    (scenes / "instances.json").write_bytes((store / "instances_val.json").read_bytes())
    return scenes
