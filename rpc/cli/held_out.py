"""Products that training never saw: left out, trained without, added to a gallery, and counted.

Without --model, a model is trained on the store without the held-out SKUs (and without every tray
on which one of them lies); with it, that model is taken. Then all SKUs' exemplars go into a
gallery, the held-out ones one by one against the clock; trays of val and test are looked at once;
open-set rule, fusion and counting rule are chosen on val; the table is of test.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rpc.cli.verb_parser import VerbParser
from rpc.data.shipped import shipped

if TYPE_CHECKING:
    from rpc.data.store import Store
    from rpc.retrieval.gallery.gallery import DescribesPictures

CONFIG = shipped("configs/cpu_default.py")
START = shipped("rpc/weights/start.pth")
RECOGNISER_START = shipped("rpc/weights/recogniser_start.pth")


def main(argv: list[str] | None = None) -> int:
    """Leave out, train, add, look, choose, report."""
    args = parser().parse_args(argv)

    from rpc.data.files import DataError
    from rpc.data.store import Store
    from rpc.pipelines.gallery.held_out_report import measure, write_results
    from rpc.retrieval.descriptors.recipes import DEFAULT, describer

    store = Store.open(args.data)
    for name in args.without:
        store.taxonomy.by_name(name)
    model = args.model or _train(args, store)
    if not model.is_file():
        raise DataError(f"{model}: no such model")
    describe = describer(args.recipe or DEFAULT)
    seconds, processor = _fill_gallery(args, store, describe)
    result = measure(store, args.without, model, args.out / "gallery", describe)
    result["add_seconds"] = {
        "by_sku": seconds,
        "median": round(statistics.median(seconds.values()), 3),
        "median_processor": round(statistics.median(processor), 3),
        "of": f"a SKU's exemplars, at most {args.most}, described and written; descriptor warm",
    }
    for path in write_results(args.out, result):
        print(path)
    return 0


def _train(args: argparse.Namespace, store: Store) -> Path:
    """A model that never saw the held-out SKUs."""
    from rpc.data.store_without import store_without
    from rpc.pipelines.store_job.job import RENDERER, Job
    from rpc.pipelines.store_job.run import run_job

    reduced: Path = args.out / "store"
    if not (reduced / "instances_train.json").is_file():
        store_without(store, args.without, reduced)
    job = Job(
        data=reduced,
        out=args.out / "job",
        config=CONFIG,
        start=START,
        recogniser_start=RECOGNISER_START,
        minutes=args.minutes,
        iterations=args.iterations,
        scenes=args.scenes,
        seed=args.seed,
        workers=args.workers,
        method=args.method,
        renderer=RENDERER,
    )
    run_job(job)
    return job.model


def _fill_gallery(
    args: argparse.Namespace, store: Store, describe: DescribesPictures
) -> tuple[dict[str, float], list[float]]:
    """Old SKUs together, then the held-out ones one by one; seconds of each, processor's too."""
    import shutil

    from rpc.pipelines.gallery.photos import skus_of_store
    from rpc.retrieval.gallery.gallery_edit import add_skus, create_gallery

    folder: Path = args.out / "gallery"
    if folder.is_dir():
        shutil.rmtree(folder)  # ours: a run is done anew from here
    old = [name for name in store.taxonomy.names if name not in args.without]
    skus = skus_of_store(describe, store, old, args.most)
    recipe = dict(describe.recipe)
    create_gallery(folder, recipe, skus[0].photos[0].rows.shape[1])
    add_skus(folder, recipe, skus)
    seconds, processor = {}, []
    for name in args.without:
        began, used = time.perf_counter(), time.process_time()
        add_skus(folder, recipe, skus_of_store(describe, store, [name], args.most))
        seconds[name] = round(time.perf_counter() - began, 3)
        processor.append(round(time.process_time() - used, 3))
    return seconds, processor


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = made.add_argument
    add("--data", type=Path, required=True, metavar="ROOT", help="a store with val and test")
    add("--without", nargs="+", required=True, metavar="SKU", help="held-out SKUs")
    add("--out", type=Path, required=True, metavar="DIR", help="for everything that is made")
    add("--model", type=Path, metavar="FILE", help="model.pth of a training without these SKUs")
    add("--recipe", metavar="NAME", help="of the gallery's descriptors (default: the best)")
    add("--most", type=int, default=24, metavar="N", help="exemplars of a SKU (default: 24)")
    add("--minutes", type=float, default=12.0, help="time for training (default: %(default)s)")
    add("--iterations", type=int, metavar="N", help="of the detector, instead of --minutes")
    add("--scenes", type=int, default=2000, help="composed scenes (default: %(default)s)")
    add("--method", choices=("Syn", "Render", "Syn+Render"), default="Render")
    add("--seed", type=int, default=0, help="of scenes and training (default: %(default)s)")
    add("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)")
    return made
