"""Find what a set of photos has in common (DDT, DDT+): a box on each, without any label.

Sets: the photos of a folder, each SKU's exemplars in a store, each class of another data set, or
the frames of a video. Writes boxes.json (COCO), colocalise.json and sheets: photo with the found
box (red) and true ones (green) beside the indicator map as heat.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.device_option import add_device_option
from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.runs.screen import say, warn


def main(argv: list[str] | None = None) -> int:
    """Co-localise what the command line asks for; print how much was found."""
    args = parser().parse_args(argv)
    from rpc.data.files import read_json
    from rpc.pipelines.colocalisation import ColocalisationRequest, colocalise

    given = vars(args) | {"leave_out": tuple(args.leave_out)}
    path = colocalise(ColocalisationRequest(**given))
    for sheet in sorted(args.out.glob("sheet_[0-9][0-9][0-9].jpg")):
        say(sheet)
    found = read_json(path)
    for note in found["notes"]:
        say(note)
    for warning in found["warnings"]:
        warn(warning)
    photos = [photo for one in found["sets"] for photo in one["images"]]
    boxed = sum(photo["box"] is not None for photo in photos)
    say(f"{path}: a box on {boxed} of {len(photos)} photos in {len(found['sets'])} sets")
    known = sum(photo["right"] is not None for photo in photos)
    if known:
        smoothed = f", boxes smoothed over {found['smoothed']} frames on either side"
        how = f"IoU > 0.5{smoothed if found['smoothed'] else ''}"
        say(f"CorLoc ({how}): {100 * found['corloc']:.1f} % of {known} photos")
        if len(found["sets"]) > 1:
            say(f"mean of the sets: {100 * found['corloc_of_sets']:.1f} %")
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="ROOT is a store, PASCAL VOC, Object Discovery, or any data set that retrieve and "
        "recognise read. See docs/colocalisation.md.",
    )
    add = made.add_argument
    source = made.add_mutually_exclusive_group(required=True)
    source.add_argument("--photos", type=Path, metavar="DIR", help="photos of one kind of object")
    source.add_argument("--data", type=Path, metavar="ROOT", help="a data set: a set a class")
    source.add_argument("--video", type=Path, metavar="FILE", help="a video of one object")
    add("--out", type=Path, required=True, metavar="DIR", help="where the results go")
    add(
        "--split",
        choices=("train", "val", "trainval", "test"),
        default="train",
        help="of the data set (default: train)",
    )
    add("--one-set", action="store_true", help="all photos of the split as one set")
    add(
        "--leave-out",
        nargs="+",
        choices=("difficult", "truncated"),
        default=(),
        metavar="MARK",
        help="objects of PASCAL VOC that do not count: difficult, truncated (default: none)",
    )
    add(
        "--truth",
        type=Path,
        metavar="FILE",
        help="true boxes of --photos or --video, COCO JSON: CorLoc is told",
    )
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
        default=0,
        metavar="N",
        help="frames of a video on either side that vote on a box (default: 0, no smoothing)",
    )
    add("--sheet", type=int, default=48, metavar="N", help="photos to draw (default: %(default)s)")
    add_device_option(made)
    add_links_option(made)
    return made
