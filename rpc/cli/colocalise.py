"""Find what a set of photos has in common (DDT, DDT+): a box on each, without any label.

Sets: the photos of a folder, each SKU's exemplars in a store, or the frames of a video. Writes
boxes.json (COCO), colocalise.json and sheets: photo with the found box (red) and true ones (green)
beside the indicator map as heat.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.device_option import add_device_option
from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Co-localise what the command line asks for; print how much was found."""
    args = parser().parse_args(argv)
    from rpc.data.files import read_json
    from rpc.pipelines.colocalisation import ColocalisationRequest, colocalise

    path = colocalise(ColocalisationRequest(**vars(args)))
    for sheet in sorted(args.out.glob("sheet_[0-9][0-9][0-9].jpg")):
        say(sheet)
    found = read_json(path)
    for note in found["notes"]:
        say(note)
    photos = [photo for one in found["sets"] for photo in one["images"]]
    boxed = sum(photo["box"] is not None for photo in photos)
    say(f"{path}: a box on {boxed} of {len(photos)} photos in {len(found['sets'])} sets")
    known = sum(photo["right"] is not None for photo in photos)
    if known:
        say(f"CorLoc (IoU > 0.5): {100 * found['corloc']:.1f} % of {known} photos")
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=(__doc__ or "").partition("\n")[0])
    add = made.add_argument
    source = made.add_mutually_exclusive_group(required=True)
    source.add_argument("--photos", type=Path, metavar="DIR", help="photos of one kind of object")
    source.add_argument("--data", type=Path, metavar="ROOT", help="a store: a set a SKU")
    source.add_argument("--video", type=Path, metavar="FILE", help="a video of one object")
    add("--out", type=Path, required=True, metavar="DIR", help="where the results go")
    add(
        "--split",
        choices=("train", "val", "test"),
        default="train",
        help="of the store (default: train)",
    )
    add("--one-set", action="store_true", help="all photos of the split as one set")
    add(
        "--method",
        choices=("ddt", "ddt+"),
        default="ddt+",
        help="one layer or two (default: %(default)s)",
    )
    add("--backbone", default="efficientnet_lite0", help="network (default: %(default)s)")
    add("--weights", type=Path, metavar="FILE", help="of the backbone (default: the published)")
    add(
        "--short-side",
        type=int,
        default=800,
        metavar="PX",
        help="larger photos are shrunk to it (default: %(default)s px)",
    )
    add("--frames", type=int, default=60, help="of the video, at most (default: %(default)s)")
    add(
        "--smooth",
        type=int,
        default=2,
        metavar="N",
        help="chosen frames on either side that vote on a box (default: %(default)s)",
    )
    add("--sheet", type=int, default=48, metavar="N", help="photos to draw (default: %(default)s)")
    add_device_option(made)
    add_links_option(made)
    return made
