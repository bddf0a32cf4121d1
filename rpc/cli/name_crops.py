"""How often do exemplar photos name the products of checkout trays? By recipe, with failures."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rpc.data.files import DataError, write_bytes, write_json
from rpc.data.images import write_image
from rpc.data.store import SPLITS, Store
from rpc.metrics.naming import naming_lead, naming_metrics, ranks_of_truth
from rpc.pipelines.naming.run import RECIPES, Crops, Naming, read_crops
from rpc.pipelines.naming.sheet import failure_sheet, failures, naming_text
from rpc.reporting.provenance import code_version, library_versions, machine, sha256
from rpc.retrieval.descriptors.product_descriptor import PROJECTION
from rpc.runs.progress import Report, bar

DEFAULT = "product"


def main(argv: list[str] | None = None) -> int:
    """Cut, describe, compare, write."""
    args = _parser().parse_args(argv)
    cv2.setNumThreads(1)
    chosen = list(RECIPES) if args.ablation else args.recipes
    if args.few is not None and args.few < 1:
        raise DataError(f"--few: expected at least 1 photo a SKU, got {args.few}")
    store = Store.open(args.data)
    exemplars = read_crops(store, args.exemplars)
    if args.few is not None:
        exemplars = _few(exemplars, args.few, args.seed)
    queries = read_crops(store, args.queries)
    naming = Naming(exemplars, queries, args.projection)
    report = _facts(args, naming)
    found: dict[str, np.ndarray] = {}
    for name in chosen:
        started = time.perf_counter()
        with bar(name) as progress:
            photos = naming.photo_scores(RECIPES[name], _counter(naming, name, progress))
        found[name] = ranks = ranks_of_truth(naming.sku_scores(photos), naming.truth)
        rng = np.random.default_rng(args.seed)
        row = asdict(naming_metrics(ranks, queries.groups, rng))
        row |= {"settings": asdict(RECIPES[name]), "what": RECIPES[name].what}
        row["seconds"] = round(time.perf_counter() - started, 1)
        report["recipes"][name] = row
        print(f"{name}: first {row['top1']:.3f}, top 5 {row['top5']:.3f}", flush=True)
        if name == DEFAULT or len(chosen) == 1:
            _write_failures(args.out / "failures.png", naming, photos, ranks, store)
    if DEFAULT in found:
        for name in set(found) - {DEFAULT}:
            rng = np.random.default_rng(args.seed)
            lead = naming_lead(found[DEFAULT], found[name], queries.groups, rng)
            report["recipes"][name]["default_leads_by"] = lead
    print(write_json(args.out / "naming.json", report, indent=1))
    print(write_bytes(args.out / "naming.md", naming_text(report).encode()))
    return 0


def _counter(naming: Naming, name: str, progress: Report) -> Callable[[int], None]:
    """Adds up crops for a bar."""
    turns, windows = RECIPES[name].turns, RECIPES[name].windows
    total = windows * (len(naming.queries.pictures) + turns * len(naming.exemplars.pictures))
    done = 0

    def count_views(views: int) -> None:
        nonlocal done
        done += views
        progress(done, total)

    return count_views


def _few(crops: Crops, most: int, seed: int) -> Crops:
    """At most so many exemplars of each SKU, drawn by chance."""
    rng = np.random.default_rng(seed)
    kept = [
        index
        for label in np.unique(crops.labels)
        for index in sorted(rng.permutation(np.flatnonzero(crops.labels == label))[:most].tolist())
    ]
    pictures = [crops.pictures[index] for index in kept]
    names = [crops.names[index] for index in kept]
    return Crops(pictures, crops.labels[kept], crops.groups[kept], names)


def _facts(args: argparse.Namespace, naming: Naming) -> dict[str, Any]:
    queries, exemplars = naming.queries, naming.exemplars
    return {
        "store": args.data.name,
        "exemplars": len(exemplars.pictures),
        "skus": len(naming.skus),
        "queries": len(queries.pictures),
        "trays": len(set(queries.names)),
        "groups": len(set(queries.groups.tolist())),
        "settings": {"split": args.queries, "few": args.few, "seed": args.seed},
        "projection": sha256(args.projection or PROJECTION),
        "code": code_version(),
        "versions": library_versions(),
        "machine": machine(),
        "recipes": {},
    }


def _write_failures(
    path: Path, naming: Naming, photos: np.ndarray, ranks: np.ndarray, store: Store
) -> None:
    wrong = np.flatnonzero(ranks > 0)
    names = [store.taxonomy.category(int(label)).name for label in naming.skus]
    lines = failures(
        [naming.queries.pictures[row] for row in wrong],
        naming.exemplars.pictures,
        photos[wrong],
        naming.truth[wrong],
        naming.owner,
        names,
    )
    write_image(path, failure_sheet(lines))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="Recipes: " + "; ".join(f"{name} ({r.what})" for name, r in RECIPES.items()),
    )
    add = parser.add_argument
    add("--data", type=Path, required=True, metavar="STORE", help="a store, see docs/overview.md")
    add("--out", type=Path, required=True, metavar="DIR", help="for naming.json, .md, failures.png")
    add("--exemplars", choices=SPLITS, default="train", help="the gallery (default: %(default)s)")
    add("--queries", choices=SPLITS, default="val", help="crops to be named (default: %(default)s)")
    add("--recipes", nargs="+", choices=tuple(RECIPES), default=[DEFAULT], metavar="NAME",
        help=f"(default: {DEFAULT})")  # fmt: skip
    add("--ablation", action="store_true", help="all recipes, one table")
    add("--few", type=int, metavar="N", help="at most N exemplars a SKU (default: all)")
    add("--projection", type=Path, metavar="FILE", help="of make_descriptor.py (default: built in)")
    add("--seed", type=int, default=0, help="of --few and of the intervals (default: %(default)s)")
    return parser
