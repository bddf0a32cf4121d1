"""Cut the products out of a store's exemplar photos: RGBA PNGs and cutouts.json."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from rpc.cli.device_option import add_device_option
from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.data.files import read_json
from rpc.runs.screen import say
from synth.exemplar import METHODS
from synth.exemplar.cutouts import REPORT
from synth.exemplar.methods.registry import DEFAULT_METHOD
from synth.exemplar.quality import DEFAULT_CUT

SHOWN = 10


def main(argv: list[str] | None = None) -> int:
    """Make the cut-outs that the command line asks for; say which photos were left out."""
    args = parser().parse_args(argv)
    from rpc.pipelines.cutouts import CutoutRequest, make_cutouts

    path = make_cutouts(CutoutRequest(**vars(args)))
    _show(path, read_json(args.out / REPORT))
    if args.sheet:
        for sheet in sorted(args.out.glob("sheet_[0-9][0-9][0-9].jpg")):
            say(sheet)
    return 0


def _show(path: Path, report: dict[str, Any]) -> None:
    """Print how many exemplars were kept, and why the others were not."""
    dropped = ", ".join(f"{number} {reason}" for reason, number in report["dropped"].items())
    say(
        f"{path}: {report['kept']} of {report['exemplars']} exemplars kept"
        + (f" (dropped: {dropped})" if dropped else "")
    )
    where = path.with_name(REPORT)
    _list("photos left out", [entry["why"] for entry in report["skipped"]], where)
    doubts = Counter(entry["why"] for entry in report["doubted"])
    _list(
        "photos with a doubtful mask",
        [f"{number}: {why}" for why, number in doubts.most_common()],
        where,
        doubts.total(),
    )
    page = path.with_name("again_001.jpg")
    for key, what in (
        ("skus_doubtful", "SKUs have only a doubtful cut-out, which is used all the same"),
        ("skus_missing", "SKUs HAVE NO CUT-OUT: NO SCENE SHOWS THEM, NO COUNTER CAN NAME THEM"),
    ):
        lines = [f"{sku['name']}: {sku['why']}" for sku in report[key]]
        _list(f"{what} (photograph them again, see {page})", lines, where)


def _list(what: str, lines: list[str], where: Path, number: int | None = None) -> None:
    """Print how many there are and the first of them."""
    if lines:
        say(f"{len(lines) if number is None else number} {what}:")
    for line in lines[:SHOWN]:
        say(f"  - {line}")
    if len(lines) > SHOWN:
        say(f"  ... and {len(lines) - SHOWN} more, see {where}")


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="A mask by hand: OUT/overrides/<name of the PNG>.png; cut-outs not to be used: "
        "OUT/overrides/drop.txt. Run the same command again afterwards.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    made.add_argument("--data", type=Path, required=True, metavar="ROOT", help="the store")
    made.add_argument("--out", type=Path, required=True, metavar="DIR", help="the cut-outs")
    made.add_argument(
        "--method",
        choices=METHODS,
        default=DEFAULT_METHOD,
        help="of the masks; ddt: what all photos of a SKU share",
    )
    add_device_option(made)
    made.add_argument("--workers", type=int, default=2, metavar="N", help="processes")
    made.add_argument(
        "--quality-cut", type=float, default=DEFAULT_CUT, metavar="Q", help="least quality, 0 to 1"
    )
    made.add_argument(
        "--sizes", type=Path, metavar="CSV", help="real sizes: sku,height_mm[,width_mm]"
    )
    made.add_argument(
        "--allow-missing-skus",
        action="store_true",
        help="go on without SKUs that have no usable cut-out: a counter will never name them",
    )
    made.add_argument(
        "--no-upside-down",
        dest="upside_down",
        action="store_false",
        help="leave out cans and cups as they look on their heads",
    )
    made.add_argument("--sheet", action="store_true", help="also draw contact sheets")
    add_links_option(made)
    return made
