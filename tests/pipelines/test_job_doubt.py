"""What the main job learns of its doubt, from what a counter saw on scenes and photos."""

import numpy as np

from rpc.checkout.seen import see
from rpc.counting import CountingRule
from rpc.data import Annotation, Category, Dataset, ImageInfo, Taxonomy
from rpc.data.cutouts import Cutout, CutoutSet
from rpc.pipelines.store_job.doubt import doubt_of_trays
from rpc.structures import Detections

SKUS = Taxonomy([Category(2, "cola"), Category(5, "zero"), Category(6, "tea")])
RULE = CountingRule(0.5, counts_by="item_score")


def scenes(count, rng):
    """Scenes of three items; from above, cola and zero look the same."""
    images, items, seen = [], [], []
    for number in range(count):
        images.append(ImageInfo(number, f"{number}.jpg", 300, 100))
        rows = []
        for place in range(3):
            label, camera = int(rng.integers(3)), int(rng.choice([0, 3]))
            box = (100.0 * place, 0.0, 100.0 * place + 90, 90.0)
            extra = {"cutout": f"{SKUS.names[label]}_camera{camera}.png"}
            items.append(
                Annotation(len(items), number, SKUS.category_id(label), box, 1.0, 1.0, extra=extra)
            )
            row = np.full(4, 0.005)
            row[label] = 0.985
            if camera == 0 and label < 2:
                share = rng.uniform(0.3, 0.7)
                row = np.array([share, 1 - share - 0.01, 0.005, 0.005])
            rows.append(row)
        boxes = [a.bbox for a in items[-3:]]
        seen.append(see(Detections(boxes, np.full(3, 0.95), [0] * 3), np.array(rows)))
    return Dataset(tuple(images), tuple(items), SKUS), seen


def cutouts(tmp_path):
    made = [
        Cutout(f"{name}_camera{camera}.png", "x.jpg", SKUS.by_name(name).id, camera, 1, 9, 9, 50,
               1.0, 1.0)
        for name in SKUS.names for camera in (0, 3)
    ]  # fmt: skip
    return CutoutSet(tuple(made), tmp_path, "test")


def test_look_alikes_and_a_limit_come_of_composed_scenes(tmp_path):
    made = scenes(120, np.random.default_rng(0))
    doubt = doubt_of_trays(RULE, None, made, cutouts(tmp_path))
    (pair,) = doubt.alike
    assert (pair.skus, pair.views) == (("cola", "zero"), (0,))
    assert pair.examples == ("cola_camera0.png", "zero_camera0.png")
    assert (doubt.chosen_on, doubt.trays) == ("composed scenes", 120)
    sure, split = doubt.calibration.likeliest([0.99, 0.6])
    assert sure > 0.99 > 0.85 > split


def test_photos_alone_are_learnt_from_too_and_nothing_gives_nothing():
    photos = scenes(20, np.random.default_rng(1))
    doubt = doubt_of_trays(RULE, photos, None, None)
    assert (doubt.chosen_on, doubt.alike) == ("val", ())
    assert doubt_of_trays(RULE, None, None, None) is None
