"""Naming by a gallery, with and without the features of a trained recogniser, on true boxes.

    python tools/benchmark/recogniser_features.py --model MODEL --data STORE --gallery GALLERY

The recogniser may be that of another store, or one that was trained without some of this store's
SKUs: `--skus` judges the crops of those alone, among all SKUs of the gallery. Each way is tuned on
all crops of the split, without their labels (`rpc.retrieval.gallery.comparison`).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np

from rpc.checkout.trained import load_checkout
from rpc.data.dataset import Dataset
from rpc.data.files import write_json
from rpc.data.images import read_image
from rpc.data.store import Store
from rpc.detection import runtime
from rpc.metrics.naming import naming_lead
from rpc.pipelines.gallery.recipe import descriptor_of
from rpc.pipelines.labelled_trays import truths_of
from rpc.recognition.ensemble.gallery_features import (
    SHARE,
    gallery_with_features,
    joined_embeddings,
)
from rpc.reporting.provenance import code_version, machine, sha256
from rpc.retrieval.descriptors.product_crops import crop_products
from rpc.retrieval.gallery.comparison import Comparison
from rpc.retrieval.gallery.gallery import Gallery

SHARES: Final = (0.2, 0.3, SHARE, 0.5, 0.7)


def main(argv: list[str] | None = None) -> int:
    """Look at each true box once, compare, print and write the shares named right first."""
    args = _parser().parse_args(argv)
    runtime.setup()
    result = measure(args)
    for name, told in result["named_first"].items():
        print(name, told)
    if args.out is not None:
        print(write_json(args.out, result, indent=1))
    return 0


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """The figures, as plain values."""
    store = Store.open(args.data)
    gallery = Gallery.open(args.gallery)
    recogniser: Any = load_checkout(args.model, named=False).recogniser
    describe = descriptor_of(args.gallery, "cpu")
    dataset = store.split(args.split)
    crops, names, trays = _items(store, dataset, args.split)
    embeddings = np.concatenate([np.asarray(describe(some)) for some in crops])
    features = np.concatenate([recogniser.features(some) for some in crops])
    chosen = np.isin(names, args.skus or list(dataset.taxonomy.names))

    def wrong(compared: Gallery, queries: Any) -> Any:
        table = Comparison.learnt(compared, queries).similarities(queries)
        return (np.array(compared.names)[table.argmax(axis=1)] != names)[chosen].astype(int)

    alone = wrong(gallery, embeddings)
    told = {"descriptor": {"first": round(100 * (1 - float(alone.mean())), 1)}}
    for share in SHARES:
        queries = joined_embeddings(embeddings, features, share)
        found = wrong(gallery_with_features(gallery, recogniser, share), queries)
        lead = naming_lead(found, alone, trays[chosen], np.random.default_rng(0))
        first = round(100 * (1 - float(found.mean())), 1)
        told[f"{share} features"] = {
            "first": first,
            "gain": [round(100 * number, 1) for number in lead],
        }
    return {
        "code": code_version(),
        "machine": machine(),
        "data": f"{store.root.name} {args.split}",
        "model": {"name": args.model.name, "sha256": sha256(args.model)},
        "skus": args.skus or "all",
        "crops": int(chosen.sum()),
        "trays": len(np.unique(trays[chosen])),
        "named_first": told,
    }


def _items(store: Store, dataset: Dataset, split: Any) -> tuple[list[Any], Any, Any]:
    """Crops by tray; SKU and tray of each."""
    crops, names, trays = [], [], []
    for image, truth in zip(dataset.images, truths_of(dataset), strict=True):
        if len(truth):
            crops.append(crop_products(read_image(store.image_path(split, image)), truth.boxes))
            names += [dataset.taxonomy.names[label] for label in truth.labels]
            trays += [image.id] * len(truth)
    return crops, np.array(names), np.array(trays)


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = made.add_argument
    add("--model", type=Path, required=True, help="with a recogniser")
    add("--data", type=Path, required=True, metavar="STORE", help="the store of the trays")
    add("--gallery", type=Path, required=True, help="of that store's exemplars")
    add("--split", default="val", choices=("val", "test"), help="(default: %(default)s)")
    add("--skus", nargs="+", metavar="SKU", help="judge crops of these (default: all)")
    add("--out", type=Path, metavar="FILE", help="a JSON file with every figure")
    return made


if __name__ == "__main__":
    sys.exit(main())
