r"""Photo to list on a small machine: ours in each runtime, beside a nano detector of others.

    python tools/benchmark/till_speed.py --model rpc/weights/ministore.pth \
        --data examples/ministore --side 640 --items 12 --threads 2 --peer yolo11n.onnx \
        --out out/till_speed.json

All take turns on the same trays in one process: torch eager, ONNX Runtime and OpenVINO in float32,
OpenVINO in int8 (where the export does not refuse it). Ours read the file, detect, name, look again
at what is in doubt, and write the list; "no second looks" leaves pictures and words out, which the
peer does not have either. `--side` is the side of the detector's input: the model's weights at that
size, for the time alone; lists are those of a model that was trained at another size.

The peer is any detector of Ultralytics' output (1, 4 + classes, N) in an ONNX file, with input (1,
3, S, S). It is under the AGPL, never a dependency and not imported here; in an environment of its
own (weights do not change the time):

    pip install ultralytics onnx onnxslim
    python -c "from ultralytics import YOLO; YOLO('yolo11n.yaml').export(format='onnx', imgsz=640)"

Its time holds reading the file, letterbox, network, and suppression of its 300 best boxes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

Count = Callable[[Path], int]  # a tray's file to the number of items
BEST: Final = 300  # boxes of the peer that are suppressed
LEAST_TRAYS: Final = 8


def main() -> None:
    """Measure, and write one JSON file after each round."""
    made = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    made.add_argument("--model", type=Path, required=True, metavar="FILE")
    made.add_argument("--data", type=Path, required=True, metavar="STORE")
    made.add_argument("--side", type=int, default=640, help="of the detector's input, px")
    made.add_argument("--items", type=int, default=12, help="on the trays; the nearest are taken")
    made.add_argument("--trays", type=int, default=LEAST_TRAYS, help="at least, if there are")
    made.add_argument("--threads", type=int, default=2)
    made.add_argument("--repeats", type=int, default=5, help="rounds over the trays")
    made.add_argument("--peer", type=Path, metavar="FILE", help="another detector, ONNX")
    made.add_argument("--no-int8", action="store_true", help="leave int8 out: it takes minutes")
    made.add_argument("--work", type=Path, metavar="DIR", help="exports; kept for the next run")
    made.add_argument("--out", type=Path, default=Path("out/till_speed.json"))
    args = made.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)  # read when torch is imported
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: args.threads])
    args.work = args.work or args.out.parent / "till_speed"
    args.out.parent.mkdir(parents=True, exist_ok=True)
    measure(args)


def measure(args: argparse.Namespace) -> None:
    """All rounds; the file is written after each."""
    import cv2
    import torch

    from rpc.reporting.provenance import code_version, library_versions, machine

    cv2.setNumThreads(args.threads)
    torch.set_num_threads(args.threads)
    torch.backends.mkldnn.allow_tf32 = False  # float32, whatever the processor could do
    torch.set_float32_matmul_precision("highest")
    trays, items = trays_of(args.data, args.items, args.trays)
    counters, refused = counters_of(args)
    if args.peer is not None:
        counters["peer"] = peer(args.peer, args.threads)
    taken: dict[str, list[float]] = {name: [] for name in counters}
    found: dict[str, list[int]] = {name: [] for name in counters}
    for round_ in range(args.repeats + 1):
        for tray in trays:
            for name, count in counters.items():
                began = time.perf_counter()
                number = count(tray)
                if round_:  # the first is a warm-up
                    taken[name].append(1000 * (time.perf_counter() - began))
                    found[name].append(number)
        if not round_:
            continue
        result = {
            "latency_ms": {name: statistics_of(row) for name, row in taken.items()},
            "items": {name: round(statistics.mean(row), 2) for name, row in found.items()},
            "int8": refused or "lists as in float32",
            "trays": {"store": args.data.name, "number": len(trays), "items": items},
            "settings": {
                "side": args.side,
                "threads": args.threads,
                "repeats": round_,
                "model": args.model.name,
                "peer": None if args.peer is None else args.peer.name,
                "load": os.getloadavg()[0],
            },
            "code": code_version(),
            "versions": library_versions(),
            "machine": machine(),
        }
        args.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(f"round {round_} of {args.repeats}", json.dumps(result["latency_ms"]), flush=True)


def trays_of(data: Path, items: int, least: int) -> tuple[list[Path], float]:
    """The val and test trays with so many items, or the nearest; and their mean number."""
    from rpc.data.store import Store

    store = Store.open(data)
    found = [
        (abs(int(count) - items), int(count), store.image_path(split, image))
        for split in ("val", "test")
        for image, count in zip(
            store.split(split).images, store.split(split).counts().sum(axis=1), strict=True
        )
    ]
    found.sort(key=lambda one: (one[0], str(one[2])))
    exact = sum(off == 0 for off, _, _ in found)
    chosen = found[: max(exact, min(least, len(found)))]
    return [path for _, _, path in chosen], round(statistics.mean(row[1] for row in chosen), 2)


def counters_of(args: argparse.Namespace) -> tuple[dict[str, Count], str]:
    """Our counters by name, and why there is none in int8."""
    from rpc.checkout.exported.loading import load_exported
    from rpc.checkout.loading import load
    from rpc.checkout.parts import SecondLooks
    from rpc.data.files import DataError
    from rpc.pipelines.export import ExportRequest, export_model

    model = at_side(args.model, args.side, args.work / f"model_{args.side}.pth")
    counters: dict[str, Count] = {}
    for looks in (True, False):
        counter = load(model, device="cpu", words=looks, pictures=looks)
        counters["torch" + ", no second looks" * (not looks)] = _items(counter)
    kinds: dict[str, dict[str, Any]] = {
        "onnx": {},
        "openvino": {"format": "openvino"},
        "openvino int8": {"format": "openvino", "int8": True, "data": args.data},
    }
    refused = "left out" if args.no_int8 else ""
    for name, options in kinds.items():
        if options.get("int8") and args.no_int8:
            continue
        folder = args.work / name.replace(" ", "_")
        try:
            if not (folder / "model.json").is_file():
                export_model(ExportRequest(model, folder, **options))
        except DataError as error:
            refused = str(error)
            continue
        for looks in (True, False):
            both = SecondLooks(words=looks, pictures=looks)
            counter = load_exported(folder, looks=both, threads=args.threads)
            counters[name + ", no second looks" * (not looks)] = _items(counter)
    return counters, refused


def at_side(model: Path, side: int, out: Path) -> Path:
    """The model file with another size of the detector's input."""
    from rpc.detection.model_file import load_model, write_model

    def sized(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: sized(one) for name, one in value.items()}
        if isinstance(value, list):
            return [sized(one) for one in value]
        return side if value == config["image_size"] and type(value) is int else value

    saved = load_model(model)
    config = json.loads(saved.config)
    changed = config | {name: sized(config[name]) for name in ("test_pipeline", "image_size")}
    out.parent.mkdir(parents=True, exist_ok=True)
    return write_model(out, replace(saved, config=json.dumps(changed)))


