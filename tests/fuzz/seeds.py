"""The valid inputs that are changed: a store, its results, a gallery, photos of each format."""

import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope
from PIL import Image

from rpc.counting import CountingRule
from rpc.data.cutouts import Cutout, CutoutSet, write_cutouts
from rpc.data.images import write_image
from rpc.data.store import Store
from rpc.detection import runtime
from rpc.detection.config import build_config, model_text
from rpc.detection.model_file import SavedModel, write_model
from rpc.runs.config_files import read_config_file
from tests.cli.small_shop import SKUS, make_store, photo
from tests.data.exports.layouts import ALL, truth_of
from tests.detection.drawn_store import TINY
from tests.retrieval.gallery.gallery_makers import make_gallery

FORMATS = (
    ("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("WEBP", {}), ("BMP", {}),
    ("TIFF", {}), ("GIF", {}),
)  # fmt: skip
ROOT = Path(__file__).parents[2]
CONFIGS = (("recognise", "recognition/baseline.py"), ("train-render", "render/cut_cpu.py"))
MODES = ("L", "1", "P", "CMYK", "LA", "RGBA", "I;16", "F")


@dataclass(frozen=True)
class Seeds:
    """Valid inputs.

    Attributes:
        store: folder of a store with two SKUs, one tray to choose on and two to measure.
        gallery: folder of a gallery of invented descriptors.
        cutouts: folder of two cut-outs.
        class_sets: a folder of public data sets' layouts in miniature.
        exports: a folder of annotation tools' exports in miniature.
        model: a small counter's model file.
        texts: JSON values by name.
        configs: verbs with the values of a config of theirs.
        photos: files of photos in all formats, as bytes.
    """

    store: Path
    gallery: Path
    cutouts: Path
    class_sets: Path
    exports: Path
    model: Path
    texts: dict[str, object]
    configs: tuple[tuple[str, dict], ...]
    photos: tuple[bytes, ...]


def make_seeds(root):
    """Write the valid inputs below `root`."""
    store = make_store(root / "store")
    truth = json.loads((store / "instances_test.json").read_text())
    for image in truth["images"]:
        image["level"] = "easy"
    boxes = [
        {
            "image_id": a["image_id"],
            "category_id": a["category_id"],
            "bbox": a["bbox"],
            "score": 0.9,
        }
        for a in truth["annotations"]
    ]
    counts = [{"image_id": n, "counts": [{"category_id": n, "count": 1}]} for n in (1, 2)]
    texts = {
        "truth": truth,
        "train": json.loads((store / "instances_train.json").read_text()),
        "results": boxes * 2,
        "counts": counts,
        "cutouts": _cutouts(root / "cutouts"),
    }
    gallery = root / "gallery"
    make_gallery(gallery)
    texts["gallery"] = json.loads((gallery / "gallery.json").read_text())
    configs = tuple((verb, read_config_file(ROOT / "configs" / name)) for verb, name in CONFIGS)
    for writer in ALL:
        writer(root / "exports" / writer.__name__, truth_of(writer))
    return Seeds(
        store,
        gallery,
        root / "cutouts",
        make_class_sets(root / "class_sets"),
        root / "exports",
        _model(root / "model.pth", store),
        texts,
        configs,
        tuple(_photos()),
    )


def make_class_sets(root):
    """CUB and class folders, two classes each."""
    small = photo(5)[:40, :40]
    cub = root / "cub"
    names = [f"00{1 + n % 2}.bird_{1 + n % 2}/b_{n}.jpg" for n in range(4)]
    for name in names:
        write_image(cub / "images" / name, small)
    for file, lines in {
        "images.txt": [f"{n} {name}" for n, name in enumerate(names, 1)],
        "classes.txt": [f"{n} 00{n}.bird_{n}" for n in (1, 2)],
        "image_class_labels.txt": [f"{n} {1 + (n - 1) % 2}" for n in range(1, 5)],
        "train_test_split.txt": ["1 1", "2 1", "3 0", "4 0"],
        "bounding_boxes.txt": [f"{n} 2.0 3.0 20.0 21.0" for n in range(1, 5)],
    }.items():
        (cub / file).write_text("\n".join(lines) + "\n")
    for split in ("train", "test"):
        for name in ("lime", "plum"):
            write_image(root / "folders" / split / name / "1.png", small)
    return root


def _model(path, store):
    """A counter's model file with a network as small as can be."""
    runtime.setup()
    init_default_scope("mmdet")
    config = build_config("configs/rtmdet_tiny_rpc.py", store, None, TINY)
    state = MODELS.build(config.model).state_dict()
    skus = Store.open(store).taxonomy
    write_model(path, SavedModel(state, model_text(config), skus, CountingRule(0.3).to_dict()))
    return path


def _photos():
    whole = Image.fromarray(photo(3))
    for name, options in FORMATS:
        yield _file(whole, name, options)
    for mode in MODES:
        converted = whole.convert("L").convert("F") if mode == "F" else None
        if mode == "I;16":
            converted = Image.fromarray(np.asarray(whole.convert("L")).astype(np.uint16) * 16)
        yield _file(converted or whole.convert(mode), "TIFF" if mode != "LA" else "PNG", {})
    turned = Image.Exif()
    turned[0x0112] = 6
    yield _file(whole, "JPEG", {"exif": turned})


def _file(image, name, options):
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()


def _cutouts(folder):
    """The list of two cut-outs, whose pictures lie in `folder`."""
    rgba = np.dstack([photo(4), np.full((90, 120), 255, np.uint8)])
    cutouts = []
    for number, name in enumerate(SKUS, start=1):
        write_image(folder / f"{name}.png", rgba)
        cutouts.append(
            Cutout(f"{name}.png", f"{name}.jpg", number, 0, 1, 120, 90, 10_800, 1.0, 1.0)
        )
    path = write_cutouts(folder, CutoutSet(tuple(cutouts), folder, "hand"))
    return json.loads(path.read_text())
