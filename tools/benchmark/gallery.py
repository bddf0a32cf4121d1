"""How fast a gallery is: adding a SKU, searching, and how much memory a million descriptors take.

Descriptors are random unit vectors of the recipe's dimension, but where photos are added. The best
and the median of several repeats are told, wall time and processor time: on a machine that does
other work as well, only the latter and the best say much.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Read by OpenMP when torch is imported: spinning threads slow every neighbour on a shared machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import faiss
import numpy as np

from rpc.data.files import write_json
from rpc.reporting.provenance import code_version, library_versions, machine

TOOL = Path(__file__).resolve().parent.parent / "gallery.py"
QUERIES = 40
LIMIT_GB = 8.0


def main(argv: list[str] | None = None) -> int:
    """Measure, print, write."""
    args = _parser().parse_args(argv)
    # One query at a time gains little from more threads, and waits for each of them.
    faiss.omp_set_num_threads(args.threads)
    if args.child is not None:
        print(json.dumps(_million(args.child, args.embeddings, args.dimension)))
        return 0
    result: dict[str, Any] = {"settings": {}, "versions": library_versions()}
    result["versions"]["faiss"] = faiss.__version__
    result |= {"code": code_version(), "machine": machine(), "load": list(os.getloadavg())}
    result["settings"] = {"rows": args.embeddings, "repeats": args.repeats, "queries": QUERIES}
    result["settings"]["search_threads"] = args.threads
    dimension = args.dimension
    if args.photos is not None:
        result["add_10_photos"] = add_photos(args.photos, args.repeats)
        dimension = dimension or result["add_10_photos"]["dimension"]
        print(json.dumps(result["add_10_photos"]))
    dimension = dimension or 864
    result["settings"]["dimension"] = dimension
    result["search_32000"] = search_times(32_000, dimension, args.repeats)
    print(json.dumps(result["search_32000"]))
    result["million"] = [_in_child(kind, args, dimension) for kind in args.kinds]
    print(json.dumps(result["million"]))
    if args.out is not None:
        print(write_json(args.out, result, indent=1))
    return 0


def add_photos(photos: Path, repeats: int) -> dict[str, Any]:
    """Ten photos of a new SKU into a gallery: the whole command, and in a process that is warm."""
    from rpc.data.photo_files import find_photos
    from rpc.retrieval.descriptors.recipes import DEFAULT, describer
    from rpc.retrieval.gallery.exemplar_photos import ExemplarPhoto, describe_photos
    from rpc.retrieval.gallery.gallery_edit import NewSku, add_skus, create_gallery, remove_skus

    chosen = find_photos(photos, "photos of a product").photos[:10]
    describe = describer(DEFAULT)
    exemplars = [ExemplarPhoto(path) for path in chosen]
    made = describe_photos(describe, exemplars)
    dimension = made[0].embeddings.shape[1]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "gallery"
        create_gallery(folder, dict(describe.recipe), dimension)

        def warm() -> None:
            new = NewSku("new", describe_photos(describe, exemplars))
            add_skus(folder, dict(describe.recipe), [new])

        def write_only() -> None:
            add_skus(folder, dict(describe.recipe), [NewSku("new", made)])

        def gone() -> None:
            remove_skus(folder, ["new"])

        def whole() -> None:
            line = [sys.executable, str(TOOL), "add", str(folder), "new", *map(str, chosen)]
            subprocess.run(line, check=True, capture_output=True)

        told = {
            name: _timed(do, repeats, after=gone)
            for name, do in (("whole_command", whole), ("warm", warm), ("written", write_only))
        }
    embeddings = sum(len(photo.embeddings) for photo in made)
    return {"photos": len(chosen), "descriptors": embeddings, "dimension": dimension, **told}


def search_times(count: int, dimension: int, repeats: int) -> dict[str, Any]:
    """One query at a time among `count` descriptors: exact, HNSW and IVF, speed and recall."""
    from rpc.retrieval.gallery.index import build_index, search_embeddings

    embeddings = random_embeddings(count, dimension, seed=0)
    queries = near_queries(embeddings, QUERIES)
    truth: Any = None
    told: dict[str, Any] = {"descriptors": count, "dimension": dimension}
    for kind in ("exact", "ivf", "hnsw"):
        began, used = time.perf_counter(), time.process_time()
        index = build_index(kind, embeddings)
        built, processor = time.perf_counter() - began, time.process_time() - used
        for effort in (None,) if kind == "exact" else (16, 64, 256):
            times, found, used = [], [], time.process_time()
            for _ in range(repeats):
                found = []
                for query in queries:
                    started = time.perf_counter()
                    found.append(search_embeddings(index, query[None], 10, effort)[1][0])
                    times.append(1000 * (time.perf_counter() - started))
            used = time.process_time() - used
            answers = np.stack(found)
            truth = answers if truth is None else truth
            name = kind if effort is None else f"{kind}, effort {effort}"
            shared = [len(set(a) & set(t)) / 10 for a, t in zip(answers, truth, strict=True)]
            told[name] = {
                "build_s": round(built, 2),
                "build_processor_s": round(processor, 2),
                "ms_best": round(min(times), 3),
                "ms_median": round(statistics.median(times), 3),
                "processor_ms": round(1000 * used / len(times), 3),
                "recall_at_1": float((answers[:, 0] == truth[:, 0]).mean()),
                "recall_at_10": float(np.mean(shared)),
            }
    told["gallery_search_32000"] = _whole_search(embeddings, queries, repeats)
    return told


def _whole_search(embeddings: Any, queries: Any, repeats: int) -> dict[str, float]:
    """`Gallery.search`, scores in double precision and best row by SKU included."""
    from rpc.retrieval.gallery.gallery import Gallery
    from rpc.retrieval.gallery.gallery_edit import NewPhoto, NewSku, add_skus, create_gallery

    times = []
    with tempfile.TemporaryDirectory() as scratch:
        folder, recipe = Path(scratch) / "gallery", {"name": "random"}
        create_gallery(folder, recipe, embeddings.shape[1])
        skus = [
            NewSku(f"sku {n:05d}", [NewPhoto(embeddings[8 * n : 8 * n + 8])])
            for n in range(len(embeddings) // 8)
        ]
        add_skus(folder, recipe, skus)
        began = time.perf_counter()
        gallery = Gallery.open(folder, recipe)
        opened = time.perf_counter() - began
        used = time.process_time()
        for _ in range(repeats):
            for query in queries:
                started = time.perf_counter()
                gallery.search(query[None], 5)
                times.append(1000 * (time.perf_counter() - started))
        used = time.process_time() - used
        began = time.perf_counter()
        add_skus(folder, recipe, [NewSku("one more", [NewPhoto(embeddings[:40])])])
        one_more = time.perf_counter() - began
    return {
        "skus": len(skus),
        "open_s": round(opened, 3),
        "add_one_sku_s": round(one_more, 3),
        "ms_best": round(min(times), 3),
        "ms_median": round(statistics.median(times), 3),
        "processor_ms": round(1000 * used / len(times), 3),
    }


def random_embeddings(count: int, dimension: int, seed: int) -> Any:
    """Unit vectors (count, dimension), float16, made piece by piece."""
    rng = np.random.default_rng(seed)
    embeddings = np.empty((count, dimension), np.float16)
    for start in range(0, count, 20_000):
        block = rng.standard_normal((min(20_000, count - start), dimension), dtype=np.float32)
        embeddings[start : start + len(block)] = block / np.linalg.norm(
            block, axis=1, keepdims=True
        )
    return embeddings


def near_queries(embeddings: Any, count: int) -> Any:
    """Unit vectors near others, as another photo of the same product is: cosine about 0.7."""
    rng = np.random.default_rng(1)
    chosen = embeddings[rng.choice(len(embeddings), count, replace=False)].astype(np.float32)
    noise = rng.standard_normal(chosen.shape, dtype=np.float32) / chosen.shape[1] ** 0.5
    moved = chosen + noise
    return moved / np.linalg.norm(moved, axis=1, keepdims=True)


def _in_child(kind: str, args: argparse.Namespace, dimension: int) -> dict[str, Any]:
    line = [sys.executable, __file__, "--child", kind]
    line += ["--embeddings", str(args.embeddings), "--dimension", str(dimension)]
    line += ["--threads", str(args.threads)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return {"kind": kind, "failed": done.stderr.strip().splitlines()[-1:]}
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def _million(kind: Any, count: int, dimension: int) -> dict[str, Any]:
    """Build an index of `count` embeddings and search it; the process's peak memory."""
    import resource

    from rpc.retrieval.gallery.index import build_index, search_embeddings

    embeddings = random_embeddings(count, dimension, seed=2)
    queries = near_queries(embeddings, QUERIES)
    began, used = time.perf_counter(), time.process_time()
    index = build_index(kind, embeddings)
    built, processor = time.perf_counter() - began, time.process_time() - used
    times, used = [], time.process_time()
    for query in queries:
        started = time.perf_counter()
        search_embeddings(index, query[None], 10)
        times.append(1000 * (time.perf_counter() - started))
    used = time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "kind": kind,
        "descriptors": count,
        "dimension": dimension,
        "stored_as": "float16",
        "peak_gb": round(peak / 1e9, 2),
        "within_8_gb": peak / 1e9 <= LIMIT_GB,
        "build_s": round(built, 1),
        "build_processor_s": round(processor, 1),
        "search_ms_best": round(min(times), 2),
        "search_ms_median": round(statistics.median(times), 2),
        "search_processor_ms": round(1000 * used / len(times), 2),
    }


def _timed(do: Callable[[], None], repeats: int, after: Callable[[], None]) -> dict[str, float]:
    """Wall and processor seconds, children's included."""
    wall, processor = [], []
    for _ in range(repeats):
        before, began = os.times(), time.perf_counter()
        do()
        wall.append(time.perf_counter() - began)
        processor.append(sum(os.times()[:4]) - sum(before[:4]))
        after()
    return {
        "s_best": round(min(wall), 3),
        "s_median": round(statistics.median(wall), 3),
        "processor_s_best": round(min(processor), 3),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--photos", type=Path, metavar="DIR", help="ten photos of a product (default: not timed)")
    add("--dimension", type=int, help="of the descriptors (default: the recipe's, or 864)")
    add(
        "--embeddings",
        type=int,
        default=1_000_000,
        help="of the large index (default: %(default)s)",
    )
    add("--repeats", type=int, default=5, help="best and median of so many (default: 5)")
    add("--kinds", nargs="*", choices=("exact", "ivf", "hnsw"), default=["exact", "ivf"])
    add("--out", type=Path, metavar="FILE", help="write the JSON there")
    add("--threads", type=int, default=1, help="of a search (default: %(default)s)")
    add("--child", choices=("exact", "ivf", "hnsw"), help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
