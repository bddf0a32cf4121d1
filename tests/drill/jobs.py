"""The jobs that are struck: tiny inputs, the command line of each, and what it leaves.

Every job can be run again, or with `--resume`, to its end; what must then be as undisturbed is
named by `same`.
"""

import json
from dataclasses import dataclass

import numpy as np

from rpc.data.cutouts import Cutout, CutoutSet, write_cutouts
from rpc.data.images import write_image
from rpc.structures import encode_rle
from synth.render.apply.renderer import write_renderer
from synth.render.classical.camera_statistics import measure_camera
from synth.render.classical.classical_renderer import ClassicalRenderer
from synth.render.gate.background import background_statistics
from tests.cli.small_shop import CONFIG, TINY, make_store, photo

CLASSES = ("berry", "lime", "plum")


@dataclass(frozen=True)
class JobCase:
    """A job to be struck.

    Attributes:
        command: of Python, with `{out}` for the folder of what it makes.
        same: patterns of files in that folder that a resumed job leaves byte by byte as one that
            was not disturbed.
        done: a file that only a finished job leaves.
        resume: what is added to the command to go on.
        seconds: about how long it takes, undisturbed, on one core.
    """

    name: str
    command: tuple
    same: tuple = ()
    done: str = ""
    resume: tuple = ()
    seconds: float = 5.0

    def line(self, out, *, again=False):
        words = (*self.command, *(self.resume if again else ()))
        return [str(word).replace("{out}", str(out)) for word in words]


def make_inputs(root):
    """All that the jobs read, in one folder."""
    store = make_store(root / "store")
    _more_exemplars(store)
    _scenes(root / "scenes")
    _scenes(root / "many_scenes", count=120)
    rows = np.stack([measure_camera(photo(n))[0].to_row() for n in range(3)])
    origin = {"supervision": "E", "background": background_statistics(root / "many_scenes")}
    write_renderer(root / "renderer.pth", "classical", ClassicalRenderer(rows).to_state(), origin)
    _cutouts(root / "cutouts")
    rng = np.random.default_rng(0)
    for channel, name in enumerate(CLASSES):
        for n in range(10):
            rgb = rng.integers(0, 90, (40, 40, 3)).astype(np.uint8)
            rgb[..., channel] += 150
            split = "train" if n < 7 else "test"
            write_image(root / "colours" / split / name / f"{n}.png", rgb)
    results = [{"image_id": 1, "category_id": 1, "bbox": [40, 30, 40, 30], "score": 0.9}]
    (root / "results.json").write_text(json.dumps(results))
    for n in range(6):
        write_image(root / "photos" / f"{n}.png", photo(n))
    return root