def _items(counter: Any) -> Count:
    return lambda tray: len(counter(tray).items)


def peer(path: Path, threads: int) -> Count:
    """Another detector from photo to boxes; see the top."""
    import cv2
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    side = given.shape[2]

    def count(tray: Path) -> int:
        bgr = cv2.imread(str(tray))
        scale = side / max(bgr.shape[:2])
        size = round(bgr.shape[1] * scale), round(bgr.shape[0] * scale)
        square = np.full((side, side, 3), 114, np.uint8)
        square[: size[1], : size[0]] = cv2.resize(bgr, size, interpolation=cv2.INTER_LINEAR)
        picture = square[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255
        (raw,) = session.run(None, {given.name: picture})
        boxes, scores = raw[0, :4].T, raw[0, 4:].max(axis=0)
        best = np.argsort(-scores)[:BEST]
        corners = np.concatenate([boxes[best, :2] - boxes[best, 2:] / 2, boxes[best, 2:]], axis=1)
        kept = cv2.dnn.NMSBoxes(corners.tolist(), scores[best].tolist(), 0.0, 0.7)
        return len(kept)

    return count


def statistics_of(taken: Sequence[float]) -> dict[str, float]:
    """Milliseconds."""
    return {
        "median": round(statistics.median(taken), 1),
        "p95": round(float(np.percentile(taken, 95)), 1),
        "least": round(min(taken), 1),
        "calls": len(taken),
    }


if __name__ == "__main__":
    main()
