"""Results as the evaluator leaves them: a folder with report.json and counts.json."""

from dataclasses import asdict

import numpy as np

from rpc.data import Annotation, Category, Dataset, ImageInfo, Taxonomy, read_dataset, write_dataset
from rpc.data.files import write_json
from rpc.metrics import checkout_metrics_by_level
from rpc.reporting import write_counts
from rpc.reporting.provenance import sha256

LEVELS = ("easy", "medium", "hard")


def write_truth(path, images=12, seed=0):
    """Trays of three SKUs, four items each, in turn easy, medium and hard; ids out of order."""
    rng = np.random.default_rng(seed)
    ids = rng.permutation(images) + 1
    infos = [
        ImageInfo(number, f"{number}.jpg", 99, 99, LEVELS[place % 3])
        for place, number in enumerate(ids.tolist())
    ]
    skus = rng.integers(1, 4, 4 * images).tolist()
    items = [
        Annotation(place + 1, infos[place // 4].id, sku, (0, 0, 9, 9), 81.0)
        for place, sku in enumerate(skus)
    ]
    taxonomy = Taxonomy([Category(number, name) for number, name in ((1, "a"), (2, "b"), (3, "c"))])
    write_dataset(path, Dataset(infos, items, taxonomy))
    return read_dataset(path)


def spoil(dataset, share, seed):
    """The true counts with items missed in so many of the entries."""
    truth = dataset.counts()
    missed = np.random.default_rng(seed).random(truth.shape) < share
    return np.maximum(truth - missed, 0)


def report_of(dataset, counts, method="", **changes):
    """What `report.json` must hold to be compared."""
    rows = {
        level: asdict(metrics) | {"mAP50": 0.9, "mmAP": None, "threshold": 0.5}
        for level, metrics in checkout_metrics_by_level(
            counts, dataset.counts(), dataset.levels()
        ).items()
    }
    gt = {"name": dataset.path.name, "sha256": sha256(dataset.path)}
    return {
        "protocol": "honest", "supervision": "E", "method": method, "levels": rows,
        "manifest": {"files": {"gt": gt}}, "counting": {"rule": None, "chosen_on": "val.json"},
    } | changes  # fmt: skip


def write_folder(folder, dataset, counts, method="", **changes):
    write_json(folder / "report.json", report_of(dataset, counts, method, **changes))
    write_counts(folder / "counts.json", dataset, counts)
    return folder
