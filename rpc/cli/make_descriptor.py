"""Learn the gallery descriptor's projection from invented packages; no photo of a store is used.

`rpc/weights/product_descriptor.pth` was made by this command with its defaults, and copied there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from rpc.cli.verb_parser import VerbParser
from rpc.data.files import DataError
from rpc.runs.progress import Report, bar

SIBLINGS = 2  # look-alikes in a family
AT_ONCE = 32  # crops


def main(argv: list[str] | None = None) -> int:
    """Draw, measure, fit, write."""
    args = parser().parse_args(argv)
    if args.products < 2 or args.views < 2:
        raise DataError("--products and --views: expected at least 2 of each")
    if args.dimension < 1 or args.ridge < 0:
        raise DataError("--dimension: expected at least 1; --ridge: at least 0")
    with bar("looking at drawn packages") as progress:
        vectors = _measure(args, progress)
    from rpc.features.encodings.discriminant import fit_discriminant, write_discriminant

    labels = np.repeat(np.arange(args.products), args.views)
    fitted = fit_discriminant(vectors, labels, args.dimension, args.ridge)
    settings = ("products", "views", "dimension", "ridge", "seed")
    origin = {name: getattr(args, name) for name in settings} | {"examples": "drawn packages"}
    print(write_discriminant(args.out, fitted, origin))
    return 0


def _measure(args: argparse.Namespace, progress: Report) -> np.ndarray:
    """Raw statistics (products * views, D), the views of a product one after the other."""
    import cv2

    from rpc.retrieval.descriptors.product_descriptor import MapStatistics
    from synth.drawn import draw_package, tray_view

    cv2.setNumThreads(1)
    measure = MapStatistics()
    packages = [
        draw_package(args.seed, index // SIBLINGS, "front", 0, sibling=index % SIBLINGS)
        for index in range(args.products)
    ]
    blocks: list[np.ndarray] = []
    waiting: list[np.ndarray] = []
    total = args.products * args.views
    for index in range(args.products):
        for view in range(args.views):
            rng = np.random.default_rng([args.seed, index, view])
            own = draw_package(
                args.seed, index // SIBLINGS, "front", view, sibling=index % SIBLINGS
            )
            waiting.append(tray_view(own, packages, rng))
            if len(waiting) == AT_ONCE or len(waiting) + AT_ONCE * len(blocks) == total:
                blocks.append(measure(waiting))
                waiting = []
                progress(min(AT_ONCE * len(blocks), total), total)
    return np.concatenate(blocks)


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(
        description=(__doc__ or "").partition("\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = made.add_argument
    add("--out", type=Path, default=Path("out/product_descriptor.pth"), metavar="FILE", help="file")
    add("--products", type=int, default=400, help="packages to draw, in families of two")
    add("--views", type=int, default=6, help="looks at each, on invented trays")
    add("--dimension", type=int, default=256, help="of the descriptor")
    add("--ridge", type=float, default=0.3, help="share of a sphere in the covariance")
    add("--seed", type=int, default=11, help="of everything")
    return made
