"""Draws a store of three SKUs, small enough to train on within a test."""

import cv2
import numpy as np

from rpc.data import Annotation, Category, Dataset, ImageInfo, Taxonomy, write_dataset, write_image

SIDE = 96
# Ids with a gap and out of order: labels must come from the taxonomy, not from id - 1.
SKUS = Taxonomy([Category(7, "red_box"), Category(2, "green_can"), Category(4, "blue_bag")])
COLOURS = {7: (210, 40, 40), 2: (40, 190, 60), 4: (50, 70, 220)}

TINY = {
    "image_size": 64,
    "model.backbone.widen_factor": 0.125,
    "model.neck.in_channels": [32, 64, 128],
    "model.neck.out_channels": 32,
    "model.bbox_head.in_channels": 32,
    "model.bbox_head.feat_channels": 32,
    "train_dataloader.batch_size": 4,
    "train_dataloader.num_workers": 0,
    "val_dataloader.num_workers": 0,
}


def draw(items, side=SIDE):
    """A white tray with items (category_id, x1, y1, x2, y2)."""
    image = np.full((side, side, 3), 235, np.uint8)
    for category_id, x1, y1, x2, y2 in items:
        cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), COLOURS[category_id], -1)
    return image


def write_split(json_path, folder, trays):
    """Draw trays (lists of items) into `folder` and list them in `json_path`."""
    images, annotations = [], []
    for number, items in enumerate(trays):
        image_id = 10 * number + 3
        name = f"{folder.name}_{number:03}.png"
        write_image(folder / name, draw(items))
        images.append(ImageInfo(image_id, name, SIDE, SIDE))
        for category_id, *box in items:
            box = tuple(float(v) for v in box)
            area = (box[2] - box[0]) * (box[3] - box[1])
            annotations.append(Annotation(len(annotations) + 1, image_id, category_id, box, area))
    write_dataset(json_path, Dataset(tuple(images), tuple(annotations), SKUS))


def random_trays(count, seed):
    rng = np.random.default_rng(seed)
    trays = []
    for _ in range(count):
        cells = rng.permutation(4)[: rng.integers(1, 4)]
        corners = [(4 + 46 * (c % 2), 4 + 46 * (c // 2)) for c in cells.tolist()]
        sizes = rng.integers(24, 40, (len(corners), 2)).tolist()
        skus = rng.choice(SKUS.ids, len(corners)).tolist()
        trays.append(
            [
                (k, x, y, x + w, y + h)
                for k, (x, y), (w, h) in zip(skus, corners, sizes, strict=True)
            ]
        )
    return trays
