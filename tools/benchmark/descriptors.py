"""Measure the cost of image descriptors beyond the backbone: seconds, and as a share of its time.

One photo at a time, as they are used: medians over repeats after warm-ups, in one process, of the
processor's time, which other work on the machine disturbs least; the waiting time stands beside it.
SCDA_flip+ is held against two passes of the backbone, as it makes two.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Read by OpenMP when torch is imported: spinning threads slow every neighbour on a shared machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import cv2
import numpy as np
import torch

from rpc.data.files import write_json
from rpc.features.backbones.feature_maps import FeatureMaps
from rpc.features.encodings.local_encodings import fit_fisher, fit_vlad
from rpc.reporting.provenance import code_version, library_versions, machine
from rpc.retrieval.descriptors.methods import FLIP, PhotoMaps, methods_with
from rpc.retrieval.descriptors.scda import selected_descriptors

WARM_UPS = 3
LIMIT = 0.10  # of the backbone's time, that a descriptor may cost


def main(argv: list[str] | None = None) -> int:
    """Measure, print the table and write the numbers."""
    args = _parser().parse_args(argv)
    maps = FeatureMaps(args.backbone, ("last", "finer"))
    result: dict[str, Any] = {
        "settings": {
            "backbone": maps.identity,
            "repeats": args.repeats,
            "warm_ups": WARM_UPS,
            "torch_threads": torch.get_num_threads(),
            "limit": LIMIT,
        },
        "code": code_version(),
        "versions": library_versions(),
        "machine": machine(),
        "sizes": [measure(maps, side, args.repeats) for side in args.sides],
    }
    for size in result["sizes"]:
        print(f"{size['side']} px: backbone {1000 * size['backbone_seconds']:.1f} ms")
        for name, one in size["methods"].items():
            line = f"  {name:12} {1000 * one['seconds']:7.2f} ms {100 * one['share']:6.1f} %"
            print(line + ("" if one["share"] < LIMIT else "  above the limit"))
    if args.out is not None:
        print(write_json(args.out, result, indent=1))
    return 0


def measure(maps: FeatureMaps, side: int, repeats: int) -> dict[str, Any]:
    """Medians of the backbone and of each method, on a photo of side x side pixels."""
    photos = [_photo(side, seed) for seed in range(4)]
    seen = [maps(photo) for photo in photos]
    cells = np.concatenate([selected_descriptors(last) for last, _ in seen])
    methods = methods_with(fit_vlad(cells, 2, 0), fit_fisher(cells, 2, 0))
    last, finer = seen[0]
    both = PhotoMaps(last, finer, (seen[1][0], seen[1][1]))
    backbone = _median(lambda: maps(photos[0]), repeats)
    found: dict[str, Any] = {}
    for name, method in methods.items():
        seconds = _median(lambda method=method: method(both), repeats)  # type: ignore[misc]
        passes = 2 if name == FLIP else 1
        found[name] = {"seconds": seconds, "share": seconds / (passes * backbone)}
    return {
        "side": side,
        "maps": [list(last.shape), list(finer.shape)],
        "selected_cells": len(selected_descriptors(last)),
        "backbone_seconds": backbone,
        "backbone_waiting_seconds": _median(lambda: maps(photos[0]), repeats, time.perf_counter),
        "methods": found,
    }


def _photo(side: int, seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Coloured clouds: smooth, with brighter and darker parts."""
    small = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def _median(
    step: Callable[[], object], repeats: int, clock: Callable[[], float] = time.process_time
) -> float:
    for _ in range(WARM_UPS):
        step()
    seconds = []
    for _ in range(repeats):
        started = clock()
        step()
        seconds.append(clock() - started)
    return statistics.median(seconds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--backbone", default="efficientnet_lite0", metavar="NAME", help="network")
    parser.add_argument(
        "--sides", type=int, nargs="+", default=[224, 448], metavar="PX", help="of the photos"
    )
    parser.add_argument("--repeats", type=int, default=30, metavar="N", help="of each measurement")
    parser.add_argument("--out", type=Path, metavar="JSON", help="for the numbers")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