def jobs(root):
    """The jobs on the inputs of a folder, by name."""
    store, scenes = root / "store", root / "scenes"
    tiny = {**TINY, "train_dataloader.num_workers": 2, "val_dataloader.num_workers": 1}
    tiny |= {"train_cfg.max_iters": 12}
    made = (
        JobCase(
            "cut-outs",
            ("tools/make_cutouts.py", "--data", store, "--out", "{out}", "--method", "grabcut",
             "--workers", 2),
            same=("*.png", "cutouts.json"),
            done="cutouts.json",
        ),
        JobCase(
            "compose",
            ("tools/compose_scenes.py", root / "cutouts", "{out}", "--store", store,
             "--count", 96, "--workers", 2, "--size", "96x96", "--mix", "1,0,0",
             "--rule", "easy:2-2:2-2"),
            same=("images/*", "instances.json"),
            done="instances.json",
        ),
        JobCase(
            "detector",
            ("tools/train.py", CONFIG, "--data", store, "--scenes", scenes, "--work-dir", "{out}",
             "--cfg-options", *(f"{name}={value}" for name, value in tiny.items())),
            done="model.pth",
            resume=("--resume",),
            seconds=14.0,
        ),
        JobCase(
            "recogniser",
            ("-m", "tests.drill.train_recogniser", scenes, "{out}"),
            same=("weights.pth",),
            done="weights.pth",
            seconds=9.0,
        ),
        JobCase(
            "recognition",
            ("tools/train_recognition.py", "configs/recognition/baseline.py", "--data",
             root / "colours", "--out", "{out}", "--iterations", 40, "--cfg-options",
             "options.backbone=test_resnet", "options.pretrained=False", "options.stages=[2,3]",
             "side=32", "training.batch_size=6"),
            same=("best.pth", "last.pth"),
            done="result.json",
            resume=("--resume",),
            seconds=9.0,
        ),
        JobCase(
            "renderer",
            ("tools/train_render.py", "configs/render/cut_cpu.py", "--data", store, "--scenes",
             scenes, "--out", "{out}", "--iterations", 60, "--cfg-options", "generator.width=4",
             "generator.blocks=1", "discriminator.width=4", "discriminator.layers=1",
             "crops.side=32", "crops.load_scale=1.0", "training.workers=2"),
            same=("renderer.pth",),
            done="renderer.pth",
            resume=("--resume",),
            seconds=8.0,
        ),
        JobCase(
            "render",
            ("tools/render_scenes.py", root / "many_scenes", "{out}", "--renderer",
             root / "renderer.pth", "--workers", 2),
            same=("images/*", "instances.json"),
            done="instances.json",
        ),
        JobCase(
            "evaluate",
            ("tools/eval_aco.py", "--gt", store / "instances_test.json", "--results",
             root / "results.json", "--threshold", 0.5, "--out", "{out}"),
            done="report.json",
        ),
        JobCase(
            "import",
            ("tools/import_folder.py", root / "colours" / "train", "{out}"),
            same=("*.json", "exemplars/*"),
            done="instances_train.json",
        ),
        JobCase(
            "gallery add",
            ("tools/gallery.py", "add", "{out}", "tea", root / "photos", "--whole"),
            done="gallery.json",
            seconds=8.0,
        ),
        JobCase(
            "naming",
            ("tools/name_crops.py", "--data", store, "--out", "{out}", "--few", 3),
            done="naming.json",
        ),
        JobCase(
            "quickstart",
            ("tools/quickstart.py", "--data", store, "--out", "{out}", "--start", "none",
             "--recogniser-start", "none", "--minutes", 0.15, "--scenes", 12, "--workers", 2),
            done="model.pth",
            seconds=40.0,
        ),
    )  # fmt: skip
    return {job.name: job for job in made}


def _more_exemplars(store, views=12):
    """More photos of each SKU, so that cutting out takes some time."""
    path = store / "instances_train.json"
    content = json.loads(path.read_text())
    images, annotations = content["images"], content["annotations"]
    for category in content["categories"]:
        for view in range(2, views + 2):
            number = len(images) + 1
            name = f"{category['name']}_camera0-{view}.png"
            write_image(store / "exemplars" / name, photo(number))
            images.append({"id": number, "file_name": name, "width": 120, "height": 90})
            annotations.append(
                {"id": number, "image_id": number, "category_id": category["id"],
                 "bbox": [40, 30, 40, 30]}
            )  # fmt: skip
    path.write_text(json.dumps(content))


def _scenes(folder, count=12):
    """Composed scenes with one item each."""
    images, annotations = [], []
    for n in range(1, count + 1):
        write_image(folder / "images" / f"{n}.png", photo(n) // 2)
        images.append({"id": n, "file_name": f"{n}.png", "width": 120, "height": 90})
        mask = np.zeros((90, 120), bool)
        mask[30:60, 40:80] = True
        annotations.append(
            {"id": n, "image_id": n, "category_id": 1 + n % 2, "bbox": [40, 30, 40, 30],
             "area": 1200, "segmentation": encode_rle(mask), "iscrowd": 0}
        )  # fmt: skip
    categories = [{"id": n, "name": name} for n, name in enumerate(("tea", "rice"), start=1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (folder / "instances.json").write_text(json.dumps(content))


def _cutouts(folder, views=3):
    """Cut-outs of two SKUs: boards of coloured noise."""
    rng, made = np.random.default_rng(5), []
    for sku in (1, 2):
        for view in range(views):
            width, height = (int(n) for n in rng.integers(30, 50, 2))
            rgba = rng.integers(0, 255, (height, width, 4), np.uint8)
            rgba[..., 3] = 255
            name = f"product_{sku}/view_{view}.png"
            write_image(folder / name, rgba)
            photo_name, area = f"{sku}.jpg", width * height
            made.append(
                Cutout(name, photo_name, sku, 0, view, width, height, area, 1.0, 1.0, scale=1.0)
            )
    write_cutouts(folder, CutoutSet(tuple(made), folder, "drawn"))
