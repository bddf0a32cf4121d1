"""How well do class-agnostic starts find products of stores that they never saw?

Each start (or model) looks at the val trays of each store: average precision at IoU 0.5 without
names, recall of all its boxes, and the share of trays whose number of items is right at the one
threshold that is best over all the stores together.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from rpc.cli.leave import run
from rpc.counting import CountingRule
from rpc.data.entry_photo import read_entry_photo
from rpc.data.files import write_json
from rpc.detection.dataset import read_source
from rpc.detection.detector import Detector
from rpc.metrics import detection_metrics
from rpc.reporting import results_of_detections
from rpc.reporting.provenance import code_version, library_versions, machine, sha256
from rpc.runs.progress import bar
from rpc.runs.screen import say
from rpc.structures import Detections

THRESHOLDS: Final = np.arange(0.1, 0.9, 0.05)
RULE: Final = CountingRule(nms_iou=0.5, agnostic_iou=0.5, containment=0.9, agnostic_containment=0.9)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the starts, print, write."""
    args = _parser().parse_args(argv)
    rows = {start.name: measure(start, args.data, args.device) for start in args.starts}
    for start, row in rows.items():
        say(f"{start}: best threshold {row['threshold']:.2f}")
        for store, found in row["stores"].items():
            say(
                f"  {store}: AP50 {100 * found['AP50']:.1f}, AP {100 * found['AP']:.1f}, "
                f"number right {100 * found['number_right']:.1f} % of {found['trays']} trays"
            )
    about = {"code": code_version(), "versions": library_versions(), "machine": machine()}
    write_json(args.out, {"starts": rows, **about}, indent=1)
    return 0


def measure(start: Path, stores: Sequence[Path], device: str = "cpu") -> dict[str, Any]:
    """The figures of one start on the val trays of each store."""
    detector = Detector.load(start, device=device)
    right, found = [], {}
    for root in stores:
        dataset, path_of = read_source(root, "val", agnostic=True)
        seen: list[Detections] = []
        with bar(f"{start.name} on {root.name}") as progress:
            for done, image in enumerate(dataset.images, start=1):
                rgb = read_entry_photo(path_of(image), (image.width, image.height))
                seen.append(_nameless(detector.predict(rgb)))
                progress(done, len(dataset.images))
        metrics = detection_metrics(dataset, results_of_detections(seen, dataset).to_coco())
        found[root.name] = {"AP50": metrics.mAP50, "AP": metrics.mmAP, "trays": len(seen)}
        truth = dataset.counts().sum(axis=1)
        right.append([_numbers(seen, float(limit)) == truth for limit in THRESHOLDS])
    shares = np.array([[rows.mean() for rows in limits] for limits in right])
    best = int(shares.mean(axis=0).argmax())
    for store, share in zip(found.values(), shares, strict=True):
        store["number_right"] = float(share[best])
    return {"threshold": float(THRESHOLDS[best]), "sha256": sha256(start), "stores": found}


def _nameless(found: Detections) -> Detections:
    return Detections(found.boxes, found.scores, np.zeros(len(found), np.int64))


def _numbers(seen: Sequence[Detections], threshold: float) -> np.ndarray[Any, Any]:
    """The number of items (N,) on each of N trays."""
    rule = replace(RULE, threshold=threshold)
    return np.array([len(rule.rows(one)) for one in seen])


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made.add_argument("starts", type=Path, nargs="+", metavar="FILE", help="starts or models")
    made.add_argument("--data", type=Path, nargs="+", required=True, metavar="STORE")
    made.add_argument("--device", default="cpu")
    made.add_argument("--out", type=Path, default=Path("out/starts.json"), metavar="FILE")
    return made


if __name__ == "__main__":
    run(main)
