"""Warnings about the camera from pictures of trays: how often rightly, how often falsely.

Each folder's photos are put in a random order many times. As they are, a warning is a false one;
with the newest eight blurred, shifted or darkened, none is a miss.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from rpc.data.files import write_json
from rpc.data.images import read_image
from rpc.data.photo_files import find_photos
from rpc.reporting.provenance import code_version, machine
from rpc.serving.health.tray_looks import LEAST, NEW, look_of, warnings_of

Rgb = Any
CHANGES: Final[dict[str, tuple[str, Callable[[Rgb], Rgb]]]] = {
    "blur 0.4 %": ("camera_dirty", lambda rgb: _blurred(rgb, 0.004)),
    "blur 0.8 %": ("camera_dirty", lambda rgb: _blurred(rgb, 0.008)),
    "shift 25 %": ("camera_moved", lambda rgb: np.roll(rgb, rgb.shape[1] // 4, axis=1)),
    "a tenth of the light": ("dark", lambda rgb: (rgb * 0.1).astype(np.uint8)),
}


def main(argv: list[str] | None = None) -> int:
    """Try every folder, print and write the counts."""
    args = _parser().parse_args(argv)
    result: dict[str, Any] = {"code": code_version(), "machine": machine(), "sets": {}}
    for folder in args.folders:
        photos = find_photos(folder, "photos of trays").photos[: args.most]
        if len(photos) < LEAST + NEW:
            print(f"{folder}: {len(photos)} photos, at least {LEAST + NEW} are needed")
            continue
        told = result["sets"][str(folder)] = measure(list(photos), args)
        print(folder, told)
    if args.out is not None:
        print(write_json(args.out, result, indent=1))
    return 0


def measure(photos: list[Path], args: argparse.Namespace) -> dict[str, Any]:
    """False warnings of shuffled trays, and changes of the camera that were told."""
    pictures = [read_image(path) for path in photos]
    looks = [look_of(rgb) for rgb in pictures]
    rng = np.random.default_rng(args.seed)
    orders = [rng.permutation(len(looks)) for _ in range(args.shuffles)]
    false = sum(bool(warnings_of([looks[n] for n in order])) for order in orders)
    told: dict[str, Any] = {"photos": len(looks), "shuffles": args.shuffles, "false": false}
    for name, (code, change) in CHANGES.items():
        changed = [look_of(change(rgb)) for rgb in pictures]
        told[name] = sum(
            code in warnings_of([*(looks[n] for n in o[:-NEW]), *(changed[n] for n in o[-NEW:])])
            for o in orders
        )
    return told


def _blurred(rgb: Rgb, share: float) -> Rgb:
    return cv2.GaussianBlur(rgb, (0, 0), share * rgb.shape[1])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    option = parser.add_argument
    option("folders", nargs="+", type=Path, metavar="FOLDER", help="photos of one camera's trays")
    option("--most", type=int, default=60, help="photos of a folder")
    option("--shuffles", type=int, default=50)
    option("--seed", type=int, default=0)
    option("--out", type=Path, help="JSON file of the counts")
    return parser


if __name__ == "__main__":
    sys.exit(main())
