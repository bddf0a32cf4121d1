"""Small trays of drawn packages with their masks, in memory and as a folder of scenes."""

from functools import lru_cache

import cv2
import numpy as np

from rpc.data import Annotation, Category, Dataset, ImageInfo, Taxonomy
from rpc.data.dataset import write_dataset
from rpc.data.images import write_image
from rpc.structures.masks import encode_rle, mask_to_box
from synth.drawn import draw_package

SIDE = 320
BOARD = (188, 186, 180)


@lru_cache(maxsize=64)
def package(product, variant, long_side):
    return draw_package(11, product, "front", variant, long_side=long_side)


def tray(seed, items=5, board=BOARD, side=SIDE, products=8):
    """A tray (side, side, 3), a mask of each item, and the items' products."""
    rng = np.random.default_rng([3, seed])
    shade = cv2.resize(1 + rng.normal(0, 0.01, (3, 3)), (side, side), interpolation=cv2.INTER_CUBIC)
    rgb = shade[..., None] * np.array(board, float) + rng.normal(0, 1.0, (side, side, 3))
    cells = [(r, c) for r in range(3) for c in range(3)]
    masks, labels = [], []
    for cell in rng.permutation(len(cells))[:items]:
        product = int(rng.integers(products))
        picture = package(product, int(rng.integers(3)), round(0.225 * side))
        height, width = picture.shape[:2]
        top, left = (round(cells[cell][axis] * side / 3 + side / 6) for axis in (0, 1))
        window = (
            slice(top - height // 2, top - height // 2 + height),
            slice(left - width // 2, left - width // 2 + width),
        )
        alpha = picture[..., 3:].astype(float) / 255
        rgb[window] = alpha * picture[..., :3] + (1 - alpha) * rgb[window]
        mask = np.zeros((side, side), bool)
        mask[window] = alpha[..., 0] > 0.5
        masks.append(mask)
        labels.append(product)
    return rgb.round().clip(0, 255).astype(np.uint8), masks, labels


def scene_folder(root, count, board=BOARD, side=SIDE, items=5):
    """A folder as rpc-checkout compose writes it; image ids are not consecutive."""
    images, annotations = [], []
    for number in range(count):
        rgb, masks, labels = tray(number, items, board, side)
        image = ImageInfo(3 * number + 1, f"{number:08d}.jpg", side, side, "easy")
        write_image(root / "images" / image.file_name, rgb)
        images.append(image)
        for mask, label in zip(masks, labels, strict=True):
            annotations.append(
                Annotation(
                    id=len(annotations) + 1,
                    image_id=image.id,
                    category_id=label + 1,
                    bbox=mask_to_box(mask),
                    area=int(mask.sum()),
                    visible=1.0,
                    segmentation=encode_rle(mask),
                    extra={"cutout": "a.png"},
                )
            )
    names = Taxonomy(tuple(Category(n + 1, f"package_{n}") for n in range(8)))
    write_dataset(root / "instances.json", Dataset(tuple(images), tuple(annotations), names))
    return root
