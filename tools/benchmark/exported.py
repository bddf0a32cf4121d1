r"""Exported counters beside their model file: the same lists, and how long each takes.

    python tools/benchmark/exported.py --model rpc/weights/ministore.pth \
        --data examples/ministore --threads 2 --repeats 5 --out out/exported.json

Measured in one run, alternating: torch eager and each exported folder, photo (a file) to list.
Parity: largest difference of raw outputs, on how many val trays lists and questions are the same
without words (reading packs takes seconds on trays in doubt), and with words on the first
`--word-trays` of them. Latency is with all second looks; `--repeats 0` leaves it out. Cold start: a
new process that loads and counts one photo. What is known is written after each step.
tools/benchmark/till_speed.py sets the counters beside a detector of others.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

COLD = """
import sys, time
began = time.perf_counter()
import rpc
counter = rpc.load(sys.argv[1], device="cpu")
loaded = time.perf_counter()
counter(sys.argv[2])
print(loaded - began, time.perf_counter() - began, "torch" in sys.modules)
"""


def main() -> None:
    """Measure, and write one JSON file."""
    made = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    made.add_argument("--model", type=Path, required=True, metavar="FILE")
    made.add_argument(
        "--exported",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="exported folders (default: exported here, for ONNX Runtime)",
    )
    made.add_argument("--data", type=Path, required=True, metavar="STORE")
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--repeats", type=int, default=5, help="rounds over the val trays")
    made.add_argument(
        "--word-trays", type=int, default=4, help="trays that are compared with words"
    )
    made.add_argument("--out", type=Path, default=Path("out/exported.json"))
    args = made.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)  # read when torch is imported
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])
    args.out.parent.mkdir(parents=True, exist_ok=True)
    measure(args)


def measure(args: argparse.Namespace) -> None:
    """All figures, the parity first."""
    import cv2
    import torch

    from rpc.checkout.loading import load
    from rpc.data.store import Store
    from rpc.pipelines.export import ExportRequest, export_model
    from rpc.reporting.provenance import code_version, library_versions, machine, sha256

    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    torch.backends.mkldnn.allow_tf32 = False  # float32 in all, whatever the processor could do
    torch.set_float32_matmul_precision("highest")
    folders = args.exported or [
        export_model(ExportRequest(args.model, args.out.parent / "exported"))
    ]
    store = Store.open(args.data)
    trays = [store.image_path("val", image) for image in store.split("val").images]
    paths = {"torch": args.model, **{folder.name: folder for folder in folders}}
    result: dict[str, Any] = {
        "trays": {"store": args.data.name, "number": len(trays)},
        "model": {"name": args.model.name, "sha256": sha256(args.model)},
        "settings": {"threads": args.threads, "repeats": args.repeats, "load": os.getloadavg()[0]},
        "code": code_version(),
        "versions": library_versions(),
        "machine": machine(),
    }

    def known(name: str, value: Any) -> None:
        result[name] = value
        args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(name, json.dumps(value), flush=True)

    known("raw_outputs", {f.name: raw_parity(args.model, f, trays) for f in folders})
    without = {name: load(path, device="cpu", words=False) for name, path in paths.items()}
    known("parity_without_words", parity(counted(without, trays)))
    counters = {name: load(path, device="cpu") for name, path in paths.items()}
    known("parity_with_words", parity(counted(counters, trays[: args.word_trays])))
    if args.repeats:
        known("latency_ms", latencies(counters, trays, args.repeats))
    known("cold_start_s", {name: cold(path, trays[0]) for name, path in paths.items()})


def counted(counters: dict[str, Any], trays: Sequence[Path]) -> dict[str, Any]:
    """The receipts of each counter."""
    receipts: dict[str, Any] = {name: [] for name in counters}
    for number, tray in enumerate(trays, start=1):
        for name, counter in counters.items():
            receipts[name].append(counter(tray))
        print(f"{number} of {len(trays)} trays", file=sys.stderr, flush=True)
    return receipts


def latencies(counters: dict[str, Any], trays: Sequence[Path], repeats: int) -> dict[str, Any]:
    """Milliseconds of each counter, which take turns on each tray, after one warm round."""
    taken: dict[str, list[float]] = {name: [] for name in counters}
    for round_ in range(repeats + 1):
        for tray in trays:
            for name, counter in counters.items():
                began = time.perf_counter()
                counter(tray)
                if round_:
                    taken[name].append(1000 * (time.perf_counter() - began))
        print(f"round {round_} of {repeats}", file=sys.stderr, flush=True)
    return {name: statistics_of(row) for name, row in taken.items()}


def statistics_of(taken: Sequence[float]) -> dict[str, float]:
    """Milliseconds."""
    return {
        "median": round(statistics.median(taken), 1),
        "p95": round(float(np.percentile(taken, 95)), 1),
        "calls": len(taken),
    }


def parity(receipts: dict[str, Any]) -> dict[str, Any]:
    """On how many trays each says what torch says."""
    base = receipts["torch"]
    return {
        "trays": len(base),
        "items": round(statistics.mean(len(one.items) for one in base), 2),
        **{
            name: {
                "other_lists": [
                    number
                    for number, (one, other) in enumerate(zip(base, rows, strict=True))
                    if one.counts != other.counts
                ],
                "same_questions": sum(
                    [q.text for q in one.questions] == [q.text for q in other.questions]
                    for one, other in zip(base, rows, strict=True)
                ),
                "certainty": max(
                    abs(one.certainty - other.certainty)
                    for one, other in zip(base, rows, strict=True)
                ),
            }
            for name, rows in receipts.items()
            if name != "torch"
        },
    }


def raw_parity(model: Path, exported: Path, trays: Sequence[Path]) -> dict[str, float]:
    """Largest differences of raw outputs on trays and noise: of the detector, and on its crops."""
    import torch

    from rpc.checkout.exported.loading import load_exported
    from rpc.checkout.trained import load_checkout
    from rpc.data.images import read_image
    from rpc.detection.onnx_export import RawDetector
    from rpc.inference.crops import box_extents, cut_crops
    from rpc.inference.letterbox import letterbox

    one, other = load_checkout(model), load_exported(exported)
    raw = RawDetector(one.detector.model).eval()
    noise = np.random.default_rng(0).integers(0, 256, (800, 800, 3), np.uint8)
    worst = {"detector": 0.0, "recogniser": 0.0}
    for rgb in [noise, *map(read_image, trays)]:
        picture = letterbox(rgb, *one.detector.image_size)[0][None]
        with torch.inference_mode():
            maps = [found.numpy() for found in raw(torch.from_numpy(picture))]
        boxes = one.detector.predict(rgb).boxes[:16]
        given = cut_crops(rgb, boxes, one.recogniser.model.side), box_extents(boxes, rgb.shape[1])
        pairs = {
            "detector": zip(maps, other.detector._network(picture), strict=True),
            "recogniser": [(one.recogniser._logits(*given), other.recogniser.logits(*given))],
        }
        for name, some in pairs.items():
            off = (float(np.abs(a - b).max(initial=0)) for a, b in some)
            worst[name] = max(worst[name], *off)
    return worst


def cold(path: Path, tray: Path) -> dict[str, float]:
    """Seconds of a new process until the counter is loaded, and until one photo is counted."""
    runs = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", COLD, str(path), str(tray)],
            capture_output=True,
            text=True,
            check=True,
        )
        runs.append([float(word) for word in done.stdout.split()[:2]])
    loaded, counted = np.median(runs, axis=0)
    return {"loaded": round(float(loaded), 2), "first_list": round(float(counted), 2)}


if __name__ == "__main__":
    main()
