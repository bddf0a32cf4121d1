"""The valid inputs that are changed: a store, its results, a gallery, photos of each format."""

import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from rpc.data.cutouts import Cutout, CutoutSet, write_cutouts
from rpc.data.images import write_image
from tests.cli.small_shop import SKUS, make_store, photo
from tests.retrieval.gallery.gallery_makers import make_gallery

FORMATS = (
    ("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("WEBP", {}), ("BMP", {}),
    ("TIFF", {}), ("GIF", {}),
)  # fmt: skip
MODES = ("L", "1", "P", "CMYK", "LA", "RGBA", "I;16", "F")


@dataclass(frozen=True)
class Seeds:
    """Valid inputs.

    Attributes:
        store: folder of a store with two SKUs, one tray to choose on and two to measure.
        gallery: folder of a gallery of invented descriptors.
        cutouts: folder of two cut-outs.
        texts: JSON values by name.
        photos: files of photos in all formats, as bytes.
    """

    store: Path
    gallery: Path
    cutouts: Path
    texts: dict[str, object]
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
    return Seeds(store, gallery, root / "cutouts", texts, tuple(_photos()))


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
