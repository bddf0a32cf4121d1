"""A shop's files in one folder: photos, a small store, and how each tool is called on them."""

import json
from pathlib import Path

import numpy as np

from rpc.data.images import write_image

ROOT = Path(__file__).parents[2]
# Scripts of tools/ and the modules that do their work.
VERB = {
    "check_data": "rpc.cli.check",
    "colocalise": "rpc.cli.colocalise",
    "compare_aco": "rpc.cli.compare",
    "compose_scenes": "rpc.cli.compose",
    "demo": "rpc.cli.count",
    "detect": "rpc.cli.detect",
    "eval_aco": "rpc.cli.evaluate",
    "eval_retrieval": "rpc.cli.retrieve",
    "fuse_recogniser": "rpc.cli.fuse",
    "gallery": "rpc.cli.gallery",
    "held_out": "rpc.cli.held_out",
    "import_folder": "rpc.cli.new",
    "make_cutouts": "rpc.cli.cutouts",
    "make_descriptor": "rpc.cli.make_descriptor",
    "make_folds": "rpc.cli.folds",
    "make_start": "rpc.cli.make_start",
    "name_crops": "rpc.cli.name_crops",
    "quickstart": "rpc.cli.quickstart",
    "recognition_table": "rpc.cli.recognition_table",
    "render_scenes": "rpc.cli.render",
    "scene_quality": "rpc.cli.quality",
    "table3": "rpc.cli.table3",
    "train": "rpc.cli.train",
    "train_recognition": "rpc.cli.recognise",
    "train_render": "rpc.cli.train_render",
}
CONFIG = ROOT / "configs" / "rtmdet_tiny_rpc.py"
# What makes RTMDet so small that a training begins within a second.
TINY = {
    "image_size": 64,
    "model.backbone.widen_factor": 0.125,
    "model.neck.in_channels": [32, 64, 128],
    "model.neck.out_channels": 32,
    "model.bbox_head.in_channels": 32,
    "model.bbox_head.feat_channels": 32,
    "train_dataloader.batch_size": 2,
    "train_dataloader.num_workers": 0,
    "val_dataloader.num_workers": 0,
    "train_cfg.max_minutes": None,
    "train_cfg.max_iters": 1,
}
SKUS = ("tea", "rice")
BOX = [40, 30, 40, 30]
SPLITS = {
    "train": ("exemplars", [f"{sku}_camera0-1.png" for sku in SKUS]),
    "val": ("val", ["tray_1.png"]),
    "test": ("test", ["tray_1.png", "tray_2.png"]),
}
OUTPUTS = (
    "check.json", "cutouts.json", "model.pth", "report.json", "report.md", "results.json",
    "results_images.json", "tray_1_counted.jpg", "tray_1_list.json",
)  # fmt: skip


def make_store(root):
    """Two SKUs with one exemplar each, one tray in `val` and two in `test`."""
    categories = [{"id": n, "name": name} for n, name in enumerate(SKUS, start=1)]
    for split, (folder, names) in SPLITS.items():
        images, annotations = [], []
        for n, name in enumerate(names, start=1):
            write_image(root / folder / name, photo(n))
            images.append({"id": n, "file_name": name, "width": 120, "height": 90})
            annotations.append({"id": n, "image_id": n, "category_id": n, "bbox": BOX})
        content = {"images": images, "annotations": annotations, "categories": categories}
        (root / f"instances_{split}.json").write_text(json.dumps(content))
    return root


def make_shop(root):
    """The store, plain photos, a results list, and what an earlier run of every tool has left."""
    store = make_store(root / "store")
    for sku in SKUS:
        write_image(root / "photos" / sku / "1.png", photo())
    write_image(root / "trays" / "empty.png", photo())
    boxes = [{"image_id": 1, "category_id": 1, "bbox": BOX, "score": 0.9}]
    (store / "results.json").write_text(json.dumps(boxes))
    for name in OUTPUTS:
        (root / "out").mkdir(exist_ok=True)
        (root / "out" / name).write_bytes(b"of an earlier run")
    return root


def photo(seed=0):
    """A product of coloured noise on a plain ground."""
    rgb = np.full((90, 120, 3), 220, np.uint8)
    x, y, width, height = BOX
    noise = np.random.default_rng(seed).integers(0, 120, (height, width, 3), np.uint8)
    rgb[y : y + height, x : x + width] = noise
    return rgb


def arguments(tool, shop):
    """How a tool is called on a shop, so that it would do its work well."""
    store, out = shop / "store", shop / "out"
    return {
        "check_data": (store, "--json", out / "check.json"),
        "import_folder": (shop / "photos", out),
        "make_cutouts": ("--data", store, "--out", out, "--method", "grabcut", "--workers", 1),
        "compose_scenes": (
            shop / "cutouts", out / "scenes", "--store", store, "--count", 1, "--workers", 1,
            "--mix", "1,0,0", "--rule", "easy:2-2:2-2",
            "--backgrounds", shop / "trays", "--plain", 0,
        ),
        "train": (
            CONFIG, "--data", store, "--work-dir", out,
            "--cfg-options", *(f"{name}={value}" for name, value in TINY.items()),
        ),
        "detect": (shop / "model.pth", "--out", out / "results.json"),
        "demo": (store / "test" / "tray_1.png", "--model", shop / "model.pth", "--out", out),
        "eval_aco": (
            "--gt", store / "instances_test.json", "--results", store / "results.json",
            "--out", out, "--threshold", 0.5, "--no-map",
        ),
        "train_recognition": (
            ROOT / "configs/recognition/baseline.py", "--data", store, "--out", out / "named",
            "--iterations", 1, "--cfg-options", "side=32", "options.backbone=test_resnet",
            "options.pretrained=False", "options.stages=(2,3)", "training.batch_size=2",
        ),
        "quickstart": (
            "--data", store, "--out", out / "job", "--workers", 1, "--scenes", 1,
            "--start", "none", "--recogniser-start", "none",
        ),
    }[tool]  # fmt: skip
