"""An exported counter beside its model file: the same lists, and how long each takes.

    python tools/benchmark/exported.py --model rpc/weights/ministore.pth \
        --data examples/ministore --threads 2 --repeats 5 --out out/exported.json

Measured in one run, alternating: torch eager and ONNX Runtime, photo (a file) to list, with the
second looks that the model brings. Parity: largest difference of raw outputs, and on how many val
trays lists and questions are the same. Cold start: a new process that loads and counts one photo.
`--peer FILE` times one more detector in ONNX Runtime, input (1, 3, S, S) float32, on its own: such
as a nano detector of Ultralytics, which is under the AGPL and therefore never a dependency.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
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
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("--model", type=Path, required=True, metavar="FILE")
    made.add_argument("--exported", type=Path, metavar="DIR", help="(default: exported here)")
    made.add_argument("--data", type=Path, required=True, metavar="STORE")
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--repeats", type=int, default=5, help="rounds over the val trays")
    made.add_argument("--peer", type=Path, metavar="FILE", help="another detector, ONNX")
    made.add_argument("--out", type=Path, default=Path("out/exported.json"))
    args = made.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)  # read when torch is imported
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])
    result = measure(args)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({key: result[key] for key in ("parity", "latency_ms", "cold_start_s")}))


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    import cv2
    import torch

    from rpc.checkout.loading import load
    from rpc.data.store import Store
    from rpc.pipelines.export import ExportRequest, export_model
    from rpc.reporting.provenance import code_version, library_versions, machine, sha256

    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    torch.backends.mkldnn.allow_tf32 = False  # float32 in both, whatever the processor could do
    torch.set_float32_matmul_precision("highest")
    exported = args.exported or export_model(
        ExportRequest(args.model, args.out.parent / "exported")
    )
    store = Store.open(args.data)
    trays = [store.image_path("val", image) for image in store.split("val").images]
    counters = {
        "torch": load(args.model, device="cpu"),
        "onnxruntime": load(exported, device="cpu"),
    }
    receipts = {name: [counter(tray) for tray in trays] for name, counter in counters.items()}
    rows = {
        name: timed([lambda c=counter, t=tray: c(t) for tray in trays], args.repeats)
        for name, counter in counters.items()
    }
    if args.peer is not None:
        rows["peer, detector alone"] = timed([peer(args.peer, args.threads)] * 10, args.repeats)
        rows["onnxruntime, detector alone"] = timed([_detector(exported)] * 10, args.repeats)
    items = [len(receipt.items) for receipt in receipts["torch"]]
    return {
        "parity": parity(receipts) | raw_parity(args.model, exported),
        "latency_ms": rows,
        "cold_start_s": {
            name: cold(path, trays[0])
            for name, path in (("torch", args.model), ("onnxruntime", exported))
        },
        "trays": {"store": args.data.name, "number": len(trays), "items": statistics.mean(items)},
        "model": {"name": args.model.name, "sha256": sha256(args.model)},
        "settings": {"threads": args.threads, "repeats": args.repeats, "load": os.getloadavg()[0]},
        "code": code_version(),
        "versions": library_versions(),
        "machine": machine(),
    }


def timed(calls: list[Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Milliseconds of the calls, after one warm round."""
    for call in calls:
        call()
    taken = []
    for _ in range(repeats):
        for call in calls:
            began = time.perf_counter()
            call()
            taken.append(1000 * (time.perf_counter() - began))
    return {
        "median": round(statistics.median(taken), 1),
        "p95": round(float(np.percentile(taken, 95)), 1),
        "calls": len(taken),
    }


def parity(receipts: dict[str, Any]) -> dict[str, Any]:
    """On how many trays both say the same."""
    pairs = list(zip(*receipts.values(), strict=True))
    return {
        "trays": len(pairs),
        "same_lists": sum(one.counts == other.counts for one, other in pairs),
        "same_questions": sum(
            [q.text for q in one.questions] == [q.text for q in other.questions]
            for one, other in pairs
        ),
        "certainty": max(abs(one.certainty - other.certainty) for one, other in pairs),
    }


def raw_parity(model: Path, exported: Path) -> dict[str, float]:
    """Largest differences of raw outputs on a picture of noise, and of a recogniser on crops."""
    import torch

    from rpc.checkout.exported.loading import load_exported
    from rpc.checkout.trained import load_checkout
    from rpc.detection.onnx_export import RawDetector

    one, other = load_checkout(model), load_exported(exported)
    rng = np.random.default_rng(0)
    side = one.detector.image_size[0]
    picture = rng.integers(0, 256, (1, side, side, 3), np.uint8)
    with torch.inference_mode():
        maps = RawDetector(one.detector.model).eval()(torch.from_numpy(picture))
    found = other.detector._network(picture)
    crops = rng.integers(0, 256, (8, 128, 128, 3), np.uint8)
    extents = rng.normal(0, 1, (8, 2)).astype(np.float32)
    logits = one.recogniser._logits(crops, extents), other.recogniser.logits(crops, extents)
    return {
        "detector": max(
            float(np.abs(a - b.numpy()).max()) for a, b in zip(found, maps, strict=True)
        ),
        "recogniser": float(np.abs(logits[0] - logits[1]).max()),
    }


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


def _detector(exported: Path) -> Callable[[], Any]:
    from rpc.checkout.exported.loading import load_exported

    detector = load_exported(exported).detector
    side = detector.image_size
    picture = np.full((side, side, 3), 114, np.uint8)
    return lambda: detector.predict(picture)


def peer(path: Path, threads: int) -> Callable[[], Any]:
    """One call of another detector's network, without its decoding."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    picture = np.full(given.shape, 0.45, np.float32)
    return lambda: session.run(None, {given.name: picture})


if __name__ == "__main__":
    main()
