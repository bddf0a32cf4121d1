"""One tray photo in: the shopping list on the screen, an annotated photo and the list as JSON."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rpc.cli.verb_parser import VerbParser
from rpc.data.shipped import shipped

MODEL = shipped("rpc/weights/ministore.pth")


def main(argv: list[str] | None = None) -> int:
    """Read the photo, count, print, write."""
    args = parser().parse_args(argv)
    from rpc.checkout.loading import open_checkout
    from rpc.counting import CountingRule
    from rpc.data.files import DataError, write_json
    from rpc.data.images import read_image, write_image
    from rpc.pictures import draw_tray

    rgb = read_image(args.photo)  # before the model: a wrong photo is told at once
    checkout = open_checkout(
        args.model, args.gallery, fusion=args.fusion, recogniser=args.recogniser
    )
    if args.threshold is not None:
        base = checkout.rule or CountingRule()
        checkout = checkout.with_rule(
            CountingRule.from_dict({**base.to_dict(), "threshold": args.threshold})
        )
    if checkout.rule is None:
        raise DataError(f"{args.model}: holds no counting rule; give --threshold")
    began = time.perf_counter()
    kept = checkout.counted(rgb)
    seconds = time.perf_counter() - began
    names = [checkout.taxonomy.category(label) for label in kept.labels.tolist()]
    counts: dict[str, int] = {}
    for category in names:
        counts[category.name] = counts.get(category.name, 0) + 1
    titles = {category.name: category.title or category.name for category in names}
    for name in sorted(counts, key=lambda n: (-counts[n], n)):
        print(f"{counts[name]:3d} x {titles[name]}")
    print(f"{len(kept)} items, {len(counts)} products, {seconds:.2f} s")
    items = [
        {"name": c.name, "box": box, "score": round(score, 4)}
        for c, box, score in zip(names, kept.boxes.tolist(), kept.scores.tolist(), strict=True)
    ]
    stem = args.photo.stem
    picture = args.out / f"{stem}_counted.jpg"
    write_image(picture, draw_tray(rgb, kept, checkout.taxonomy))
    listing = {"photo": args.photo.name, "counts": counts, "items": items, "seconds": seconds}
    print(write_json(args.out / f"{stem}_list.json", listing, indent=1))
    print(picture)
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__)
    add = made.add_argument
    add("photo", type=Path, help="a photo of a tray")
    add("--out", type=Path, default=Path("out/demo"), metavar="DIR", help="(default: %(default)s)")
    add("--model", type=Path, default=MODEL, help="model.pth of a training (default: ours)")
    add("--gallery", type=Path, metavar="DIR", help="name products by a gallery's exemplars")
    add("--fusion", action="store_true", help="and by the model's own recogniser, as it was tuned")
    add("--recogniser", type=Path, metavar="DIR", help="name them by a system as well, see "
        "rpc-checkout fuse")  # fmt: skip
    add("--threshold", type=float, help="score from which a box counts (default: the model's)")
    return made
